package io.evento.server.telemetry;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What is measured. Its names stand in table {@code telemetry_minute} and in answers. */
public enum Kind {
  /** Commands, from their arrival to their answer. */
  COMMAND,
  /** Queries, from their arrival to their answer. */
  QUERY,
  /** Events that a projector, saga or observer handled. */
  CONSUMER,
  /** Events that were appended. */
  APPEND;

  private final String wire = name().toLowerCase(Locale.ROOT);

  /** Its name in lower case. */
  public String wire() {
    return wire;
  }

  /** The one of that name; empty if there is none. */
  public static Optional<Kind> of(String wire) {
    return Arrays.stream(values()).filter(kind -> kind.wire.equals(wire)).findFirst();
  }
}
