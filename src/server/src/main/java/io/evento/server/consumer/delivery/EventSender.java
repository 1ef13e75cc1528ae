package io.evento.server.consumer.delivery;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.PoisonCandidates;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.telemetry.ConsumerTimes;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Sends a projector its events, several messages ahead of its acknowledgements, as its effects are
 * in a database that the server does not see. Nothing is sent beyond the bundle's credit or a
 * mebibyte that is not acknowledged. What the bundle fails on is up to {@link Parking}.
 */
public final class EventSender implements Sender {
  /** A segment that gets nothing is moved on after so many positions … */
  static final int SILENT_POSITIONS_MAX = 1_000;

  /** … or so long. */
  static final long SILENT_NANOS_MAX = 200_000_000L;

  private final Delivery delivery;
  private final Lease lease;
  private final Backlog backlog;
  private final ParkedKeys parked;
  private final Handover handover;
  private final SendWindow window = new SendWindow();
  private final InFlight inFlight = window.inFlight();
  private final LetterQueue letters = new LetterQueue();
  private final Runnable parking;
  private final ConsumerTimes times;
  private long sentAt;
  private ConsumerMessage.@Nullable Nack failing;

  /**
   * @param times is told how long its events take
   */
  public EventSender(
      Delivery delivery,
      DeadLetterTable table,
      FencedDeadLetters writes,
      BlockingReads reads,
      ConsumerTimes times) {
    this(delivery, sender -> new Parking(delivery, sender, table, writes, reads)::serve, times);
  }

  /**
   * @param parking makes what is to be done for the dead letters of a sender, again and again
   */
  EventSender(Delivery delivery, Function<EventSender, Runnable> parking, ConsumerTimes times) {
    this.times = times;
    this.delivery = delivery;
    this.lease = delivery.lease();
    this.backlog = delivery.backlog();
    this.parked = delivery.parked();
    this.handover = delivery.handover();
    this.parking = parking.apply(this);
  }

  @Override
  public boolean storesEffects() {
    return false;
  }

  /** Nothing waits for a projector but events. */
  @Override
  public void ringInbox() {}

  @Override
  public void hear(SessionSignals.Gathered said) {
    window.granted(said.credit());
    if (said.failed() != null) {
      inFlight
          .from(said.failed().position())
          .findFirst()
          .ifPresent(event -> times.failed(event.type(), ErrorCode.HANDLER_FAILED.wire()));
    }
    if (said.failed() != null && said.failed().park()) {
      failing = said.failed();
    }
    if (said.retried() != null) {
      letters.answered(said.retried());
    }
    parking.run();
  }

  // ---- events

  @Override
  public int pump(long now) {
    if (isLettersTurn()) {
      return 0;
    }
    var count = 0;
    while (delivery.maySpeak(now) && hasNext()) {
      var goesAlone = goesAlone();
      if ((goesAlone && !hasHandedNothing()) || !handover.mayHand(goesAlone)) {
        break;
      }
      var batch = delivery.take(goesAlone ? 1 : window.credit(), parked::holds);
      window.handed(batch);
      noteHanded();
      if (!send(batch, now)) {
        break;
      }
      count += batch.size();
    }
    leaveUnusedTrial();
    return count;
  }

  /**
   * Whether a doubted letter comes next, be it that it is yet to be read: events that go on being
   * sent would keep it from ever being alone.
   */
  private boolean isLettersTurn() {
    var doubted = lease.doubts().ids();
    return !doubted.isEmpty() && parked.isDue() && (letters.isEmpty() || letters.has(doubted));
  }

  private boolean hasNext() {
    var next = backlog.first();
    return next != null
        && !parked.isFull()
        && !parked.holds(next)
        && !isNextProven()
        && window.isOpen(backlog.fillsMessage());
  }

  /** Whether the next event ended enough sessions: it is parked instead of being sent. */
  boolean isNextProven() {
    var next = backlog.first();
    return next != null && lease.doubts().areProven() && lease.doubts().covers(next.position());
  }

  /**
   * Whether what the session has, or is to be given next, is doubted: then it has one at a time.
   */
  private boolean goesAlone() {
    var doubts = lease.doubts();
    var next = backlog.first();
    var letter = letters.retrying();
    return !doubts.isNone()
        && (doubts.covers(inFlight.first())
            || (next != null && doubts.covers(next.position()))
            || (letter != null && doubts.covers(letter.id())));
  }

  /** Whatever it was to be tried with cannot be handed over now. */
  private void leaveUnusedTrial() {
    if (handover.isOnTrial() && hasHandedNothing()) {
      handover.leaveTrial();
      if (!letters.isEmpty()) {
        delivery.ring(); // letters that were held back
      }
    }
  }

  private boolean send(List<RecordedEvent> events, long now) {
    var from = delivery.toldUpTo();
    var last = events.isEmpty() ? from : events.get(events.size() - 1).position();
    var upTo = backlog.isEmpty() ? delivery.looked().position() : last;
    delivery.told(upTo);
    if (events.isEmpty() || last < upTo) {
      inFlight.add(upTo, delivery.lookedCommand());
    }
    inFlight.left(upTo);
    sentAt = now;
    return delivery
        .session()
        .send(
            new ConsumerMessage.Events(
                lease.segment().consumer().wire(),
                lease.segment().number(),
                lease.fence(),
                delivery.looked().epoch(),
                from,
                upTo,
                events),
            Lane.REQUEST);
  }

  /** Where nothing is in flight, by a message without events, now and then. */
  @Override
  public long moveOn(long now) {
    var looked = delivery.looked().position();
    var silent = looked - delivery.toldUpTo();
    if (!delivery.isActive()
        || silent <= 0
        || !backlog.isEmpty()
        || !inFlight.isEmpty()
        || parked.isFull()) {
      return 0;
    }
    var left = SILENT_NANOS_MAX - (now - sentAt);
    if (silent < SILENT_POSITIONS_MAX && left > 0 && looked < lease.claimed().stopAt()) {
      return left;
    }
    if (delivery.maySpeak(now)) {
      send(List.of(), now);
    }
    return 0;
  }

  @Override
  public @Nullable UUID landed(long position) {
    var now = System.nanoTime();
    var command =
        inFlight.landed(
            position, (event, at) -> times.done(event.type(), event.instant(), now - at));
    noteHanded();
    return command;
  }

  @Override
  public long firstInFlight() {
    return inFlight.first();
  }

  @Override
  public boolean isBusy() {
    return !inFlight.isEmpty();
  }

  private void noteHanded() {
    var letter = letters.retrying();
    var first = inFlight.first();
    if (first != 0 || letter != null || handover.isInCustody()) {
      handover.handed(
          PoisonCandidates.of(
              first, inFlight.last(), letter == null ? Set.of() : Set.of(letter.id())));
    }
  }

  /** Whether nothing of the segment is with the session. */
  private boolean hasHandedNothing() {
    return inFlight.first() == 0 && letters.retrying() == null;
  }

  // ---- what parking asks and does

  LetterQueue letters() {
    return letters;
  }

  /** The event that the session wants parked; null for none. */
  ConsumerMessage.@Nullable Nack failing() {
    return failing;
  }

  void noneFailing() {
    failing = null;
  }

  /**
   * What has to be parked if an event failed: that one and all of its key that were read after it.
   * From now on none of that key is sent.
   *
   * @return in order; empty if no such event is in flight
   */
  List<DeadLetter> lettersFrom(long failed) {
    var first = inFlight.from(failed).findFirst().filter(event -> event.position() == failed);
    if (first.isEmpty()) {
      return List.of();
    }
    var stream = first.get().aggregate();
    parked.add(List.of(Slots.key(stream)));
    return Stream.concat(inFlight.from(failed), backlog.events())
        .filter(event -> event.aggregate().equals(stream))
        .map(DeadLetter::of)
        .toList();
  }

  /**
   * Whether a letter may be given to the session: a doubted one if nothing else of the segment is
   * there, any other unless something doubted is, or is being tried.
   */
  boolean mayHandLetter(boolean isDoubted) {
    var isInTheWay =
        isDoubted
            ? !hasHandedNothing()
            : handover.isOnTrial() || lease.doubts().covers(inFlight.first());
    return !isInTheWay && handover.mayHand(isDoubted);
  }

  /** The letter that is with the session now, or none. */
  void retrying(DeadLetter.@Nullable Due letter) {
    letters.retrying(letter);
    noteHanded();
  }
}
