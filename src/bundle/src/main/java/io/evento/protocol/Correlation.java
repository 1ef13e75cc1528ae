package io.evento.protocol;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What joins all that belongs to one request: its log lines on every node and in the bundle, the
 * problem that its caller is told, the events that it led to.
 */
public final class Correlation {
  private static final int TRACE_CHARS_MIN = 35;

  private Correlation() {}

  /** As its sender said, else the trace's id, else the command's own. */
  public static String of(CommandMessage.Command command) {
    var said = command.correlation();
    return said != null ? said : of(command.trace(), command.id());
  }

  /** The trace's id, else the query's own. */
  public static String of(QueryMessage.Query query) {
    return of(query.trace(), query.id());
  }

  /** The id of a trace as W3C Trace Context writes it, else another. */
  public static String of(@Nullable String trace, UUID otherwise) {
    return trace != null && trace.length() >= TRACE_CHARS_MIN
        ? trace.substring(3, TRACE_CHARS_MIN)
        : otherwise.toString();
  }
}
