package io.evento.server.consumer.delivery;

import io.evento.protocol.RecordedEvent;
import java.util.List;

/**
 * How much a session may be given now: its credit, and what it was sent and has not acknowledged.
 * Confined to the delivery thread.
 */
final class SendWindow {
  /**
   * While so many messages are not acknowledged, events wait until they fill one: the bundle has
   * one at work and one to go on with, and what comes meanwhile shares a frame, a transaction and
   * an acknowledgement. So messages grow with the load by themselves, and none waits for company.
   */
  private static final int MESSAGES_ENOUGH = 2;

  /** One more message begins only below. */
  static final int FLIGHT_BYTES_MAX = 1 << 20;

  private final InFlight inFlight = new InFlight();
  private int credit;

  /** The session has room for so many more events. */
  void granted(int events) {
    credit += events;
  }

  /** How many events it may be given. */
  int credit() {
    return credit;
  }

  /**
   * @param fillsMessage whether what waits fills one more message
   */
  boolean isOpen(boolean fillsMessage) {
    return credit > 0
        && (inFlight.messages() < MESSAGES_ENOUGH || fillsMessage)
        && inFlight.bytes() < FLIGHT_BYTES_MAX;
  }

  /** These are given to it. */
  void handed(List<RecordedEvent> events) {
    credit -= events.size();
    events.forEach(inFlight::add);
  }

  InFlight inFlight() {
    return inFlight;
  }
}
