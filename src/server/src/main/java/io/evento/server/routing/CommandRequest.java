package io.evento.server.routing;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A command under way in the server.
 *
 * @param context of the component that handles it
 * @param aggregate of a domain command; else null
 * @param boundary of a boundary's command; else null
 * @param ifVersion only at this version, or null
 * @param correlation of its flow; its own id where nobody said another one
 * @param hash of type and canonical payload: tells a repeat from a reused id
 */
public record CommandRequest(
    UUID id,
    String type,
    String context,
    DecideMessage.@Nullable Aggregate aggregate,
    @Nullable Boundary boundary,
    @Nullable Long ifVersion,
    Deadline deadline,
    @Nullable String trace,
    String correlation,
    @Nullable String cause,
    @Nullable Json meta,
    Json payload,
    long hash) {

  /**
   * Where a command of a boundary belongs.
   *
   * @param key what commands that may meet have in common
   */
  public record Boundary(String name, String key) {}

  /** Whether a service runs it. */
  public boolean isForService() {
    return aggregate == null && boundary == null;
  }

  /** What decides which node owns it: commands with the same key go one after the other there. */
  public String ownerKey() {
    if (boundary != null) {
      return boundary.name + ':' + boundary.key;
    }
    return aggregate == null ? id.toString() : aggregate.stream();
  }

  /** What a node or handler needs to go on with it, with the time that is left. */
  public CommandMessage.Command toMessage() {
    return new CommandMessage.Command(
        id,
        type,
        ifVersion,
        Math.max(1, deadline.millisLeft()),
        trace,
        correlation,
        cause,
        meta,
        payload);
  }

  /** The end of a command whose outcome is not known in time. */
  public EventoException expired() {
    return new EventoException(
            ErrorCode.DEADLINE_EXCEEDED,
            "no outcome was known in time; a repeat with the same id settles it")
        .ofCommand(id);
  }
}
