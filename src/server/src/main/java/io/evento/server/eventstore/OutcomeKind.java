package io.evento.server.eventstore;

/** What a command ended in, for good. The codes stand in the database. */
public enum OutcomeKind {
  /** It wrote events. */
  EVENTS(0),
  /** The handler refused by a business rule. */
  REJECTED(1),
  /** The handler accepted, and there was nothing to do. */
  NOTHING(2),
  /** A service answered. */
  ANSWER(3),
  /** A service was started and nobody can know how it ended. */
  UNKNOWN(4);

  private final int code;

  OutcomeKind(int code) {
    this.code = code;
  }

  public int code() {
    return code;
  }

  public static OutcomeKind of(int code) {
    return values()[code];
  }
}
