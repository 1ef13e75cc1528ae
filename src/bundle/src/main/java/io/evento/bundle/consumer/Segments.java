package io.evento.bundle.consumer;

import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The segments that were given to a bundle, of one kind of consumers. Thread-safe; never waits. */
final class Segments<S extends LeasedSegment> {
  /** No consumer has more. */
  static final int MAX = 128;

  private final Map<String, Supplier<S>> hosted;
  private final Map<String, S> taken = new ConcurrentHashMap<>();

  /**
   * @param hosted makes a segment that was never given to us before, by consumer, such as {@code
   *     accounts:1}
   */
  Segments(Map<String, Supplier<S>> hosted) {
    this.hosted = Map.copyOf(hosted);
  }

  boolean hosts(String consumer) {
    return hosted.containsKey(consumer);
  }

  /** Whether the segment is one of a consumer that is here. */
  boolean hosts(Enable given) {
    return hosts(given.consumer()) && given.segment() >= 0 && given.segment() < MAX;
  }

  /** Takes a segment, or gives it back at once if it is none of ours. */
  void enable(Lease lease) {
    var given = lease.enabled();
    var absent = hosted.get(given.consumer());
    if (absent == null || !hosts(given)) {
      lease.giveBack();
      return;
    }
    taken
        .computeIfAbsent(key(given.consumer(), given.segment()), unknown -> absent.get())
        .enable(lease);
  }

  void disable(Disable told, Object origin) {
    of(told.consumer(), told.segment()).ifPresent(segment -> segment.disable(told.fence(), origin));
  }

  /** Empty if the segment was never given to us. */
  Optional<S> of(String consumer, int segment) {
    return Optional.ofNullable(taken.get(key(consumer, segment)));
  }

  /** A link is gone, and what was given over it. */
  void lost(Object origin) {
    taken.values().forEach(segment -> segment.lost(origin));
  }

  void stop() {
    taken.values().forEach(LeasedSegment::stop);
  }

  boolean isIdle() {
    return taken.values().stream().allMatch(LeasedSegment::isIdle);
  }

  private static String key(String consumer, int segment) {
    return consumer + "/" + segment;
  }
}
