package io.evento.server.consumer.lease;

import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.SegmentId;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Which instances have something of a segment and said nothing for long: each time in a row the
 * next one is given twice as long, and the silent one is shunned for a while.
 */
final class SilentSegments {
  /** An instance is given up to so many doublings of the time that it may be silent for. */
  private static final int MISSES_MAX = 5;

  /**
   * So long an instance that was silent about a segment is given none where another can have it.
   */
  private static final long SHUN_NANOS = TimeUnit.MINUTES.toNanos(10);

  /**
   * How often in a row instances were silent about a segment.
   *
   * @param acked where it stood all the time
   * @param misses 0 once it has got on
   * @param instance the last that was silent
   * @param since when it was found so
   */
  private record Silence(long acked, int misses, String instance, long since) {}

  private final Duration first;
  private final LongSupplier clock;
  private final Map<SegmentId, Silence> silences = new HashMap<>();

  /**
   * @param first how long the first instance may be silent for
   */
  SilentSegments(Duration first, LongSupplier clock) {
    this.first = first;
    this.clock = clock;
  }

  /** Forgets what is over: the segment has got on, and its instance is shunned no more. */
  void forgetOld() {
    silences.values().removeIf(silence -> silence.misses == 0 && !isShunned(silence));
  }

  /**
   * How long an instance may say nothing of a segment.
   *
   * @param acked where it stands; if it got on since the last time, that counts no more
   */
  Duration patience(SegmentId segment, long acked) {
    return first.multipliedBy(1L << misses(segment, acked));
  }

  private int misses(SegmentId segment, long acked) {
    var before = silences.get(segment);
    if (before == null) {
      return 0;
    }
    if (before.acked != acked) {
      silences.put(segment, new Silence(acked, 0, before.instance, before.since));
      return 0;
    }
    return before.misses;
  }

  /** An instance was silent for longer than that. */
  void missed(SegmentId segment, long acked, String instance) {
    var misses = Math.min(MISSES_MAX, misses(segment, acked) + 1);
    silences.put(segment, new Silence(acked, misses, instance, clock.getAsLong()));
  }

  /** The instances that are to be given nothing of a consumer where another can have it. */
  Set<String> shunned(ConsumerId consumer) {
    return silences.entrySet().stream()
        .filter(silence -> silence.getKey().consumer().equals(consumer))
        .filter(silence -> isShunned(silence.getValue()))
        .map(silence -> silence.getValue().instance)
        .collect(Collectors.toSet());
  }

  private boolean isShunned(Silence silence) {
    return clock.getAsLong() - silence.since <= SHUN_NANOS;
  }
}
