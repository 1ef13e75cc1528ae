package io.evento.server.consumer.delivery;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Printable;
import io.evento.protocol.ReplyMessage;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.lease.LeaseKeeper;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerMetrics;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.routing.session.BundleSession;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything that this node delivers, on one thread, woken up by what comes: events, credits,
 * acknowledgements, and the {@link LeaseKeeper}'s decisions.
 */
@NodeScoped
public class Deliveries {
  /** What the deliveries tell whoever keeps the leases; short, and never blocking. */
  public interface Listener {
    /** One became quiet, or lost its place: there is something to decide. */
    void changed();

    /** A checkpoint or a note is to be written. */
    void progressed();
  }

  private static final Logger LOG = System.getLogger(Deliveries.class.getName());
  private static final String REMEDY =
      "; rebuild its read model under a new version, or set the checkpoint to where it stands";

  /** Longer than a promotion takes, and not so long that others have had the segment meanwhile. */
  private static final long REMEMBERED_NANOS = TimeUnit.SECONDS.toNanos(60);

  private static final long DISTRUST_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /** A segment that stays here is served again by then. */
  private static final long NOTE_AFTER_NANOS = TimeUnit.SECONDS.toNanos(3);

  /** What was given to the session that a segment was taken from. */
  private record Ended(int firstSlot, int lastSlot, boolean keepsCheckpoint, Sent sent, long at) {}

  private final Threads threads;
  private final Follower follower;
  private final CheckpointResolver checkpointResolver;
  private final DeliveryFactory deliveryFactory;
  private final Parking parking;
  private final SegmentMerges merges;
  private final LostEvents lostEvents;
  private final ConsumerMetrics consumerMetrics;
  private final ScheduledExecutorService timer;
  private final EventLoop eventLoop = new EventLoop();
  private final Cursors cursors;
  private final Parking.Reads reads = new CursorReads();
  private final EventLoop.Turn looking = eventLoop.turn(this::lookNow);
  private boolean isLooking;
  private final Map<String, Map<Integer, Delivery>> byConsumer = new ConcurrentHashMap<>();
  private final Map<SegmentId, Ended> ended = new HashMap<>(); // of the delivery thread
  private @Nullable UUID present; // the epoch that came last; of the delivery thread
  private volatile @Nullable Listener listener;

  @Inject
  public Deliveries(
      Threads threads,
      Follower follower,
      CheckpointResolver checkpointResolver,
      DeliveryFactory deliveryFactory,
      Parking parking,
      SegmentMerges merges,
      LostEvents lostEvents,
      ConsumerMetrics consumerMetrics) {
    this.threads = threads;
    this.follower = follower;
    this.checkpointResolver = checkpointResolver;
    this.deliveryFactory = deliveryFactory;
    this.parking = parking;
    this.merges = merges;
    this.lostEvents = lostEvents;
    this.consumerMetrics = consumerMetrics;
    this.timer = threads.timer();
    this.cursors =
        new Cursors(
            follower, eventLoop, threads.pool("consumer-reader", 2, 1_000), timer, consumerMetrics);
  }

  public void start(Listener told) {
    listener = told;
    follower.onNewEpoch(
        found -> {
          loseTheirPlace(found.to().epoch());
          eventLoop.post(() -> newEpoch(found.to().epoch()));
        });
    deliveryFactory.start(eventLoop::post);
    threads.start("consumers", eventLoop::run);
  }

  /** What of a segment is delivered here, if any. */
  public Optional<Delivery> of(SegmentId segment) {
    return Optional.ofNullable(
        byConsumer.getOrDefault(segment.consumer().wire(), Map.of()).get(segment.number()));
  }

  // ---- for whoever keeps the leases

  /** Delivers a segment to a session. */
  public Delivery begin(Lease lease, BundleSession session, Filter filter) {
    var delivery = deliveryFactory.create(lease, session, filter);
    delivery.servedBy(eventLoop.turn(() -> serve(delivery)));
    var consumer = lease.segment().consumer();
    byConsumer
        .computeIfAbsent(consumer.wire(), first -> new ConcurrentHashMap<>())
        .put(lease.segment().number(), delivery);
    consumerMetrics.showLag(consumer, () -> lag(consumer));
    eventLoop.post(() -> open(delivery));
    return delivery;
  }

  /** Sends nothing more; {@link Delivery#isQuiet} tells when nothing is in flight. */
  public void drain(Delivery delivery) {
    eventLoop.post(
        () -> {
          leaveCursor(delivery);
          delivery.drain();
          tellIfQuiet(delivery);
        });
  }

  /** Tells the session that it no longer has the segment, and forgets the delivery. */
  public void end(Delivery delivery) {
    var segment = delivery.lease().segment();
    byConsumer
        .getOrDefault(segment.consumer().wire(), Map.of())
        .computeIfPresent(
            segment.number(), (number, present) -> present == delivery ? null : present);
    eventLoop.post(
        () -> {
          leaveCursor(delivery);
          delivery.end();
          delivery.seen().end();
          ended.put(
              segment,
              new Ended(
                  delivery.lease().claimed().firstSlot(),
                  delivery.lease().claimed().lastSlot(),
                  delivery.keepsCheckpoint(),
                  Sent.further(delivery.sentBefore(), delivery.sent()),
                  System.nanoTime()));
          noteGivenIfNotServedAgain(segment);
        });
  }

  /** Has somebody look whether dead letters were asked for, or room was made for more. */
  public void look() {
    looking.ring();
  }

  private void lookNow() {
    var all = byConsumer.values().stream().flatMap(m -> m.values().stream()).toList();
    if (!all.isEmpty() && !isLooking) {
      isLooking = true;
      cursors.read(
          () -> parking.look(all),
          sight -> {
            isLooking = false;
            all.forEach(delivery -> seen(delivery, sight));
          },
          () -> isLooking = false);
    }
  }

  private void seen(Delivery delivery, DeadLetterTable.Sight sight) {
    parking.seen(sight, delivery);
    // Whoever dropped the last letter of a saga's key made its outcomes and deadlines live.
    if (!delivery.parked().isEmpty()) {
      delivery.ringInbox();
    }
  }

  private void loseTheirPlace(UUID present) {
    for (var segments : byConsumer.values()) {
      for (var delivery : segments.values()) {
        if (!delivery.lease().reached().epoch().equals(present)) {
          delivery.loseItsPlace();
        }
      }
    }
  }

  // ---- for the door

  /** The delivery that a message of a session speaks of; what is late speaks of none. */
  public Optional<Delivery> find(BundleSession session, String consumer, int segment, long fence) {
    var found = byConsumer.getOrDefault(consumer, Map.of()).get(segment);
    if (found == null || found.session() != session || found.lease().fence() != fence) {
      consumerMetrics.fenced.increment();
      return Optional.empty();
    }
    return Optional.of(found);
  }

  /** Something may wait for a saga in a slot, be it of a segment that is here or not. */
  public void ringInbox(ConsumerId consumer, int slot) {
    for (var delivery : byConsumer.getOrDefault(consumer.wire(), Map.of()).values()) {
      var claimed = delivery.lease().claimed();
      if (claimed.firstSlot() <= slot && slot <= claimed.lastSlot()) {
        delivery.ringInbox();
      }
    }
  }

  // ---- for who waits

  /** The deliveries of a consumer here that have any of these slots. */
  public List<Delivery> of(String consumer, int firstSlot, int lastSlot) {
    return byConsumer.getOrDefault(consumer, Map.of()).values().stream()
        .filter(
            delivery ->
                delivery.lease().claimed().firstSlot() <= lastSlot
                    && delivery.lease().claimed().lastSlot() >= firstSlot)
        .toList();
  }

  /**
   * @param key that is asked about too; null for none
   * @return how everything of the delivery up to a position is seen, once it is there or has ended
   */
  public CompletableFuture<WatermarkListeners.WatermarkAnswer> seen(
      Delivery delivery, StorePosition position, @Nullable String key) {
    var sight = new CompletableFuture<WatermarkListeners.WatermarkAnswer>();
    eventLoop.post(
        () -> {
          delivery.seen().add(position, key, sight);
          delivery.settle(cursors.now());
        });
    return sight;
  }

  // ---- on the delivery thread

  private void open(Delivery delivery) {
    if (!delivery.isOpening()) {
      return;
    }
    var before = ended.remove(delivery.lease().segment());
    if (before != null && cursors.now() - before.at() < REMEMBERED_NANOS) {
      delivery.before(before.sent(), before.keepsCheckpoint());
    }
    var claimed = delivery.lease().claimed();
    cursors.read(
        () -> checkpointResolver.of(claimed.checkpoint(), claimed.command()),
        found ->
            go(
                delivery,
                found,
                resolvedCheckpoint -> findParked(delivery, resolvedCheckpoint),
                () -> open(delivery)),
        () -> again(() -> open(delivery)));
  }

  /**
   * @param parked the keys with dead letters; empty if somebody else has the segment
   */
  private record Opened(
      CheckpointResolver.ResolvedCheckpoint place, Optional<Set<String>> parked) {}

  private void findParked(
      Delivery delivery, CheckpointResolver.ResolvedCheckpoint resolvedCheckpoint) {
    cursors.read(
        () -> {
          var isOurs = !delivery.storesEffects() || noteRow(delivery, resolvedCheckpoint);
          return new Opened(
              resolvedCheckpoint,
              isOurs ? parking.open(delivery.lease(), resolvedCheckpoint) : Optional.empty());
        },
        found -> opened(delivery, found),
        () -> again(() -> open(delivery)));
  }

  private void opened(Delivery delivery, Opened found) {
    if (!delivery.isOpening()) {
      return;
    }
    if (found.parked().isEmpty()) {
      delivery.loseItsPlace();
      return;
    }
    delivery.parked().add(found.parked().get());
    var resolvedCheckpoint = found.place();
    var lease = delivery.lease();
    if (!resolvedCheckpoint.at().equals(lease.claimed().checkpoint())) {
      lease.rewind(resolvedCheckpoint.at());
      progressed();
    }
    if (resolvedCheckpoint.lost() != null) {
      rewound(delivery, lease.claimed().checkpoint(), resolvedCheckpoint);
      delivery.lost(lease.claimed().checkpoint());
    }
    delivery.enable(resolvedCheckpoint.at());
    delivery.ring();
  }

  private void serve(Delivery delivery) {
    var mail = delivery.mail().collect();
    if (mail.saysSomething()) {
      delivery.heard();
    }
    delivery.grant(mail.credit());
    if (mail.isOpen() && delivery.awaitsCredit()) {
      start(delivery, mail.standing());
    }
    if (mail.acked() != null) {
      acked(delivery, mail.acked());
    }
    if (mail.failed() != null) {
      failed(delivery, mail.failed());
    }
    if (mail.retried() != null) {
      delivery.parked().answered(mail.retried());
    }
    if (mail.isGivenUp()) {
      leaveCursor(delivery);
      delivery.giveUp();
    }
    tellIfQuiet(delivery);
    if (!delivery.storesEffects()) {
      parking.serve(delivery, reads);
    }
    var now = cursors.now();
    consumerMetrics.events.increment(delivery.pump(now));
    var silent = delivery.moveOn(now);
    if (silent > 0 && delivery.setAlarm()) {
      timer.schedule(delivery::alarm, silent, TimeUnit.NANOSECONDS);
    }
    delivery.settle(cursors.now());
    if (delivery.hasRoom() && !delivery.hasLostItsPlace()) {
      var cursor = delivery.cursor();
      if (cursor == null) {
        cursors.join(delivery);
      } else {
        cursor.roomAgain();
      }
    }
  }

  private void start(Delivery delivery, @Nullable StorePosition standing) {
    delivery.keepsCheckpoint(standing != null || delivery.storesEffects());
    if (standing == null && mayHaveSeenLost(delivery)) {
      delivery.starting();
      noteAndRun(delivery);
    } else if (standing == null) {
      delivery.run(delivery.looked());
      tellThatItStands(delivery);
    } else {
      delivery.starting();
      findAndStart(delivery, standing);
    }
  }

  private void findAndStart(Delivery delivery, StorePosition standing) {
    cursors.read(
        () -> {
          var found = checkpointResolver.of(standing, null);
          // The bundle's checkpoint stands and falls with its rows: this is certain.
          return new Standing(
              found,
              !(found instanceof CheckpointResolver.ResolvedCheckpoint resolvedCheckpoint)
                  || note(delivery, standing, resolvedCheckpoint, delivery.sentBefore(), true));
        },
        standingFound -> {
          if (!standingFound.isOurs()) {
            delivery.loseItsPlace();
            return;
          }
          go(
              delivery,
              standingFound.found(),
              resolvedCheckpoint -> started(delivery, standing, resolvedCheckpoint),
              () -> findAndStart(delivery, standing));
        },
        () -> again(() -> findAndStart(delivery, standing)));
  }

  /**
   * @param isOurs whether nobody else has the segment
   */
  private record Standing(CheckpointResolver.Found found, boolean isOurs) {}

  // ---- what was seen of events that are lost

  /** Blocks on the database; false if somebody else has the segment. */
  private boolean note(
      Delivery delivery,
      StorePosition seen,
      CheckpointResolver.ResolvedCheckpoint resolvedCheckpoint,
      @Nullable Sent sent,
      boolean isCertain) {
    return resolvedCheckpoint.lost() == null
        || resolvedCheckpoint.at().position() >= seen.position()
        || lostEvents.note(
            delivery.lease(), seen, resolvedCheckpoint.at().position(), sent, isCertain);
  }

  /** Steps are stored with the row in one database: what is beyond the cut in it took place. */
  private boolean noteRow(
      Delivery delivery, CheckpointResolver.ResolvedCheckpoint resolvedCheckpoint) {
    return note(
        delivery,
        delivery.lease().claimed().checkpoint(),
        resolvedCheckpoint,
        delivery.sentBefore(),
        true);
  }

  /** Whether a projector without its own checkpoint was given what may be lost. */
  private static boolean mayHaveSeenLost(Delivery delivery) {
    var before = delivery.sentBefore();
    return !delivery.storesEffects()
        && (delivery.lostAt() != null
            || (before != null
                && before.last() > 0
                && !before.epoch().equals(delivery.looked().epoch())));
  }

  private void noteAndRun(Delivery delivery) {
    cursors.read(
        () -> noteGiven(delivery),
        isOurs -> {
          if (!isOurs) {
            delivery.loseItsPlace();
          } else if (delivery.isStarting()) {
            delivery.run(delivery.looked());
            tellThatItStands(delivery);
            delivery.ring();
          }
        },
        () -> again(() -> noteAndRun(delivery)));
  }

  /** What was acknowledged was handled; what was sent may have been. Blocks on the database. */
  private boolean noteGiven(Delivery delivery) {
    var isOurs = true;
    var row = delivery.lostAt();
    if (row != null) {
      isOurs =
          lostEvents.note(
              delivery.lease(), row, delivery.looked().position(), delivery.sentBefore(), true);
    }
    var before = delivery.sentBefore();
    if (isOurs && before != null && before.last() > 0) {
      var sent = new StorePosition(before.epoch(), before.last());
      if (checkpointResolver.of(sent, null)
          instanceof CheckpointResolver.ResolvedCheckpoint resolvedCheckpoint) {
        isOurs = note(delivery, sent, resolvedCheckpoint, before, false);
      }
    }
    return isOurs;
  }

  private void newEpoch(UUID now) {
    present = now;
    List.copyOf(ended.keySet()).forEach(this::noteGivenIfNotServedAgain);
  }

  /**
   * A delivery that begins here again knows more: what was acknowledged was handled for certain.
   */
  private void noteGivenIfNotServedAgain(SegmentId segment) {
    var ending = cursors.now();
    timer.schedule(
        () -> eventLoop.post(() -> noteGivenBefore(segment, ending)),
        NOTE_AFTER_NANOS,
        TimeUnit.NANOSECONDS);
  }

  /**
   * Another node may have by now what was delivered here in a life of the store that is over: it
   * knows nothing of what was given here. Looked at when the new life is seen, and when a delivery
   * of the old one ends after that.
   *
   * @param since when it was first tried
   */
  private void noteGivenBefore(SegmentId segment, long since) {
    var before = ended.get(segment);
    if (present == null
        || before == null
        || before.keepsCheckpoint()
        || before.sent().last() == 0
        || before.sent().epoch().equals(present)) {
      return;
    }
    if (cursors.now() - since > REMEMBERED_NANOS) {
      LOG.log(Level.WARNING, () -> "not known whether lost events were handled " + segment);
      return;
    }
    cursors.read(
        () -> isGivenNoted(segment, before),
        isNoted -> {
          if (isNoted) {
            ended.remove(segment, before);
          } else {
            again(() -> noteGivenBefore(segment, since));
          }
        },
        () -> again(() -> noteGivenBefore(segment, since)));
  }

  /** False if it cannot be said yet. Blocks on the database. */
  private boolean isGivenNoted(SegmentId segment, Ended before) {
    var seen = new StorePosition(before.sent().epoch(), before.sent().last());
    var found = checkpointResolver.of(seen, null);
    if (found instanceof CheckpointResolver.ResolvedCheckpoint place
        && place.lost() != null
        && place.at().position() < seen.position()) {
      return lostEvents.noteGiven(
          segment,
          before.firstSlot(),
          before.lastSlot(),
          seen,
          place.at().position(),
          before.sent());
    }
    return !(found instanceof CheckpointResolver.NotYet);
  }

  private void go(
      Delivery delivery,
      CheckpointResolver.Found found,
      Consumer<CheckpointResolver.ResolvedCheckpoint> on,
      Runnable repeat) {
    if (found instanceof CheckpointResolver.ResolvedCheckpoint resolvedCheckpoint) {
      on.accept(resolvedCheckpoint);
    } else if (found instanceof CheckpointResolver.Nowhere nowhere) {
      stop(delivery, nowhere.why());
    } else {
      again(repeat);
    }
  }

  /** Delivers nothing any more under this lease, and says so where people look. */
  private static void stop(Delivery delivery, String why) {
    if (!delivery.isOpening() && !delivery.isStarting()) {
      return;
    }
    LOG.log(Level.ERROR, () -> "segment stopped " + delivery.lease() + " cause=" + why + REMEDY);
    delivery.lease().failing("stopped: " + why + REMEDY);
  }

  private void started(
      Delivery delivery,
      StorePosition standing,
      CheckpointResolver.ResolvedCheckpoint resolvedCheckpoint) {
    if (!delivery.isStarting()) {
      return;
    }
    if (resolvedCheckpoint.lost() != null) {
      rewound(delivery, standing, resolvedCheckpoint);
    }
    runFrom(delivery, resolvedCheckpoint.at());
    delivery.ring();
  }

  /**
   * What the bundle says it has done it has done, whatever was acknowledged to us; what it says it
   * has not done, though it once acknowledged it, was lost with its database.
   */
  private void runFrom(Delivery delivery, StorePosition standing) {
    if (standing.position() > delivery.lease().claimed().stopAt()) {
      meetAt(delivery, standing.position());
      return;
    }
    var ours = delivery.looked();
    if (standing.position() < ours.position()) {
      consumerMetrics.rewinds.increment();
      LOG.log(
          Level.WARNING,
          () ->
              "bundle went back, delivering from there "
                  + delivery.lease()
                  + " acknowledged="
                  + ours.position()
                  + " stands="
                  + standing.position());
    }
    delivery.run(standing);
    tellThatItStands(delivery);
    if (standing.position() > delivery.lease().reached().position()) {
      delivery.lease().reach(standing.position(), null);
      progressed();
    }
  }

  private void tellThatItStands(Delivery delivery) {
    if (delivery.lease().claimed().stopAt() < Long.MAX_VALUE && !delivery.isEnded()) {
      cursors.read(
          () -> {
            merges.told(delivery.lease());
            return true;
          },
          done -> {},
          () -> again(() -> tellThatItStands(delivery)));
    }
  }

  /** The bundle is beyond the place where this segment was to wait for another one. */
  private void meetAt(Delivery delivery, long position) {
    delivery.starting();
    cursors.read(
        () -> {
          merges.meetAt(delivery.lease().step(), position);
          return position;
        },
        put -> delivery.loseItsPlace(),
        () -> again(() -> meetAt(delivery, position)));
  }

  /** Says in its row why a segment was taken from an instance, until it gets on. */
  public void note(Delivery delivery, String why) {
    eventLoop.post(() -> delivery.failing(delivery.acked() + 1, why));
  }

  private void acked(Delivery delivery, ConsumerMessage.Ack ack) {
    consumerMetrics.acks.increment();
    if (delivery.landed(ack.epoch(), ack.position())) {
      progressed();
    } else if (delivery.isBeyond(ack.epoch(), ack.position())) {
      beyond(delivery, ack);
    } else {
      consumerMetrics.fenced.increment();
      LOG.log(
          Level.DEBUG,
          () ->
              "acknowledgement dropped "
                  + delivery.lease()
                  + " epoch="
                  + ack.epoch()
                  + " position="
                  + ack.position());
    }
  }

  /**
   * What the bundle has done is not known by this: the segment goes to another instance, or to the
   * same anew. Not at once, or one that always does so would be given nothing but leases.
   */
  private void beyond(Delivery delivery, ConsumerMessage.Ack ack) {
    consumerMetrics.beyond.increment();
    var rule =
        "must not be beyond what was sent of the segment, which is up to "
            + delivery.toldUpTo()
            + ", is "
            + ack.position();
    delivery
        .session()
        .send(ReplyMessage.Fault.of(null, EventoException.invalid("/position", rule)), Lane.ANSWER);
    if (delivery.distrust() != null || delivery.isGivenUp()) {
      return;
    }
    var why =
        "instance "
            + delivery.session().instance()
            + " acknowledged position "
            + ack.position()
            + ", beyond what it was sent; given anew";
    LOG.log(
        Level.WARNING, () -> "acknowledged beyond what was sent " + delivery.lease() + " " + why);
    delivery.failing(delivery.acked() + 1, why);
    timer.schedule(
        () -> eventLoop.post(() -> takeAway(delivery, why)), DISTRUST_NANOS, TimeUnit.NANOSECONDS);
  }

  private void takeAway(Delivery delivery, String why) {
    if (!delivery.isEnded() && !delivery.isGivenUp()) {
      leaveCursor(delivery);
      delivery.distrust(why);
      var told = listener;
      if (told != null) {
        told.changed();
      }
    }
  }

  private void failed(Delivery delivery, ConsumerMessage.Nack nack) {
    consumerMetrics.nacks.increment();
    var cause = Printable.line(nack.detail());
    if (nack.park()) {
      delivery.parked().failing(nack);
      return;
    }
    LOG.log(
        Level.ERROR,
        () ->
            "event failed, its segment waits "
                + delivery.lease()
                + " position="
                + nack.position()
                + " attempt="
                + nack.attempt()
                + " cause="
                + cause);
    delivery.failing(nack.position(), "failing at position " + nack.position() + ": " + cause);
  }

  private void rewound(
      Delivery delivery,
      StorePosition from,
      CheckpointResolver.ResolvedCheckpoint resolvedCheckpoint) {
    consumerMetrics.rewinds.increment();
    LOG.log(
        Level.WARNING,
        () ->
            "segment rewound "
                + delivery.lease()
                + " from="
                + from.position()
                + " to="
                + resolvedCheckpoint.at().position()
                + " epoch="
                + resolvedCheckpoint.at().epoch()
                + " reason="
                + resolvedCheckpoint.lost());
  }

  private void tellIfQuiet(Delivery delivery) {
    var told = listener;
    if (told != null
        && (delivery.isQuiet() || delivery.hasLostItsPlace())
        && (!delivery.isGivenUp() || !delivery.session().isOpen())) {
      told.changed();
    }
  }

  private void progressed() {
    var told = listener;
    if (told != null) {
      told.progressed();
    }
  }

  private static void leaveCursor(Delivery delivery) {
    var cursor = delivery.cursor();
    if (cursor != null) {
      cursor.remove(delivery);
    }
  }

  private final class CursorReads implements Parking.Reads {
    @Override
    public <T> void read(Supplier<T> work, Consumer<T> then, Runnable failed) {
      cursors.read(work, then, failed);
    }

    @Override
    public void later(Delivery delivery) {
      again(delivery::ring);
    }
  }

  private void again(Runnable body) {
    timer.schedule(() -> eventLoop.post(body), RETRY_NANOS, TimeUnit.NANOSECONDS);
  }

  private long lag(ConsumerId consumer) {
    var head = follower.head().map(StorePosition::position).orElse(0L);
    return byConsumer.getOrDefault(consumer.wire(), Map.of()).values().stream()
        .mapToLong(delivery -> Math.max(0, head - delivery.acked()))
        .max()
        .orElse(0);
  }
}
