package io.evento.server.persistence;

import java.net.SocketTimeoutException;
import java.sql.SQLException;

/** The database refused or did not answer. Its text is for the log, never for a caller. */
public class UncheckedSqlException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private static final String CANCELLED = "57014";

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

  /** Whether the statement took longer than the database or its caller was to wait for it. */
  public boolean isTimeout() {
    for (Throwable cause = getCause(); cause != null; cause = cause.getCause()) {
      if (cause instanceof SocketTimeoutException) {
        return true;
      }
    }
    return state.equals(CANCELLED);
  }
}
