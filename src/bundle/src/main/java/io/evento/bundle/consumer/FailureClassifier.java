package io.evento.bundle.consumer;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.ErrorCode.Retry;
import io.evento.protocol.EventoException;
import java.sql.SQLException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTransientException;
import org.jspecify.annotations.Nullable;

/** Tells a failure of a handler from one that passes by itself. */
final class FailureClassifier {
  private static final int CAUSES_MAX = 20;

  private FailureClassifier() {}

  /**
   * Whether the event is not to blame: the cluster is overloaded or has no handler now, or the
   * database is away, full, or chose this transaction as the victim of a deadlock. Such a failure
   * is waited out however long it takes; it never makes a dead letter.
   */
  static boolean isPassing(@Nullable Throwable failure) {
    return passing(failure) != null;
  }

  /** The code of a failure that passes by itself; null if it is none. */
  static @Nullable ErrorCode passing(@Nullable Throwable failure) {
    var cause = failure;
    for (var depth = 0; cause != null && depth < CAUSES_MAX; depth++) {
      if (cause instanceof EventoException told && told.code().retry() == Retry.LATER) {
        return told.code();
      }
      if (cause instanceof SQLException sql && isPassing(sql)) {
        return ErrorCode.UNAVAILABLE;
      }
      cause = cause.getCause();
    }
    return null;
  }

  private static boolean isPassing(SQLException failure) {
    if (failure instanceof SQLTransientException || failure instanceof SQLRecoverableException) {
      return true;
    }
    var state = failure.getSQLState();
    return state != null
        && (state.startsWith("08") // connection
            || state.startsWith("53") // resources
            || state.startsWith("57P") // the server stops or starts
            || state.equals("25006") // a standby now
            || state.equals("40001") // serialization
            || state.equals("40P01")); // deadlock
  }

  /**
   * Whether a commit that failed may succeed when it is tried again; also where nobody knows what
   * became of it, as the checkpoint tells then.
   */
  static boolean passesAtCommit(Exception failure) {
    return isPassing(failure)
        || (failure instanceof SQLException said && said.getSQLState() == null);
  }

  /** Whether the database refused rows, by a constraint or a trigger. */
  static boolean isOfRows(SQLException failure) {
    var state = failure.getSQLState();
    return state != null && (state.startsWith("23") || state.equals("P0001"));
  }
}
