package io.evento.server.consumer.lease;

import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.consumer.delivery.Deliveries;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.delivery.Failing;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerMetrics;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Hosts;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.LeaseRow;
import io.evento.server.consumer.segment.LeaseTimings;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.segment.SegmentTable;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.persistence.UncheckedSqlException;
import io.evento.server.routing.session.BundleSession;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Takes, renews, shares and gives back this node's leases, in passes that are each a few set-based
 * statements.
 *
 * <p>Why no two nodes trust a lease of one segment at once: an owner trusts its lease for less than
 * a lease's length from before it sent the last renewal that succeeded. Another claims only a row
 * that it saw unchanged for a whole length by its own clock (or that its owner released, after it
 * had stopped). A renewal changes the row, so the last one that succeeded was there when the
 * claimer first saw the row that it claims; by then the owner had begun to count. And an owner that
 * is late nevertheless, or whose claim was overlooked, writes under an old fence, and the database
 * refuses it.
 *
 * <p>Keeps invariant I5.
 */
@NodeScoped
public class LeaseKeeper {
  private static final Logger LOG = System.getLogger(LeaseKeeper.class.getName());

  /** By how much a fence grows that a bundle has found too low. */
  private static final long FENCE_LEAP = 1_000;

  /** Tells the other nodes that something can be claimed. */
  static final String FREED = "freed";

  private final LeaseTimings leaseTimings;
  private final String self;
  private final UUID incarnation;
  private final Supplier<Map<ConsumerId, Hosts.Of>> hosts;
  private final Predicate<BundleSession> isConnected;
  private final SegmentTable segments;
  private final Deliveries deliveries;
  private final ConsumerMetrics consumerMetrics;
  private final Runnable announce;
  private final LongSupplier clock;

  private final Declarations declarations;
  private final ObservedLeases observedLeases = new ObservedLeases();
  private final HeldLeases held;
  private final SilentSegments silences;
  private Map<ConsumerId, List<Set<String>>> lastSeen = Map.of();
  private long seenSince;
  private volatile boolean isLeaving;

  private volatile long lastPass;

  @Inject
  LeaseKeeper(
      Membership membership,
      Links links,
      Hosts hosts,
      ConsumerTable consumers,
      SegmentTable segments,
      OrderReader reader,
      Follower follower,
      Deliveries deliveries,
      ConsumerMetrics consumerMetrics) {
    this(
        LeaseTimings.STANDARD,
        membership.self(),
        links.incarnation(),
        hosts::now,
        hosts::isConnected,
        consumers,
        segments,
        reader,
        deliveries,
        consumerMetrics,
        () -> links.broadcast(FREED, ""),
        System::nanoTime);
    follower.onNewEpoch(epoch -> declarations.anew());
  }

  public LeaseKeeper(
      LeaseTimings leaseTimings,
      String self,
      UUID incarnation,
      Supplier<Map<ConsumerId, Hosts.Of>> hosts,
      Predicate<BundleSession> isConnected,
      ConsumerTable consumers,
      SegmentTable segments,
      OrderReader reader,
      Deliveries deliveries,
      ConsumerMetrics consumerMetrics,
      Runnable announce,
      LongSupplier clock) {
    this.leaseTimings = leaseTimings;
    this.self = self;
    this.incarnation = incarnation;
    this.hosts = hosts;
    this.isConnected = isConnected;
    this.segments = segments;
    this.deliveries = deliveries;
    this.consumerMetrics = consumerMetrics;
    this.announce = announce;
    this.clock = clock;
    this.declarations = new Declarations(consumers, reader);
    this.held =
        new HeldLeases(leaseTimings, incarnation, segments, deliveries, consumerMetrics, clock);
    this.silences = new SilentSegments(leaseTimings.silence(), clock);
    this.lastPass = clock.getAsLong();
  }

  /** When the last pass succeeded, by {@link System#nanoTime}. */
  long lastPass() {
    return lastPass;
  }

  /**
   * One pass.
   *
   * @throws UncheckedSqlException if the database does not answer; the next pass goes on from what
   *     is so then
   */
  synchronized void pass() {
    var hosted = hosts.get();
    // What is ours comes first: nothing that fails below may cost a lease.
    held.renew();
    held.writeCheckpoints();
    held.writeNotes();
    held.writeDoubts();
    declarations.declare(hosted);
    var rows = rowsOf(hosted);
    // Of a paused one there are none either: then it is declared for nothing.
    hosted.keySet().stream()
        .filter(consumer -> rows.getOrDefault(consumer, List.of()).isEmpty())
        .forEach(declarations::forget);
    decide(hosted, rows);
    if (!isLeaving) {
      claim(hosted, rows);
    }
    lastPass = clock.getAsLong();
  }

  /** Writes what was acknowledged since the last time. */
  synchronized void writeCheckpoints() {
    held.writeCheckpoints();
  }

  /** Takes nothing any more and gives back what it has, with the passes that follow. */
  void leave() {
    isLeaving = true;
  }

  /** Tells the other nodes to look at the rows now. */
  void announce() {
    announce.run();
  }

  /** Gives back everything now, whatever is in flight. */
  synchronized void releaseAll() {
    held.writeCheckpoints();
    release(held.all());
  }

  public synchronized boolean holdsNothing() {
    return held.isEmpty();
  }

  private Map<ConsumerId, List<LeaseRow>> rowsOf(Map<ConsumerId, Hosts.Of> hosted) {
    var found = new TreeMap<ConsumerId, List<LeaseRow>>();
    hosted.keySet().forEach(consumer -> found.put(consumer, new ArrayList<>()));
    held.segments().forEach(id -> found.computeIfAbsent(id.consumer(), c -> new ArrayList<>()));
    var rows = found.isEmpty() ? List.<LeaseRow>of() : segments.of(found.keySet());
    observedLeases.see(rows, clock.getAsLong());
    rows.forEach(row -> found.getOrDefault(row.segment().consumer(), List.of()).add(row));
    return found;
  }

  private void decide(Map<ConsumerId, Hosts.Of> hosted, Map<ConsumerId, List<LeaseRow>> rows) {
    silences.forgetOld();
    var isSettled = isSettled(hosted);
    var released = new ArrayList<Delivery>();
    var restarted = new ArrayList<Delivery>();
    for (var consumer : rows.keySet()) {
      var placement = placement(consumer, hosted, rows);
      var unwanted = new HashSet<>(unwanted(placement, isSettled));
      var toMove =
          unwanted.isEmpty() && isSettled ? toMove(placement) : Optional.<SegmentId>empty();
      placement.held().forEach(delivery -> judgeSilence(delivery, placement));
      for (var delivery : placement.held()) {
        var id = delivery.lease().segment();
        if (mustEnd(delivery, unwanted.contains(id) || toMove.equals(Optional.of(id)))) {
          (unwanted.contains(id) ? released : restarted).add(delivery);
        }
      }
    }
    if (!released.isEmpty() || !restarted.isEmpty()) {
      Stream.concat(released.stream(), restarted.stream())
          .filter(delivery -> delivery.session().endedUnasked())
          .forEach(Delivery::doubtWhatWasHanded);
      held.writeCheckpoints();
      held.writeDoubts();
      release(released.stream().filter(held::has).toList());
      restart(hosted, rows, restarted.stream().filter(held::has).toList());
    }
  }

  /**
   * Takes a segment from an instance that has something of it and has said nothing for long, if
   * another one here may have it; else only says so. What the first one does all the same is
   * refused by the fence. Each time in a row it is given twice as long, so that a handler that is
   * merely slow comes to its end somewhere.
   */
  private void judgeSilence(Delivery delivery, Placement placement) {
    var id = delivery.lease().segment();
    var silent = delivery.silentNanos(System.nanoTime());
    var acked = delivery.acked();
    var patience = silences.patience(id, acked);
    if (silent >= patience.toNanos() && !delivery.isGivenUp()) {
      var instance = delivery.session().instance().toString();
      var why =
          new Failing(
              acked + 1,
              "instance "
                  + instance
                  + " has said nothing of it for "
                  + patience.toSeconds()
                  + " s and more");
      if (placement.isHostedTwice()) {
        consumerMetrics.silent.increment();
        LOG.log(
            Level.WARNING, () -> "segment taken away " + delivery.lease() + " cause=" + why.why());
        silences.missed(id, acked, instance);
        delivery.distrust(why);
      } else {
        deliveries.note(delivery, why);
      }
    }
  }

  private List<SegmentId> unwanted(Placement placement, boolean isSettled) {
    if (isLeaving) {
      return placement.held().stream().map(delivery -> delivery.lease().segment()).toList();
    }
    var homeless = placement.homeless();
    return !homeless.isEmpty() || !(isSettled || isDraining(placement))
        ? homeless
        : placement.surplus();
  }

  private Optional<SegmentId> toMove(Placement placement) {
    return isDraining(placement) ? Optional.empty() : placement.toMove();
  }

  private boolean isDraining(Placement placement) {
    return placement.held().stream().anyMatch(held::isDraining);
  }

  private Placement placement(
      ConsumerId consumer, Map<ConsumerId, Hosts.Of> hosted, Map<ConsumerId, List<LeaseRow>> rows) {
    return new Placement(
        consumer,
        self,
        Optional.ofNullable(hosted.get(consumer)),
        rows.getOrDefault(consumer, List.of()),
        held.of(consumer),
        silences.shunned(consumer));
  }

  /** Whether who hosts what has been the same for a while. */
  private boolean isSettled(Map<ConsumerId, Hosts.Of> hosted) {
    var seen = new HashMap<ConsumerId, List<Set<String>>>();
    hosted.forEach((consumer, of) -> seen.put(consumer, List.of(of.nodes(), of.instances())));
    var now = clock.getAsLong();
    if (!seen.equals(lastSeen)) {
      lastSeen = seen;
      seenSince = now;
    }
    return now - seenSince >= leaseTimings.settle().toNanos();
  }

  /** Whether a delivery has to end now; begins to drain it where that comes first. */
  private boolean mustEnd(Delivery delivery, boolean isUnwanted) {
    if (delivery.hasLostItsPlace()
        || delivery.isGivenUp()
        || !isConnected.test(delivery.session())) {
      return true;
    }
    if (!held.isDraining(delivery)) {
      if (isUnwanted || !delivery.session().isOpen()) {
        held.drain(delivery);
      }
      return false;
    }
    return held.isDrained(delivery);
  }

  private void release(List<Delivery> over) {
    if (over.isEmpty()) {
      return;
    }
    held.release(over);
    announce.run();
  }

  /** Gives segments to other sessions, or to the same ones anew, under new fences. */
  private void restart(
      Map<ConsumerId, Hosts.Of> hosted, Map<ConsumerId, List<LeaseRow>> rows, List<Delivery> over) {
    if (over.isEmpty()) {
      return;
    }
    over.forEach(held::end);
    var avoid = new HashMap<SegmentId, String>();
    for (var delivery : over) {
      if (delivery.isGivenUp()) {
        avoid.put(delivery.lease().segment(), delivery.session().instance().toString());
      }
    }
    var distrusted = new HashMap<SegmentId, Failing>();
    for (var delivery : over) {
      var why = delivery.distrust();
      if (why != null) {
        distrusted.put(delivery.lease().segment(), why);
      }
    }
    var before = clock.getAsLong();
    var anew = new ArrayList<Lease.Claimed>();
    anew.addAll(reclaim(over.stream().filter(delivery -> !delivery.isRefused()).toList(), 1));
    // A store that was put back has forgotten fences that a bundle's database remembers.
    anew.addAll(reclaim(over.stream().filter(Delivery::isRefused).toList(), FENCE_LEAP));
    for (var claimed : anew) {
      var placement = placement(claimed.segment().consumer(), hosted, rows);
      begin(claimed, before, placement.session(claimed.segment(), avoid.get(claimed.segment())));
      var why = distrusted.get(claimed.segment());
      var again = held.of(claimed.segment());
      if (why != null && again != null) {
        deliveries.note(again, why);
      }
    }
  }

  private List<Lease.Claimed> reclaim(List<Delivery> over, long by) {
    return over.isEmpty()
        ? List.of()
        : segments.reclaim(
            over.stream().map(Delivery::lease).toList(), by, incarnation, leaseTimings.lease());
  }

  private void claim(Map<ConsumerId, Hosts.Of> hosted, Map<ConsumerId, List<LeaseRow>> rows) {
    var before = clock.getAsLong();
    var wanted = new ArrayList<LeaseRow>();
    for (var consumer : hosted.keySet()) {
      var placement = placement(consumer, hosted, rows);
      wanted.addAll(
          placement.toClaim(placement.rows().stream().filter(row -> isFree(row, before)).toList()));
    }
    if (!wanted.isEmpty()) {
      for (var claimed : segments.claim(wanted, self, incarnation, leaseTimings.lease())) {
        var placement = placement(claimed.segment().consumer(), hosted, rows);
        begin(claimed, before, placement.session(claimed.segment(), null));
      }
    }
  }

  private boolean isFree(LeaseRow row, long now) {
    return held.of(row.segment()) == null
        && observedLeases.isFree(row, incarnation, leaseTimings.lease(), now);
  }

  private void begin(Lease.Claimed claimed, long before, Optional<BundleSession> chosen) {
    if (chosen.isEmpty()) {
      return; // ours by the row and delivered by nobody: free to us again in the next pass
    }
    var session = chosen.get();
    var lease = new Lease(claimed, before + leaseTimings.trust().toNanos());
    var filter = Filter.of(session, claimed.segment().consumer());
    consumerMetrics.claims.increment();
    LOG.log(
        Level.INFO,
        () ->
            "lease taken "
                + lease
                + " at="
                + claimed.checkpoint().position()
                + " instance="
                + session.instance());
    held.add(deliveries.begin(lease, session, filter));
  }
}
