package io.evento.server.eventstore.follow;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;

/**
 * Who waits for the head to move: subscriptions that were given everything, and callers that need a
 * position. Not thread-safe; {@link Follower} guards it and runs the wake-ups outside its lock.
 */
final class HeadWaits {
  private static final Logger LOG = System.getLogger(HeadWaits.class.getName());

  private final PriorityQueue<HeadWait> waits =
      new PriorityQueue<>(Comparator.comparingLong(HeadWait::position));
  private List<Subscription> idle = new ArrayList<>();

  /**
   * @param seen completed with true when the head is at the position, with false when the caller's
   *     time is over
   */
  record HeadWait(long position, CompletableFuture<Boolean> seen) {}

  void add(HeadWait wait) {
    waits.add(wait);
  }

  void remove(HeadWait wait) {
    waits.remove(wait);
  }

  /** Wakes the subscription at the next move. */
  void add(Subscription subscription) {
    if (subscription.enterIdle()) {
      idle.add(subscription);
    }
  }

  void remove(Subscription subscription) {
    if (subscription.leaveIdle()) {
      idle.remove(subscription);
    }
  }

  /** After a move of the head or a new epoch: whom to wake, with {@link #run}, outside the lock. */
  List<Runnable> end(long head) {
    var wakeUps = new ArrayList<Runnable>();
    var sleeping = idle;
    idle = new ArrayList<>();
    for (var subscription : sleeping) {
      if (subscription.leaveIdle()) {
        wakeUps.add(subscription.wakeUp());
      }
    }
    while (!waits.isEmpty() && waits.element().position <= head) {
      var reached = waits.remove();
      wakeUps.add(() -> reached.seen.complete(true));
    }
    return wakeUps;
  }

  static void run(List<Runnable> wakeUps) {
    for (var wakeUp : wakeUps) {
      try {
        wakeUp.run();
      } catch (RuntimeException failure) {
        LOG.log(Level.ERROR, "a wake-up failed, its subscription may sleep on", failure);
      }
    }
  }
}
