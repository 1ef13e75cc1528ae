package io.evento.server.consumer.lease;

import io.evento.server.consumer.delivery.Deliveries;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerMetrics;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.LeaseTimings;
import io.evento.server.consumer.segment.PoisonCandidates;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.segment.SegmentTable;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The leases that this node has, with their deliveries, and what it writes under them: renewals,
 * checkpoints, notes and doubts. A write that does not find the row under our fence says that the
 * lease is lost, and its delivery ends at once.
 *
 * <p>Guarded by {@link LeaseKeeper}, which says why no two nodes trust a lease of one segment.
 *
 * <p>Keeps invariant I5.
 */
final class HeldLeases {
  private static final Logger LOG = System.getLogger(HeldLeases.class.getName());

  private final LeaseTimings leaseTimings;
  private final UUID incarnation;
  private final SegmentTable segments;
  private final Deliveries deliveries;
  private final ConsumerMetrics consumerMetrics;
  private final LongSupplier clock;
  private final Map<SegmentId, Delivery> held = new TreeMap<>();
  private final Map<Delivery, Long> drainingSince = new HashMap<>();

  HeldLeases(
      LeaseTimings leaseTimings,
      UUID incarnation,
      SegmentTable segments,
      Deliveries deliveries,
      ConsumerMetrics consumerMetrics,
      LongSupplier clock) {
    this.leaseTimings = leaseTimings;
    this.incarnation = incarnation;
    this.segments = segments;
    this.deliveries = deliveries;
    this.consumerMetrics = consumerMetrics;
    this.clock = clock;
  }

  boolean isEmpty() {
    return held.isEmpty();
  }

  /** All of them as they are now, in the order of their segments. */
  List<Delivery> all() {
    return List.copyOf(held.values());
  }

  List<Delivery> of(ConsumerId consumer) {
    return held.values().stream()
        .filter(delivery -> delivery.lease().segment().consumer().equals(consumer))
        .toList();
  }

  Set<SegmentId> segments() {
    return held.keySet();
  }

  @Nullable Delivery of(SegmentId segment) {
    return held.get(segment);
  }

  boolean has(Delivery delivery) {
    return held.get(delivery.lease().segment()) == delivery;
  }

  void add(Delivery delivery) {
    held.put(delivery.lease().segment(), delivery);
  }

  /** Ends a delivery; its lease is not ours to write under any more. */
  void end(Delivery delivery) {
    held.remove(delivery.lease().segment(), delivery);
    drainingSince.remove(delivery);
    deliveries.end(delivery);
  }

  private void lose(Delivery delivery) {
    consumerMetrics.losses(delivery.lease().segment().consumer()).increment();
    LOG.log(Level.WARNING, () -> "lease lost " + delivery.lease());
    end(delivery);
  }

  // ---- those that are to be given back

  /** Has a delivery send nothing new; once is enough. */
  void drain(Delivery delivery) {
    drainingSince.put(delivery, clock.getAsLong());
    deliveries.drain(delivery);
  }

  boolean isDraining(Delivery delivery) {
    return drainingSince.containsKey(delivery);
  }

  /** Whether a delivery that drains is done with it, or was given time enough. */
  boolean isDrained(Delivery delivery) {
    var since = drainingSince.get(delivery);
    return since != null
        && (delivery.isQuiet() || clock.getAsLong() - since >= leaseTimings.drain().toNanos());
  }

  // ---- what is written

  void renew() {
    if (held.isEmpty()) {
      return;
    }
    var before = clock.getAsLong();
    var ours = held.values().stream().map(Delivery::lease).toList();
    var kept = segments.renew(ours, incarnation, leaseTimings.lease());
    for (var delivery : all()) {
      if (kept.contains(delivery.lease().segment())) {
        var until = delivery.lease().trustedUntil();
        delivery.lease().renewed(before + leaseTimings.trust().toNanos());
        // Looked at last: a delivery that did not trust it any more looked before.
        if (clock.getAsLong() - until >= 0) {
          delivery.ring();
        }
      } else {
        lose(delivery);
      }
    }
  }

  /** Writes what was acknowledged since the last time. */
  void writeCheckpoints() {
    var steps = new HashMap<SegmentId, Lease.Step>();
    held.forEach((id, delivery) -> delivery.lease().unwritten().ifPresent(s -> steps.put(id, s)));
    if (steps.isEmpty()) {
      return;
    }
    var written = segments.write(steps.values(), incarnation);
    steps.forEach(
        (id, step) -> {
          var delivery = held.get(id);
          if (written.contains(id) && delivery != null) {
            delivery.lease().wrote(step);
          } else if (delivery != null) {
            lose(delivery);
          }
        });
  }

  void writeNotes() {
    var notes = new HashMap<Lease, String>();
    for (var delivery : held.values()) {
      delivery.lease().unwrittenNote().ifPresent(note -> notes.put(delivery.lease(), note));
    }
    if (!notes.isEmpty()) {
      segments.note(notes, incarnation);
      notes.forEach(Lease::wroteNote);
    }
  }

  void writeDoubts() {
    var doubts = new HashMap<Lease, PoisonCandidates>();
    for (var delivery : held.values()) {
      var lease = delivery.lease();
      lease.forgetOldDoubts(System.nanoTime());
      lease.unwrittenDoubts().ifPresent(now -> doubts.put(lease, now));
    }
    if (!doubts.isEmpty()) {
      segments.doubt(doubts, incarnation);
      doubts.forEach(Lease::wroteDoubts);
    }
  }

  /** Ends deliveries, then gives their leases back, so that anybody may claim them. */
  void release(Collection<Delivery> over) {
    over.forEach(this::end);
    segments.release(over.stream().map(Delivery::lease).toList(), incarnation);
    over.forEach(delivery -> LOG.log(Level.INFO, () -> "lease released " + delivery.lease()));
  }
}
