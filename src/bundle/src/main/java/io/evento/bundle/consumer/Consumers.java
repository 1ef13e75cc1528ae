package io.evento.bundle.consumer;

import io.evento.bundle.dispatch.ProjectorType;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.thread.BoundedExecutor;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.ConsumerMessage.Events;
import io.evento.protocol.ConsumerMessage.Parked;
import io.evento.protocol.ConsumerMessage.Retry;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage.Query;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The segments of all projectors of a bundle. Thread-safe; never waits. */
public final class Consumers implements AutoCloseable {
  private static final int AT_WORK_MAX = 64;

  private final Map<String, BufferedUpdates> bufferedUpdates = new HashMap<>();
  private final WatchedQueries watchedQueries = new WatchedQueries();
  private final Segments<Segment> segments;
  private final BoundedExecutor boundedExecutor;

  /**
   * @param projectors by consumer, such as {@code accounts:1}
   * @param database where transactional projectors work, or null
   * @param threads that handlers run on
   */
  public Consumers(
      Map<String, ProjectorType> projectors,
      PayloadMapper mapper,
      @Nullable Database database,
      ScheduledExecutorService clock,
      Threads threads) {
    boundedExecutor =
        new BoundedExecutor(
            "evento-consumer", AT_WORK_MAX, 2 * Segments.MAX * (projectors.size() + 1), threads);
    var hosted = new HashMap<String, Supplier<Segment>>();
    projectors.forEach(
        (consumer, projector) -> {
          var emitted = new BufferedUpdates(mapper, watchedQueries);
          bufferedUpdates.put(consumer, emitted);
          var caller = new EventCaller(projector, mapper, emitted);
          var handling =
              new EventHandlingWithUpdates(
                  projector.transactional() && database != null
                      ? new TransactionalEventHandling(caller, database)
                      : new UntransactedEventHandling(caller),
                  emitted);
          hosted.put(consumer, () -> new Segment(handling, boundedExecutor, clock));
        });
    segments = new Segments<>(hosted);
  }

  /**
   * A segment is given to us.
   *
   * @param answer takes what is said about it
   * @param origin identifies the link, for {@link #lost}
   */
  public void enable(Enable given, Consumer<Message> answer, Object origin) {
    var lease = new Lease(given, answer, origin);
    var emitted = bufferedUpdates.get(given.consumer());
    if (emitted != null && segments.hosts(given)) {
      emitted.enabled(lease);
    }
    segments.enable(lease);
  }

  /** Somebody subscribes to a query: from when this returns on, every commit is held against it. */
  public void watch(Query query, Object origin) {
    watchedQueries.add(query, origin);
  }

  /** Nobody subscribes to it any more, as far as this link is concerned. */
  public void unwatch(UUID query, Object origin) {
    watchedQueries.remove(query, origin);
  }

  /**
   * A segment is taken from us.
   *
   * @param origin identifies the link, as of {@link #enable}
   */
  public void disable(Disable taken, Object origin) {
    segments.disable(taken, origin);
  }

  /** Events came. */
  public void events(Events events) {
    segments.of(events.consumer(), events.segment()).ifPresent(segment -> segment.events(events));
  }

  /** Events are dead letters now. */
  public void parked(Parked parked) {
    segments.of(parked.consumer(), parked.segment()).ifPresent(segment -> segment.parked(parked));
  }

  /** A dead letter is to be tried again. */
  public void retry(Retry letter) {
    segments.of(letter.consumer(), letter.segment()).ifPresent(segment -> segment.retry(letter));
  }

  /** A link is gone, and what was given over it. */
  public void lost(Object origin) {
    watchedQueries.lost(origin);
    segments.lost(origin);
  }

  /** Gives up every segment as soon as its handler has ended; see {@link #isIdle()}. */
  public void stop() {
    segments.stop();
  }

  public boolean isIdle() {
    return segments.isIdle();
  }

  @Override
  public void close() {
    boundedExecutor.close();
  }
}
