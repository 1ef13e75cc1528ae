package io.evento.server.consumer.delivery;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Printable;
import io.evento.protocol.ReplyMessage;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.consumer.deadletter.DeadLetterTable;
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
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Everything that this node delivers, on one thread, woken up by what comes: events, credits,
 * acknowledgements, and the {@code LeaseKeeper}'s decisions.
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
  private static final long DISTRUST_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Threads threads;
  private final Follower follower;
  private final DeliveryFactory deliveryFactory;
  private final DeadLetterTable letters;
  private final ConsumerMetrics consumerMetrics;
  private final ScheduledExecutorService timer;
  private final EventLoop eventLoop = new EventLoop();
  private final BlockingReads reads;
  private final Cursors cursors;
  private final LostEventNotes notes;
  private final Opening opening;
  private final EventLoop.Task looking = eventLoop.task(this::lookNow);
  private boolean isLooking;
  private final Map<String, Map<Integer, Delivery>> byConsumer = new ConcurrentHashMap<>();
  private volatile @Nullable Listener listener;

  @Inject
  public Deliveries(
      Threads threads,
      Follower follower,
      CheckpointResolver checkpointResolver,
      DeliveryFactory deliveryFactory,
      DeadLetterTable letters,
      SegmentMerges merges,
      LostEvents lostEvents,
      ConsumerMetrics consumerMetrics) {
    this.threads = threads;
    this.follower = follower;
    this.deliveryFactory = deliveryFactory;
    this.letters = letters;
    this.consumerMetrics = consumerMetrics;
    timer = threads.timer();
    reads = new BlockingReads(eventLoop, threads.pool("consumer-reader", 2, 1_000), timer);
    cursors = new Cursors(follower, eventLoop, reads, timer, consumerMetrics);
    notes = new LostEventNotes(checkpointResolver, lostEvents, reads, eventLoop, timer);
    opening =
        new Opening(
            checkpointResolver, letters, merges, notes, reads, consumerMetrics, this::progressed);
  }

  public void start(Listener told) {
    listener = told;
    follower.onNewEpoch(
        found -> {
          loseTheirPlace(found.to().epoch());
          eventLoop.post(() -> notes.newEpoch(found.to().epoch()));
        });
    deliveryFactory.start(eventLoop::post);
    threads.start("consumers", eventLoop::run);
  }

  // ---- what is delivered here

  private Collection<Delivery> all(String consumer) {
    return byConsumer.getOrDefault(consumer, Map.of()).values();
  }

  private Stream<Delivery> all() {
    return byConsumer.values().stream().flatMap(segments -> segments.values().stream());
  }

  /** What of a segment is delivered here, if any. */
  public Optional<Delivery> of(SegmentId segment) {
    return Optional.ofNullable(
        byConsumer.getOrDefault(segment.consumer().wire(), Map.of()).get(segment.number()));
  }

  /** The deliveries of a consumer here that have any of these slots. */
  public List<Delivery> of(String consumer, int firstSlot, int lastSlot) {
    return all(consumer).stream()
        .filter(
            delivery ->
                delivery.lease().claimed().firstSlot() <= lastSlot
                    && delivery.lease().claimed().lastSlot() >= firstSlot)
        .toList();
  }

  /** The delivery that a message of a session speaks of; what is late speaks of none. */
  public Optional<Delivery> find(BundleSession session, String consumer, int segment, long fence) {
    var found = byConsumer.getOrDefault(consumer, Map.of()).get(segment);
    if (found == null || found.session() != session || found.lease().fence() != fence) {
      (found == null
              ? consumerMetrics.fencedOfNobody()
              : consumerMetrics.fenced(found.lease().segment().consumer()))
          .increment();
      return Optional.empty();
    }
    return Optional.of(found);
  }

  /** Something may wait for a saga in a slot, be it of a segment that is here or not. */
  public void ringInbox(ConsumerId consumer, int slot) {
    of(consumer.wire(), slot, slot).forEach(delivery -> delivery.sender().ringInbox());
  }

  /**
   * Waits until a delivery is somewhere.
   *
   * @param key that is asked about too; null for none
   * @return how it has everything up to a position, once it is there or has ended
   */
  public CompletableFuture<WatermarkListeners.WatermarkAnswer> watermark(
      Delivery delivery, StorePosition position, @Nullable String key) {
    var answer = new CompletableFuture<WatermarkListeners.WatermarkAnswer>();
    eventLoop.post(
        () -> {
          delivery.watermarkListeners().add(position, key, answer);
          delivery.settle(cursors.now());
        });
    return answer;
  }

  /** Segments that are delivered here. */
  public int count() {
    return byConsumer.values().stream().mapToInt(Map::size).sum();
  }

  private long lag(ConsumerId consumer) {
    var head = follower.head().map(StorePosition::position).orElse(0L);
    return all(consumer.wire()).stream()
        .mapToLong(delivery -> Math.max(0, head - delivery.acked()))
        .max()
        .orElse(0);
  }

  // ---- for whoever keeps the leases

  /** Delivers a segment to a session. */
  public Delivery begin(Lease lease, BundleSession session, Filter filter) {
    var delivery =
        new Delivery(lease, session, filter, made -> deliveryFactory.sender(made, reads));
    delivery.servedBy(eventLoop.task(() -> serve(delivery)));
    var consumer = lease.segment().consumer();
    byConsumer
        .computeIfAbsent(consumer.wire(), first -> new ConcurrentHashMap<>())
        .put(lease.segment().number(), delivery);
    consumerMetrics.showLag(consumer, () -> lag(consumer));
    eventLoop.post(() -> opening.open(delivery));
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
          delivery.watermarkListeners().end();
          notes.ended(delivery);
        });
  }

  /**
   * Says in its row why a segment does not get on, until it is beyond that place; nothing if it is
   * by now: the last word of the instance may have come since.
   */
  public void note(Delivery delivery, Failing what) {
    eventLoop.post(() -> delivery.failing(what));
  }

  private void loseTheirPlace(UUID present) {
    all()
        .filter(delivery -> !delivery.lease().reached().epoch().equals(present))
        .forEach(Delivery::loseItsPlace);
  }

  // ---- dead letters, now and then

  /** Has somebody look whether dead letters were asked for, or room was made for more. */
  public void look() {
    looking.ring();
  }

  private void lookNow() {
    var all = all().toList();
    if (!all.isEmpty() && !isLooking) {
      isLooking = true;
      reads.read(
          () -> letters.look(all.stream().map(delivery -> delivery.lease().claimed()).toList()),
          sight -> {
            isLooking = false;
            all.forEach(delivery -> takeIn(delivery, sight));
          },
          () -> isLooking = false);
    }
  }

  private static void takeIn(Delivery delivery, DeadLetterTable.Sight sight) {
    var segment = delivery.lease().segment();
    var parked = delivery.parked();
    var isFull = sight.full().contains(segment.consumer());
    if (isFull && !parked.isFull()) {
      delivery.waitForRoom();
    } else if (!isFull && parked.isFull()) {
      delivery.foundRoom();
    }
    if (sight.due().contains(segment)) {
      parked.due(true);
    }
    delivery.ring();
    // Whoever dropped the last letter of a saga's key made its outcomes and deadlines live.
    if (!parked.isEmpty()) {
      delivery.sender().ringInbox();
    }
  }

  // ---- on the delivery thread

  private void serve(Delivery delivery) {
    var said = delivery.signals().collect();
    if (said.saysSomething()) {
      delivery.handover().heard();
    }
    if (said.isOpen() && delivery.awaitsCredit()) {
      opening.start(delivery, said.checkpoint());
    }
    if (said.acked() != null) {
      acked(delivery, said.acked());
    }
    if (said.failed() != null) {
      failed(delivery, said.failed());
    }
    if (said.isGivenUp()) {
      leaveCursor(delivery);
      delivery.giveUp();
    }
    tellIfQuiet(delivery);
    var sender = delivery.sender();
    sender.hear(said);
    var now = cursors.now();
    consumerMetrics.events.increment(sender.pump(now));
    var silent = sender.moveOn(now);
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

  private void acked(Delivery delivery, ConsumerMessage.Ack ack) {
    consumerMetrics.acks.increment();
    if (delivery.landed(ack.epoch(), ack.position())) {
      progressed();
    } else if (delivery.isBeyond(ack.epoch(), ack.position())) {
      beyond(delivery, ack);
    } else {
      consumerMetrics.fenced(delivery.lease().segment().consumer()).increment();
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
    var failing = new Failing(delivery.acked() + 1, why);
    delivery.failing(failing);
    timer.schedule(
        () -> eventLoop.post(() -> takeAway(delivery, failing)),
        DISTRUST_NANOS,
        TimeUnit.NANOSECONDS);
  }

  private void takeAway(Delivery delivery, Failing why) {
    if (!delivery.isEnded() && !delivery.isGivenUp()) {
      leaveCursor(delivery);
      delivery.distrust(why);
      changed();
    }
  }

  private void failed(Delivery delivery, ConsumerMessage.Nack nack) {
    consumerMetrics.nacks(delivery.lease().segment().consumer()).increment();
    if (nack.park()) {
      return; // up to its sender
    }
    var cause = Printable.log(nack.detail());
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
    delivery.failing(
        new Failing(nack.position(), "failing at position " + nack.position() + ": " + cause));
  }

  private void tellIfQuiet(Delivery delivery) {
    if ((delivery.isQuiet() || delivery.hasLostItsPlace())
        && (!delivery.isGivenUp() || !delivery.session().isOpen())) {
      changed();
    }
  }

  private void changed() {
    var told = listener;
    if (told != null) {
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
}
