package io.evento.bundle.consumer;

import io.evento.bundle.dispatch.ProjectorType;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.thread.BoundedExecutor;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.ConsumerMessage.Events;
import io.evento.protocol.ConsumerMessage.Parked;
import io.evento.protocol.ConsumerMessage.Retry;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage.Query;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The segments of all projectors of a bundle. Thread-safe; never waits. */
public final class Consumers implements AutoCloseable {
  private static final int AT_WORK_MAX = 64;
  private static final int SEGMENTS_MAX = 128;

  private final Map<String, EventHandling> effects = new HashMap<>();
  private final Map<String, BufferedUpdates> bufferedUpdates = new HashMap<>();
  private final WatchedQueries watchedQueries = new WatchedQueries();
  private final Map<String, Segment> segments = new ConcurrentHashMap<>();
  private final ScheduledExecutorService clock;
  private final BoundedExecutor boundedExecutor;

  /**
   * @param projectors by consumer, such as {@code accounts:1}
   * @param database where transactional projectors work, or null
   */
  public Consumers(
      Map<String, ProjectorType> projectors,
      PayloadMapper mapper,
      @Nullable DataSource database,
      ScheduledExecutorService clock) {
    this.clock = clock;
    this.boundedExecutor =
        new BoundedExecutor(
            "evento-consumer", AT_WORK_MAX, 2 * SEGMENTS_MAX * (projectors.size() + 1));
    projectors.forEach(
        (consumer, projector) -> {
          var emitted = new BufferedUpdates(mapper, watchedQueries);
          bufferedUpdates.put(consumer, emitted);
          var caller = new EventCaller(projector, mapper, emitted);
          effects.put(
              consumer,
              new EventHandlingWithUpdates(
                  projector.transactional() && database != null
                      ? new TransactionalEventHandling(caller, database)
                      : new UntransactedEventHandling(caller),
                  emitted));
        });
  }

  /**
   * A segment is given to us.
   *
   * @param answer takes what is said about it
   * @param origin identifies the link, for {@link #lost}
   */
  public void enable(Enable given, Consumer<Message> answer, Object origin) {
    var how = effects.get(given.consumer());
    if (how == null || given.segment() < 0 || given.segment() >= SEGMENTS_MAX) {
      answer.accept(new Disable(given.consumer(), given.segment(), given.fence()));
      return;
    }
    var lease = new Lease(given, answer, origin);
    Objects.requireNonNull(bufferedUpdates.get(given.consumer())).enabled(lease);
    segments
        .computeIfAbsent(
            key(given.consumer(), given.segment()),
            absent -> new Segment(how, boundedExecutor, clock))
        .enable(lease);
  }

  /** Somebody subscribes to a query: from when this returns on, every commit is held against it. */
  public void watch(Query query, Object origin) {
    watchedQueries.add(query, origin);
  }

  /** Nobody subscribes to it any more, as far as this link is concerned. */
  public void unwatch(UUID query, Object origin) {
    watchedQueries.remove(query, origin);
  }

  /** A segment is taken from us. */
  public void disable(Disable taken) {
    var segment = segments.get(key(taken.consumer(), taken.segment()));
    if (segment != null) {
      segment.disable(taken.fence());
    }
  }

  /** Events came. */
  public void events(Events events) {
    var segment = segments.get(key(events.consumer(), events.segment()));
    if (segment != null) {
      segment.events(events);
    }
  }

  /** Events are dead letters now. */
  public void parked(Parked parked) {
    var segment = segments.get(key(parked.consumer(), parked.segment()));
    if (segment != null) {
      segment.parked(parked);
    }
  }

  /** A dead letter is to be tried again. */
  public void retry(Retry letter) {
    var segment = segments.get(key(letter.consumer(), letter.segment()));
    if (segment != null) {
      segment.retry(letter);
    }
  }

  /** A link is gone, and what was given over it. */
  public void lost(Object origin) {
    watchedQueries.lost(origin);
    segments.values().forEach(segment -> segment.lost(origin));
  }

  /** Gives up every segment as soon as its handler has ended; see {@link #isIdle()}. */
  public void stop() {
    segments.values().forEach(Segment::stop);
  }

  public boolean isIdle() {
    return segments.values().stream().allMatch(Segment::isIdle);
  }

  private static String key(String consumer, int segment) {
    return consumer + "/" + segment;
  }

  @Override
  public void close() {
    boundedExecutor.close();
  }
}
