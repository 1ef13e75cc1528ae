package io.evento.server.consumer.step;

import io.evento.protocol.Backoff;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Printable;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.delivery.Backlog;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.delivery.FencedDeadLetters;
import io.evento.server.consumer.delivery.Sender;
import io.evento.server.consumer.delivery.SessionSignals;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.Role;
import io.evento.server.telemetry.ConsumerTimes;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Asks a saga or observer for its steps: one batch after the other, each looked up, asked, and
 * stored, before the next is begun. Dead letters that were asked for take turns with the batches,
 * one at a time ({@link LetterAttempts}).
 *
 * <p>Why the order per key holds: there is one batch at a time, and the next one is put together
 * from the rows and the events that are left when the one before is stored. Why a step has effect
 * once: {@link StepTable} stores it with the checkpoint, and with the removal of the outcome or
 * deadline that it is about, or not at all. What is failed on for good is parked, as {@link
 * StepParking} argues.
 */
final class StepSender implements Sender {
  private static final Backoff RETRIES =
      new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10));
  private static final long ROOM_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /**
   * What is to be parked.
   *
   * @param attempts that failed
   */
  private record FailedItem(DeadLetter letter, String cause, int attempts) {}

  private final Delivery delivery;
  private final Lease lease;
  private final Backlog backlog;
  private final StepLoader loader;
  private final StepStore store;
  private final FencedDeadLetters writes;
  private final StepExchange exchange;
  private final LetterAttempts letters;
  private final ConsumerTimes times;
  private final FailureCounter failureCounter = new FailureCounter();
  private volatile boolean hasInbox = true;
  private long firstInFlight;
  private int failures;
  private long notBefore;
  private boolean isDelayed;

  StepSender(
      Delivery delivery,
      StepWork work,
      StepLoader loader,
      StepStore store,
      StepParking parking,
      FencedDeadLetters writes,
      ConsumerTimes times) {
    this.times = times;
    this.delivery = delivery;
    this.lease = delivery.lease();
    this.backlog = delivery.backlog();
    this.loader = loader;
    this.store = store;
    this.writes = writes;
    this.exchange = new StepExchange(delivery, work);
    this.letters = new LetterAttempts(delivery, exchange, parking, store, writes, this::ringInbox);
  }

  // ---- for every thread

  @Override
  public boolean storesEffects() {
    return true;
  }

  @Override
  public void ringInbox() {
    hasInbox = true;
    delivery.ring();
  }

  // ---- for the delivery thread

  @Override
  public void hear(SessionSignals.Gathered said) {
    if (said.stepped() != null) {
      exchange.answered(said.stepped());
    }
  }

  @Override
  public boolean isBusy() {
    return !exchange.isIdle();
  }

  @Override
  public long firstInFlight() {
    return exchange.isIdle() ? 0 : firstInFlight;
  }

  /** A step is done when it is stored, whatever the session acknowledges. */
  @Override
  public @Nullable UUID landed(long position) {
    return null;
  }

  @Override
  public int pump(long now) {
    if (!exchange.isIdle()) {
      return 0;
    }
    var hasBatch = wantsBatch() && pause(now) == 0;
    var hasLetter = delivery.parked().isDue();
    if (!mayBegin(now) || !(hasBatch || hasLetter)) {
      delivery.handover().leaveTrial();
      return 0;
    }
    // Which of it comes first is known once it is loaded: while anything is doubted, all of it is
    // given one by one.
    if (!delivery.handover().mayHand(true)) {
      return 0;
    }
    if (hasLetter && hasRoom() && !(hasBatch && letters.hadTheirTurn())) {
      firstInFlight = 0;
      letters.begin();
      return 0;
    }
    if (!hasBatch) {
      delivery.handover().leaveTrial();
    }
    return hasBatch ? begin() : 0;
  }

  private boolean mayBegin(long now) {
    return delivery.maySpeak(now)
        // The first write must find the row in the epoch that it names.
        && lease.isWrittenIn(delivery.looked().epoch());
  }

  private boolean wantsBatch() {
    return (!backlog.isEmpty() || hasInbox) && !delivery.parked().isFull();
  }

  private boolean hasRoom() {
    return store.hasRoom(lease.segment().consumer());
  }

  // ---- one batch

  private int begin() {
    var withInbox = hasInbox;
    if (withInbox) {
      hasInbox = false; // else it may have been rung since
    }
    letters.batchBegins();
    var events = delivery.take(Backlog.MESSAGE_EVENTS_MAX, event -> false);
    firstInFlight = events.isEmpty() ? 0 : events.get(0).position();
    var end = backlog.isEmpty() || events.isEmpty() ? null : events.get(events.size() - 1);
    var looked = delivery.looked();
    var request =
        new StepBatch.Request(
            lease,
            delivery.filter(),
            events,
            end == null ? looked : looked.at(end.position()),
            end == null ? delivery.lookedCommand() : end.commandId(),
            withInbox && delivery.filter().isAssociated(),
            !delivery.parked().isEmpty());
    exchange.load(
        () -> loader.load(request), found -> loaded(request, found), () -> notLoaded(request));
    return events.size();
  }

  /** What would have gone along was not found; tried again a little later. */
  private void notLoaded(StepBatch.Request request) {
    backlog.putBack(request.events());
    hasInbox |= request.withInbox();
    delay(RETRIES.first().toMillis());
    exchange.idle();
  }

  private void loaded(StepBatch.Request request, StepLoader.Loaded loaded) {
    if (loaded.isFull()) {
      waitForRoom(request.events());
      return;
    }
    delivery.parked().retainAll(loaded.batch().parked());
    var doubts = lease.doubts();
    // What failed is tried alone, so that others are not handled again with each try.
    var batch = failures > 0 || !doubts.isNone() ? loaded.batch().alone() : loaded.batch();
    hasInbox |= batch.more();
    if (!delivery.isRunning()) {
      exchange.idle();
    } else if (batch.isFirstAmong(doubts) && doubts.areProven()) {
      var letter = batch.items().get(0).deadLetter();
      notDone(batch, new FailedItem(letter, doubts.cause(), doubts.sessions()));
    } else if (batch.isEmpty()) {
      lease.reach(batch.upTo().position(), batch.command());
      delivery.done(batch.upTo().position());
      exchange.idle();
    } else if (batch.items().isEmpty()) {
      store(batch, List.of(), null);
    } else if (exchange.mayAsk()) {
      var handed = StepBatch.Item.handed(batch.items().subList(0, batch.sendable()));
      exchange.ask(batch, handed, said -> decided(batch, said));
    } else {
      notDone(batch, null);
    }
  }

  private void decided(StepBatch asked, StepMessage.Stepped said) {
    var failure = said.failure();
    var count = said.results().size();
    if (count > asked.sendable()) {
      unfit(asked, EventoException.invalid("/results", "must not be more than were asked"));
      return;
    }
    asked.doneItems(count).forEach(item -> item.tell(times, exchange.askedFor()));
    FailedItem failed = null;
    if (failure == null) {
      failures = 0;
      lease.failing(null);
    } else {
      failed = failed(asked, count, failure, count < asked.sendable());
    }
    // Whatever was said of it, the session lives.
    for (var item : asked.items().subList(0, asked.sendable())) {
      lease.doubts(item.acquitted(lease.doubts()));
    }
    if (count > 0) {
      store(asked, said.results(), failed);
    } else {
      notDone(asked, failed);
    }
  }

  private void store(
      StepBatch asked, List<StepMessage.Result> results, @Nullable FailedItem failed) {
    var id = UUID.randomUUID(); // the same in every repeat
    var from = delivery.toldUpTo();
    var began = System.nanoTime();
    exchange.store(
        () -> store.take(id, delivery, asked, results, from),
        stored -> {
          var took = System.nanoTime() - began;
          asked.doneItems(results.size()).forEach(item -> times.stored(item.type(), took));
          if (stored.unfit() != null) {
            unfit(asked, stored.unfit());
          } else {
            tellWhatIsSent(asked, results);
            stored(asked, stored.place(), results.size() == asked.items().size(), failed);
          }
        });
  }

  /** What a shadow decides is held. */
  private void tellWhatIsSent(StepBatch asked, List<StepMessage.Result> results) {
    if (lease.claimed().role() == Role.SHADOW) {
      return;
    }
    var items = asked.doneItems(results.size());
    for (var i = 0; i < items.size(); i++) {
      var upon = items.get(i).type();
      results.get(i).commands().forEach(command -> times.sent(upon, command.type()));
    }
  }

  private void stored(
      StepBatch asked, StepBatch.Place upTo, boolean isAll, @Nullable FailedItem failed) {
    lease.committed(upTo.position(), upTo.command());
    delivery.done(upTo.position());
    if (!isAll) {
      hasInbox = true;
      backlog.putBack(asked.eventsAfter(upTo.position()));
    }
    parkOrIdle(failed);
  }

  // ---- what is not done

  /**
   * The handler failed on an item.
   *
   * @param at which item
   * @param isSure whether it was this item and no other
   * @return what is to be parked; null if all is tried again
   */
  private @Nullable FailedItem failed(
      StepBatch asked, int at, DecideMessage.Failure failure, boolean isSure) {
    // What passes by itself is no fault of the handler.
    var isPassing = failure.code().retry() == ErrorCode.Retry.LATER;
    failures = at > 0 ? 1 : failures + 1;
    var item = asked.items().get(Math.min(at, asked.items().size() - 1));
    times.failed(item.type(), failure.code().wire());
    var event = item.input().event();
    lease.failing(
        (isPassing ? "waits" : "failing")
            + (event == null
                ? " at the saga " + Printable.line(item.key())
                : " at position " + event.position())
            + ": "
            + Printable.line(failure.detail()));
    delay(RETRIES.halfByChance(failures - 1).toMillis());
    if (isPassing || !isSure) {
      return null;
    }
    var attempts = failureCounter.failed(item);
    return attempts < FailureCounter.ATTEMPTS
        ? null
        : new FailedItem(item.deadLetter(), Printable.lines(failure.detail()), attempts);
  }

  /** A result broke a rule: as if the handler had failed. */
  private void unfit(StepBatch asked, EventoException broken) {
    var failure = new DecideMessage.Failure(ErrorCode.HANDLER_FAILED, broken.detail(), List.of());
    // Whose result it was is known only where there was one.
    notDone(asked, failed(asked, 0, failure, asked.sendable() == 1));
  }

  /** Nothing of it is done; unless the first of it is to be parked, all is tried again. */
  private void notDone(StepBatch asked, @Nullable FailedItem failed) {
    backlog.putBack(asked.events());
    hasInbox = true;
    parkOrIdle(failed);
  }

  private void parkOrIdle(@Nullable FailedItem failed) {
    if (failed == null || !delivery.isRunning()) {
      exchange.idle();
      return;
    }
    exchange.store(
        () -> writes.park(lease, List.of(failed.letter()), failed.cause(), failed.attempts()),
        written -> {
          if (written.isFull()) {
            waitForRoom(List.of());
          } else {
            parked(failed.letter());
          }
        });
  }

  /** A letter is committed; of its key nothing is given any more. */
  private void parked(DeadLetter letter) {
    delivery.parked().add(List.of(letter.key()));
    backlog.drop(Set.of(letter.position()));
    lease.doubts(letter.acquitted(lease.doubts()));
    failures = 0;
    isDelayed = false;
    lease.failing(null);
    exchange.idle();
  }

  /** There is no room for letters: what was to be parked is tried again once there is. */
  private void waitForRoom(List<RecordedEvent> events) {
    backlog.putBack(events);
    hasInbox = true;
    delivery.waitForRoom();
    exchange.idle();
  }

  private void delay(long millis) {
    notBefore = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    isDelayed = true;
  }

  /**
   * @return nanoseconds until a batch may begin, 0 for now
   */
  private long pause(long now) {
    var left = isDelayed ? notBefore - now : 0;
    if (left > 0) {
      return left;
    }
    isDelayed = false;
    return hasRoom() ? 0 : ROOM_NANOS;
  }

  /** The server's own checkpoint needs no word of the bundle to pass over what concerns nobody. */
  @Override
  public long moveOn(long now) {
    // What a refused batch took is not done.
    if (!exchange.isIdle() || !delivery.isActive()) {
      return 0;
    }
    var looked = delivery.looked().position();
    if (backlog.isEmpty() && looked > delivery.toldUpTo()) {
      lease.reach(looked, delivery.lookedCommand());
      delivery.done(looked);
    }
    return wantsBatch()
        ? Math.max(pause(now), ROOM_NANOS)
        : delivery.parked().isDue() ? ROOM_NANOS : 0;
  }
}
