package io.evento.server.eventstore;

import io.evento.protocol.RecordedEvent;

/** The newest events of the store in memory. */
final class Ring {
  private Ring() {}

  /** Roughly what an event takes in memory and on a link. */
  static int bytes(RecordedEvent event) {
    return 400 + event.payload().text().length() + event.metadata().text().length();
  }
}
