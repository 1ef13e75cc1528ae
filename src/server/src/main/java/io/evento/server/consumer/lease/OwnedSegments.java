package io.evento.server.consumer.lease;

import io.evento.server.NodeScoped;
import io.evento.server.consumer.delivery.Deliveries;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.routing.session.BundleSession;
import jakarta.inject.Inject;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/** Which segments this node delivers now, for who has to know when that changes. */
@NodeScoped
public class OwnedSegments {
  /**
   * A segment as it is delivered.
   *
   * @param fence another one whenever owner or session is another
   */
  public record Held(int segment, int firstSlot, int lastSlot, long fence) {}

  private final Deliveries deliveries;

  @Inject
  public OwnedSegments(Deliveries deliveries) {
    this.deliveries = deliveries;
  }

  /**
   * @param consumer such as {@code accounts:1}
   * @return in the order of segments
   */
  public List<Held> of(String consumer) {
    return held(consumer, delivery -> true);
  }

  /**
   * Only what is delivered to some sessions, and was claimed by them: until then a transaction of
   * the session before may still commit, which tells nobody here.
   */
  public List<Held> claimed(String consumer, Predicate<BundleSession> session) {
    return held(consumer, delivery -> delivery.isRunning() && session.test(delivery.session()));
  }

  private List<Held> held(String consumer, Predicate<Delivery> which) {
    return deliveries.of(consumer, 0, Slots.COUNT - 1).stream()
        .filter(which)
        .map(
            delivery ->
                new Held(
                    delivery.lease().segment().number(),
                    delivery.lease().claimed().firstSlot(),
                    delivery.lease().claimed().lastSlot(),
                    delivery.lease().fence()))
        .sorted(Comparator.comparingInt(Held::segment))
        .toList();
  }

  /** Whether what a session says of a segment is about its present delivery. */
  public boolean isPresent(BundleSession session, String consumer, int segment, long fence) {
    return deliveries.find(session, consumer, segment, fence).isPresent();
  }
}
