package io.evento.server.consumer;

import io.evento.protocol.RecordedEvent;
import java.util.UUID;

/**
 * An event that is to be parked.
 *
 * @param key its sequence key
 */
record DeadLetter(String key, int slot, long position, UUID command, String type) {
  static DeadLetter of(RecordedEvent event) {
    return new DeadLetter(
        Slots.key(event.aggregate()),
        Slots.of(event.aggregate()),
        event.position(),
        event.commandId(),
        event.type());
  }

  /**
   * One that was asked to be tried again.
   *
   * @param attempts that failed so far
   */
  record Due(UUID id, String key, long position, UUID command, int attempts) {}
}
