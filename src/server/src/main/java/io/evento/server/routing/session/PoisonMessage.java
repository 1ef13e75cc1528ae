package io.evento.server.routing.session;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.routing.SessionEndedException;

/**
 * Whether a message is what ends the sessions that take it. Counts sessions, as a message is with
 * one at a time: if it ends its bundle's process, with all the sessions of that, this counts once.
 * Thread-safe.
 *
 * <p>When a session ends, whatever it had not answered may be to blame, and most of it is not: a
 * bundle was killed, or something beside it did it. So a message is given to a second session as
 * usual, and from then on it is <em>tried alone</em>: its session has nothing else meanwhile
 * ({@link SessionInFlight}). Only what ends its third session alone is refused. Who is innocent
 * would have to be under way at two such ends, and be alone with a third session in the very moment
 * that this one is killed. Sessions that were told to end, or said that they would, and nodes that
 * went away with theirs, say nothing about a message and are not counted.
 *
 * <p>A trial has to end some time (a session has other work), so something that ends its session
 * late may never do it alone. What was with {@value #IN_COMPANY} sessions when they ended is
 * refused in any case: so no message walks on for ever.
 */
public final class PoisonMessage {
  /** So many sessions are lost to one message … */
  public static final int SESSIONS = 3;

  /** … or so many, if the last one never was alone with it. */
  public static final int IN_COMPANY = 10;

  private static final String SENTENCE = "the session ended of whoever took it, ";

  private int sessions;
  private boolean convicted;

  /** Whether so many sessions are enough, the last of which was alone with the message or not. */
  public static boolean isEnough(int sessions, boolean alone) {
    return sessions >= IN_COMPANY || (alone && sessions >= SESSIONS);
  }

  /** Whether the next session must have nothing else. */
  public static boolean callsForTrial(int sessions) {
    return sessions >= SESSIONS - 1;
  }

  /** A session ended with it. */
  synchronized void ended(SessionEndedException how) {
    sessions++;
    convicted = convicted || isEnough(sessions, how.wasAlone());
  }

  synchronized boolean callsForTrial() {
    return callsForTrial(sessions);
  }

  synchronized boolean isConvicted() {
    return convicted;
  }

  /** As it is told: nothing of the message was stored. */
  synchronized EventoException refusal() {
    return new EventoException(
        ErrorCode.HANDLER_FAILED, cause(sessions) + "; it is not given to any other");
  }

  /** Why something was given up, as one sentence. */
  public static String cause(int sessions) {
    return SENTENCE + "ended " + sessions + " sessions";
  }

  /** Whether a failure is such a refusal, which a repeat does not change. */
  public static boolean isRefusal(EventoException told) {
    var detail = told.detail();
    return told.code() == ErrorCode.HANDLER_FAILED && detail != null && detail.startsWith(SENTENCE);
  }
}
