package io.evento.server.consumer;

import io.evento.server.eventstore.Follower;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.Subscription;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The places that this node reads at, and who reads for them. Confined to the delivery thread. */
final class Cursors {
  private static final Logger LOG = System.getLogger(Cursors.class.getName());

  private final Follower follower;
  private final Turns turns;
  private final ExecutorService readers;
  private final ScheduledExecutorService timer;
  private final List<Cursor> open = new ArrayList<>();

  Cursors(Follower follower, Turns turns, ExecutorService readers, ScheduledExecutorService timer) {
    this.follower = follower;
    this.turns = turns;
    this.readers = readers;
    this.timer = timer;
  }

  /** Reads for a delivery from where it stands, with others if some stand there. */
  void join(Delivery delivery) {
    var place = delivery.looked();
    for (var cursor : open) {
      if (cursor.isAt(place)) {
        cursor.add(delivery);
        return;
      }
    }
    var cursor = new Cursor(this, place, now());
    open.add(cursor);
    cursor.add(delivery);
    cursor.ring();
  }

  /** A cursor waits for something new: from now on together with whoever waits there too. */
  void meet(Cursor arrived) {
    for (var other : List.copyOf(open)) {
      if (other != arrived && other.isWaitingAt(arrived.at())) {
        arrived.mergeInto(other);
        return;
      }
    }
  }

  void remove(Cursor cursor) {
    open.remove(cursor);
  }

  Turns.Turn turn(Runnable body) {
    return turns.turn(body);
  }

  Subscription subscribe(StorePosition from, Runnable wakeUp) {
    return follower.subscribe(from, wakeUp);
  }

  long now() {
    return System.nanoTime();
  }

  void ringLater(Turns.Turn turn, long nanos) {
    timer.schedule(turn::ring, nanos, TimeUnit.NANOSECONDS);
  }

  /**
   * Reads on a thread that may wait.
   *
   * @param then on the delivery thread
   * @param failed on the delivery thread, instead
   */
  <T> void read(Supplier<T> reading, Consumer<T> then, Runnable failed) {
    try {
      readers.execute(
          () -> {
            try {
              var found = reading.get();
              turns.post(() -> then.accept(found));
            } catch (RuntimeException failure) {
              LOG.log(Level.WARNING, () -> "events not read cause=" + failure.getMessage());
              turns.post(failed);
            }
          });
    } catch (RejectedExecutionException busy) {
      failed.run();
    }
  }
}
