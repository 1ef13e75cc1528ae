package io.evento.server.catalog;

import org.jspecify.annotations.Nullable;

/**
 * A declared type of command, event or query.
 *
 * @param component that handles or emits it; {@code componentKind} says of what kind it is
 * @param aggregateType of a domain command or its event; else null
 * @param version of the schema, 1 and up
 * @param idProperty of a domain command: the property that holds the aggregate's id; of a
 *     boundary's: what commands that may meet have in common; else null
 * @param retry of a service's command: whether it may be run again after a run of which nobody
 *     knows how it ended; else true
 */
public record PayloadType(
    Kind kind,
    String type,
    int version,
    String componentKind,
    String component,
    String context,
    @Nullable String aggregateType,
    @Nullable String idProperty,
    @Nullable String schema,
    @Nullable String viewSchema,
    boolean retry) {

  /** Whether a boundary decides it, or emits it. */
  public boolean isOfBoundary() {
    return componentKind.equals("boundary");
  }

  /** What a payload is for. */
  public enum Kind {
    COMMAND,
    EVENT,
    QUERY;

    String column() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }
}
