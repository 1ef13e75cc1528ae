package io.evento.bundle.consumer;

import io.evento.bundle.payload.PayloadType;
import io.evento.protocol.QueryMessage.Query;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The subscribed queries that nodes told us of, by type. Thread-safe. */
final class WatchedQueries {
  private static final Logger LOG = System.getLogger(WatchedQueries.class.getName());

  /** One query, and the links over which we were told of it; the payload is read when needed. */
  private static final class Watched {
    private final Query query;
    private final Set<Object> origins = new HashSet<>();
    private volatile @Nullable Object payload;

    Watched(Query query) {
      this.query = query;
    }

    Object payload(PayloadType type) {
      var read = payload;
      if (read == null) {
        read = type.read(query.payload(), query.payloadVersion());
        payload = read;
      }
      return read;
    }
  }

  private final Map<String, Map<UUID, Watched>> byType = new ConcurrentHashMap<>();

  /** From when this returns on, every commit is held against the query. */
  void add(Query query, Object origin) {
    byType
        .computeIfAbsent(query.type(), first -> new ConcurrentHashMap<>())
        .compute(
            query.id(),
            (id, known) -> {
              var watched = known == null ? new Watched(query) : known;
              watched.origins.add(origin);
              return watched;
            });
  }

  void remove(UUID id, Object origin) {
    for (var watched : byType.values()) {
      watched.computeIfPresent(id, (same, known) -> without(known, origin));
    }
  }

  void lost(Object origin) {
    for (var watched : byType.values()) {
      watched.keySet().forEach(id -> watched.computeIfPresent(id, (i, w) -> without(w, origin)));
    }
  }

  private static @Nullable Watched without(Watched watched, Object origin) {
    watched.origins.remove(origin);
    return watched.origins.isEmpty() ? null : watched;
  }

  boolean isEmpty(String type) {
    return byType.getOrDefault(type, Map.of()).isEmpty();
  }

  /** Ids of the queries of a type for which the predicate holds, or fails: those may be. */
  List<UUID> concerned(PayloadType type, Predicate<Object> predicate) {
    var found = new ArrayList<UUID>();
    byType
        .getOrDefault(type.name(), Map.of())
        .forEach(
            (id, watched) -> {
              if (holds(type, predicate, watched)) {
                found.add(id);
              }
            });
    return found;
  }

  private static boolean holds(PayloadType type, Predicate<Object> predicate, Watched watched) {
    try {
      return predicate.test(watched.payload(type));
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, () -> "subscribed query not compared type=" + type.name(), failure);
      return false;
    }
  }
}
