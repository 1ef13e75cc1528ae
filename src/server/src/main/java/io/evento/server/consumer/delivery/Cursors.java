package io.evento.server.consumer.delivery;

import io.evento.server.consumer.segment.ConsumerMetrics;
import io.evento.server.eventstore.follow.EventBatch;
import io.evento.server.eventstore.follow.Follower;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** The places that this node reads at, and who reads for them. Confined to the delivery thread. */
final class Cursors {
  private static final long RETRY_MILLIS = 100;

  private final Follower follower;
  private final EventLoop eventLoop;
  private final BlockingReads reads;
  private final ScheduledExecutorService timer;
  private final ConsumerMetrics consumerMetrics;
  private final List<Cursor> open = new ArrayList<>();

  Cursors(
      Follower follower,
      EventLoop eventLoop,
      BlockingReads reads,
      ScheduledExecutorService timer,
      ConsumerMetrics consumerMetrics) {
    this.consumerMetrics = consumerMetrics;
    this.follower = follower;
    this.eventLoop = eventLoop;
    this.reads = reads;
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
    var made = new AtomicReference<@Nullable Cursor>();
    var subscription = follower.subscribe(place, () -> ring(made.get()));
    if (subscription.isEmpty()) {
      // The tail has yet to see the epoch in which the place was found, or to read the store at
      // all; it says so while it cannot. Places of no epoch of this store are never joined at.
      timer.schedule(delivery::ring, RETRY_MILLIS, TimeUnit.MILLISECONDS);
      return;
    }
    var cursor = new Cursor(this, subscription.get(), place, now());
    made.set(cursor);
    open.add(cursor);
    cursor.add(delivery);
    cursor.ring();
  }

  private static void ring(@Nullable Cursor cursor) {
    if (cursor != null) {
      cursor.ring();
    }
  }

  /** A cursor came to a place: from now on it goes on together with whoever stands there. */
  void meet(Cursor arrived) {
    for (var other : List.copyOf(open)) {
      if (other != arrived && other.isAt(arrived.at())) {
        arrived.mergeInto(other);
        other.ring();
        return;
      }
    }
  }

  /** Whether another one reads history so shortly behind. */
  boolean isFollowed(Cursor cursor, long near) {
    return distances(cursor).anyMatch(distance -> distance < 0 && -distance <= near);
  }

  /** How many positions to read at most, so as to come to where the next one ahead stands. */
  long upToNext(Cursor cursor, long most) {
    return Math.min(most, distances(cursor).filter(distance -> distance > 0).min().orElse(most));
  }

  private LongStream distances(Cursor cursor) {
    return open.stream()
        .filter(other -> other != cursor)
        .map(cursor::distanceTo)
        .filter(OptionalLong::isPresent)
        .mapToLong(OptionalLong::getAsLong);
  }

  void remove(Cursor cursor) {
    open.remove(cursor);
  }

  EventLoop.Task task(Runnable body) {
    return eventLoop.task(body);
  }

  long now() {
    return System.nanoTime();
  }

  void ringLater(EventLoop.Task task, long nanos) {
    timer.schedule(task::ring, nanos, TimeUnit.NANOSECONDS);
  }

  /** Reads history; the arguments are those of {@link BlockingReads#read}. */
  void catchUp(Supplier<EventBatch> reading, Consumer<EventBatch> then, Runnable failed) {
    consumerMetrics.reads.increment();
    reads.read(reading, then, failed);
  }
}
