package io.evento.server.consumer.delivery;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Gives a session what its {@link Delivery} has for it, and takes in the answers: events one after
 * the other to a projector, steps one batch at a time to a saga or observer. Confined to the
 * delivery thread, but for what says otherwise.
 */
public interface Sender {
  /** Whether what the events lead to is stored with the checkpoint, in the server's database. */
  boolean storesEffects();

  /** An outcome or a deadline may wait for the segment. For every thread. */
  void ringInbox();

  /** Takes in what the session said. */
  void hear(SessionSignals.Gathered said);

  /**
   * Gives the session what it may have now.
   *
   * @param now by {@link System#nanoTime}
   * @return how many events were given
   */
  int pump(long now);

  /**
   * Moves the segment on, where what was looked at was not for it.
   *
   * @param now by {@link System#nanoTime}
   * @return nanoseconds until it should be tried again, 0 for never
   */
  long moveOn(long now);

  /**
   * The session has done everything up to a position.
   *
   * @return the command that wrote the event there; null if that is not known
   */
  @Nullable UUID landed(long position);

  /** Position of the first event that was taken and is not done; 0 if all are. */
  long firstInFlight();

  /** Whether the session, or the database, has something that is not done. */
  boolean isBusy();
}
