package io.evento.server.consumer.segment;

import java.util.Comparator;

/** A segment of a consumer. */
public record SegmentId(ConsumerId consumer, int number) implements Comparable<SegmentId> {
  private static final Comparator<SegmentId> ORDER =
      Comparator.comparing(SegmentId::consumer).thenComparing(SegmentId::number);

  @Override
  public int compareTo(SegmentId other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return consumer.wire() + '/' + number;
  }
}
