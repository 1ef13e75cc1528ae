package io.evento.server.persistence;

import java.sql.SQLException;

/**
 * The database answers, but is set up in a way in which this node must not work. The message is a
 * sentence for operators and callers: it names no host, role or statement.
 */
public final class UnfitDatabaseException extends SQLException {
  private static final long serialVersionUID = 1L;

  /** Feature not supported: nothing was done. */
  private static final String STATE = "0A000";

  UnfitDatabaseException(String sentence) {
    super(sentence, STATE);
  }
}
