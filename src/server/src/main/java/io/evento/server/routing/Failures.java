package io.evento.server.routing;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Printable;
import io.evento.server.cluster.PeerLostException;
import io.evento.server.persistence.UncheckedSqlException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;

/** Turns whatever went wrong into a failure with a code; our own faults are logged once, here. */
public final class Failures {
  private static final Logger LOG = System.getLogger(Failures.class.getName());

  /** What PostgreSQL says of bytes that its encoding has no text for: of U+0000. */
  private static final String NO_TEXT = "22021";

  private Failures() {}

  /** What is inside the wrappers that stages put around a failure. */
  public static Throwable cause(Throwable failure) {
    var inner = failure;
    while ((inner instanceof CompletionException || inner instanceof ExecutionException)
        && inner.getCause() != null) {
      inner = inner.getCause();
    }
    return inner;
  }

  /** Whether another host or node may be asked: this one did not answer. */
  public static boolean isLost(Throwable failure) {
    var inner = cause(failure);
    return inner instanceof SessionLostException || inner instanceof PeerLostException;
  }

  /**
   * The failure as a caller hears it.
   *
   * @param correlation of the request, for caller and log alike
   */
  public static EventoException told(Throwable failure, String correlation) {
    return coded(cause(failure), correlation).correlated(correlation);
  }

  /** The same where no request is known: with a correlation of its own. */
  public static EventoException told(Throwable failure) {
    return told(failure, UUID.randomUUID().toString());
  }

  private static EventoException coded(Throwable inner, String correlation) {
    if (inner instanceof EventoException told) {
      if (told.code() == ErrorCode.INTERNAL && told.correlation() == null) {
        // Why was logged where it failed, for many requests at once; this one is found by its line.
        LOG.log(
            Level.ERROR,
            () ->
                "request failed detail="
                    + Printable.log(told.detail())
                    + " correlation="
                    + Printable.log(correlation));
      }
      return told;
    }
    if (inner instanceof TimeoutException) {
      return new EventoException(
          ErrorCode.DEADLINE_EXCEEDED, "no answer in time; a repeat with the same id settles it");
    }
    if (inner instanceof RejectedExecutionException) {
      return new EventoException(ErrorCode.OVERLOADED, "too much waits for the database");
    }
    if (inner instanceof UncheckedSqlException sql && sql.state().equals(NO_TEXT)) {
      return EventoException.invalid("", "must not have U+0000, which no stored text can have");
    }
    if (inner instanceof UncheckedSqlException sql) {
      LOG.log(
          Level.WARNING,
          () ->
              "database failed state="
                  + sql.state()
                  + " cause="
                  + Printable.log(sql.getMessage())
                  + " correlation="
                  + Printable.log(correlation));
      return new EventoException(ErrorCode.UNAVAILABLE, "the database does not answer this node");
    }
    if (isLost(inner)) {
      return new EventoException(ErrorCode.UNAVAILABLE, "whoever should answer went away");
    }
    LOG.log(Level.ERROR, "internal failure correlation=" + Printable.log(correlation), inner);
    return new EventoException(
        ErrorCode.INTERNAL, "the server failed; its log tells more under the correlation");
  }
}
