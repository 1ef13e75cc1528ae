package io.evento.server.eventstore.append;

import java.sql.SQLException;

/** The append's connection could not be had; what was to be called was not. */
final class NotConnectedException extends Exception {
  private static final long serialVersionUID = 1L;
  private final SQLException reason;

  NotConnectedException(SQLException reason) {
    super(reason);
    this.reason = reason;
  }

  SQLException reason() {
    return reason;
  }
}
