package io.evento.server.security;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;

/** Who failed too often waits; nothing was looked at, so no thread was held. */
public final class TooManyFailuresException extends EventoException {
  private static final long serialVersionUID = 1L;

  private final int seconds;

  TooManyFailuresException(int seconds) {
    super(
        ErrorCode.TOO_MANY_FAILURES, "too many failures from here: try again in " + seconds + " s");
    this.seconds = seconds;
  }

  /** When he may try again, 1 to 300 s from now. */
  public int seconds() {
    return seconds;
  }
}
