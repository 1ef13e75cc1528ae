package io.evento.protocol;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of a command that was not refused.
 *
 * @param aggregate the stream it was decided on, with the version after it; null for a service
 * @param position of its last event; null if it had none
 * @param epoch of the store in which that is its position; null without one, or from a node that
 *     does not tell it
 * @param events in order; empty if there was nothing to do
 * @param result the handler's value for the caller, or null
 * @param repeated whether this is the kept outcome of an earlier run
 */
public record Receipt(
    UUID commandId,
    @Nullable Stream aggregate,
    @Nullable Long position,
    @Nullable UUID epoch,
    List<Stored> events,
    @Nullable Json result,
    boolean repeated) {
  public Receipt {
    events = events == null ? List.of() : List.copyOf(events);
  }

  /** Of a command that stored nothing. */
  public Receipt(
      UUID commandId, @Nullable Stream aggregate, @Nullable Json result, boolean repeated) {
    this(commandId, aggregate, null, null, List.of(), result, repeated);
  }

  /** The same with another result. */
  public Receipt with(Json other) {
    return new Receipt(commandId, aggregate, position, epoch, events, other, repeated);
  }

  /** A stream and its version. */
  public record Stream(String type, String id, long version) {}

  /** Where one event went. */
  public record Stored(long position, long version, String type) {}
}
