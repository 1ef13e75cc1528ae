package io.evento.server.telemetry;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** A part of the time that something takes. */
public enum Phase {
  /**
   * All of it, as whoever waits sees it. Of a consumer: from the event's commit until it is done.
   */
  TOTAL,
  /**
   * Until it is somebody's turn: of a command behind others of its stream, of a query until it is
   * asked, of a consumer from the event's commit until it is handed over, of an append until its
   * batch is called.
   */
  QUEUE,
  /** The bundle's, with the way there and back. */
  HANDLER,
  /** The store's: the append of a command, a step of a saga or observer, the call of a batch. */
  COMMIT;

  private final String wire = name().toLowerCase(Locale.ROOT);

  /** Its name in lower case. */
  public String wire() {
    return wire;
  }

  /** The one of that name; empty if there is none. */
  public static Optional<Phase> of(String wire) {
    return Arrays.stream(values()).filter(phase -> phase.wire.equals(wire)).findFirst();
  }
}
