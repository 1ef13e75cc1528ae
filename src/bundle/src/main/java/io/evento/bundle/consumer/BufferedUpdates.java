package io.evento.bundle.consumer;

import io.evento.bundle.api.QueryUpdates;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.PayloadType;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage.Update;
import io.evento.protocol.Message;
import io.evento.protocol.RecordedEvent;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What handlers of one consumer emit: kept until it is known whether their event took effect, then
 * held against the queries that are watched.
 *
 * <p>No update is lost between a subscription and its first answer, because predicates are asked
 * after the commit: a commit that is compared before a watch came was there before the question,
 * which is asked after the watch was confirmed, and so is in the answer. Thread-safe; of a position
 * there is one handler at a time.
 */
final class BufferedUpdates {
  private static final Logger LOG = System.getLogger(BufferedUpdates.class.getName());

  /** An event that changes more is told as "ask again". */
  static final int PER_EVENT_MAX = 1_000;

  private static final int IDS_MAX = 500;

  private record Emission(
      PayloadType query, Predicate<Object> concerned, @Nullable Object update) {}

  /** What handlers emitted, by the position of their event. */
  static final class Emitted {
    private final TreeMap<Long, List<Emission>> byPosition = new TreeMap<>();

    boolean isEmpty() {
      return byPosition.isEmpty();
    }
  }

  private final PayloadMapper mapper;
  private final WatchedQueries watchedQueries;
  private final Map<Long, List<Emission>> byPosition = new ConcurrentHashMap<>();
  private final Map<Integer, Lease> leases = new ConcurrentHashMap<>();

  BufferedUpdates(PayloadMapper mapper, WatchedQueries watchedQueries) {
    this.mapper = mapper;
    this.watchedQueries = watchedQueries;
  }

  /** A segment is given to us: what its events change is told over the same link. */
  void enabled(Lease lease) {
    leases.merge(
        lease.enabled().segment(),
        lease,
        (known, given) -> given.fence() < known.fence() ? known : given);
  }

  /** For the handler of an event; what an attempt before emitted is forgotten. */
  QueryUpdates of(RecordedEvent event) {
    var emitted = new ArrayList<Emission>();
    byPosition.put(event.position(), emitted);
    return new QueryUpdates() {
      @Override
      public <Q extends Record> void emit(
          Class<Q> query, Predicate<? super Q> concerned, Object update) {
        add(
            emitted,
            new Emission(
                mapper.typeOf(query), payload -> concerned.test(query.cast(payload)), update));
      }
    };
  }

  private static void add(List<Emission> emitted, Emission emission) {
    synchronized (emitted) {
      if (emitted.size() < PER_EVENT_MAX) {
        emitted.add(emission);
      } else {
        emitted.set(PER_EVENT_MAX - 1, new Emission(emission.query, payload -> true, null));
      }
    }
  }

  /** What the handlers of these events emitted; it is taken out. */
  Emitted take(List<RecordedEvent> events) {
    var taken = new Emitted();
    for (var event : events) {
      var emitted = byPosition.remove(event.position());
      if (emitted != null) {
        taken.byPosition.put(event.position(), emitted);
      }
    }
    return taken;
  }

  /**
   * Tells who is concerned by what took effect.
   *
   * @param upTo what was emitted at higher positions did not take effect
   */
  void publish(Enable segment, UUID epoch, Emitted emitted, long upTo) {
    var lease = leases.get(segment.segment());
    if (lease == null || lease.fence() != segment.fence()) {
      return; // whoever has the segment now starts every subscription over
    }
    emitted.byPosition.forEach(
        (position, emissions) -> {
          if (position <= upTo) {
            publish(lease, epoch, position, emissions);
          }
        });
  }

  private void publish(Lease lease, UUID epoch, long position, List<Emission> emissions) {
    for (var ordinal = 0; ordinal < emissions.size(); ordinal++) {
      var emission = emissions.get(ordinal);
      if (!watchedQueries.isEmpty(emission.query.name())) {
        var ids = watchedQueries.concerned(emission.query, emission.concerned);
        if (!ids.isEmpty()) {
          send(lease, epoch, position, ordinal, ids, text(emission));
        }
      }
    }
  }

  /** Tells who is concerned to ask again, where in which order something changed cannot be said. */
  void publishOutOfOrder(Enable segment, UUID epoch, Emitted emitted) {
    var unknown = new Emitted();
    emitted.byPosition.forEach(
        (position, emissions) ->
            unknown.byPosition.put(
                position,
                emissions.stream()
                    .map(emission -> new Emission(emission.query, emission.concerned, null))
                    .toList()));
    publish(segment, epoch, unknown, Long.MAX_VALUE);
  }

  private @Nullable Json text(Emission emission) {
    try {
      return emission.update == null ? null : mapper.write(emission.update);
    } catch (IllegalArgumentException unfit) {
      LOG.log(
          Level.ERROR,
          () -> "update not told query=" + emission.query.name() + " " + unfit.getMessage());
      return null;
    }
  }

  private static void send(
      Lease lease, UUID epoch, long position, int ordinal, List<UUID> ids, @Nullable Json update) {
    Consumer<Message> answer = lease.answer();
    var segment = lease.enabled();
    for (var from = 0; from < ids.size(); from += IDS_MAX) {
      answer.accept(
          new Update(
              ids.subList(from, Math.min(ids.size(), from + IDS_MAX)),
              segment.consumer(),
              segment.segment(),
              segment.fence(),
              epoch,
              position,
              ordinal,
              update));
    }
  }
}
