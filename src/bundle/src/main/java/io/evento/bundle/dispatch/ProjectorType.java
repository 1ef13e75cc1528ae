package io.evento.bundle.dispatch;

import io.evento.bundle.payload.PayloadType;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A projector as its class defines it.
 *
 * @param consumer its name and version, such as {@code accounts:1}
 * @param hosted whom its handlers are called on
 * @param transactional whether its checkpoint lives in the user's database
 * @param handlers by name of the event's type
 * @param rewind is told of lost events; null for none
 */
public record ProjectorType(
    String consumer,
    Hosted hosted,
    boolean transactional,
    Map<String, Projecting> handlers,
    @Nullable Handler rewind) {

  /** Who projects a type of event. */
  public record Projecting(PayloadType payload, Handler handler) {}
}
