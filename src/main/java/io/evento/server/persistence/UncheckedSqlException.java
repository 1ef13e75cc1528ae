package io.evento.server.persistence;

import java.sql.SQLException;

/** The database refused or did not answer. Its text is for the log, never for a caller. */
public class UncheckedSqlException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String state;

  public UncheckedSqlException(String what, SQLException cause) {
    super(what + ": " + cause.getMessage(), cause);
    var given = cause.getSQLState();
    state = given == null ? "" : given;
  }

  /** SQLSTATE of the cause, empty if it had none. */
  public String state() {
    return state;
  }
}
