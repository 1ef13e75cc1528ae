package io.evento.server.consumer.step;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Printable;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.PoisonCandidates;
import io.evento.server.routing.session.BundleSession;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A segment of a saga or observer as it is delivered to one session: one batch after the other,
 * each looked up, asked, and stored, before the next is begun. Dead letters that were asked for
 * take turns with the batches, one at a time.
 *
 * <p>Why the order per key holds: there is one batch at a time, and the next one is put together
 * from the rows and the events that are left when the one before is stored. Why a step has effect
 * once: {@link StepTable} stores it with the checkpoint, and with the removal of the outcome or
 * deadline that it is about, or not at all. What is failed on for good is parked, as {@link
 * StepParking} argues.
 */
public final class StepDelivery extends Delivery {
  private static final long RETRY_FIRST_MILLIS = 100;
  private static final long RETRY_MAX_MILLIS = 10_000;
  private static final long ROOM_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /**
   * So many letters are tried before a batch gets its turn: fewer, and a key with frequent events
   * would get new letters as fast as it loses old ones; more, and other keys would wait for long.
   */
  private static final int LETTERS_IN_A_ROW = 8;

  private enum Stage {
    IDLE,
    /** What goes along is being looked up. */
    LOADING,
    /** The session has it. */
    ASKED,
    /** What the session decided, or fails on, is being stored. */
    STORING
  }

  /** Whoever speaks with the database for it; all answers come on the delivery thread. */
  interface StepBackend {
    /** Answers with {@link #loaded}, {@link #full} or {@link #refused}, or {@link #notLoaded}. */
    void load(StepDelivery delivery, StepBatch.Request request);

    /** Answers with {@link #stored} or {@link #refused}, or with {@link #unfit}. */
    void store(StepDelivery delivery, StepBatch batch, List<StepMessage.Result> results, long from);

    /** Answers with {@link #parked}, {@link #full} or {@link #refused}. */
    void park(StepDelivery delivery, FailedItem failedItem);

    /**
     * Answers with {@link #letterLoaded}, or with {@link #letterNotLoaded}.
     *
     * @param first the key whose letters come before all others; null for none
     */
    void loadLetter(StepDelivery delivery, @Nullable String first);

    /**
     * Answers with {@link #letterTaken}, {@link #letterSettled} or {@link #refused}, or with {@link
     * #letterUnfit}.
     */
    void storeLetter(
        StepDelivery delivery, StepParking.Found found, List<StepMessage.Result> results);

    /** Answers with {@link #letterSettled} or {@link #refused}. */
    void letterFailed(
        StepDelivery delivery, StepParking.Found found, String cause, boolean isPassing);

    /** Whether commands as a consumer sends them may be added to those on their way. */
    boolean hasRoom(ConsumerId consumer);
  }

  /**
   * What is to be parked.
   *
   * @param attempts that failed
   */
  record FailedItem(DeadLetter letter, String cause, int attempts) {}

  private final StepBackend stepBackend;
  private final FailureCounter failureCounter = new FailureCounter();
  private volatile boolean hasInbox = true;
  private volatile StepMessage.@Nullable Stepped answer;
  private Stage stage = Stage.IDLE;
  private @Nullable StepBatch batch;
  private StepParking.@Nullable Found letter;
  private @Nullable FailedItem failedItem;
  private @Nullable String lastKey;
  private int lettersInARow;
  private long number;
  private int failures;
  private long notBefore;
  private boolean isDelayed;

  StepDelivery(Lease lease, BundleSession session, Filter filter, StepBackend stepBackend) {
    super(lease, session, filter);
    this.stepBackend = stepBackend;
  }

  // ---- for every thread

  @Override
  public boolean storesEffects() {
    return true;
  }

  @Override
  public void ringInbox() {
    hasInbox = true;
    ring();
  }

  /** The session has decided; one answer is awaited at a time. */
  public void answered(StepMessage.Stepped said) {
    answer = said;
    ring();
  }

  // ---- for the delivery thread

  @Override
  public boolean isBusy() {
    return stage != Stage.IDLE;
  }

  @Override
  public int pump(long now) {
    var said = answer;
    if (said != null) {
      answer = null;
      decided(said);
    }
    if (!mayBegin(now)) {
      if (stage == Stage.IDLE) {
        leaveUnusedTrial();
      }
      return 0;
    }
    var hasBatch = wantsBatch() && pause(now) == 0;
    // Which of it comes first is known once it is loaded: while anything is doubted, all of it is
    // given one by one.
    if ((hasBatch || parked().isDue()) && !mayHand(true)) {
      return 0;
    }
    if (parked().isDue()
        && stepBackend.hasRoom(lease().segment().consumer())
        && !(hasBatch && lettersInARow >= LETTERS_IN_A_ROW)) {
      beginLetter();
      return 0;
    }
    if (!hasBatch) {
      leaveUnusedTrial();
    }
    return hasBatch ? begin() : 0;
  }

  private boolean mayBegin(long now) {
    return stage == Stage.IDLE
        && isRunning()
        && !hasLostItsPlace()
        && lease().isTrusted(now)
        // The first write must find the row in the epoch that it names.
        && lease().isWrittenIn(looked().epoch());
  }

  private boolean wantsBatch() {
    return (hasWaiting() || hasInbox) && !parked().isFull();
  }

  private int begin() {
    var withInbox = hasInbox;
    hasInbox = false;
    lettersInARow = 0;
    lastKey = null;
    var events = takeWaiting();
    var end = hasWaiting() && !events.isEmpty() ? events.get(events.size() - 1) : null;
    stage = Stage.LOADING;
    stepBackend.load(
        this,
        new StepBatch.Request(
            lease(),
            filter(),
            events,
            end == null ? looked() : looked().at(end.position()),
            end == null ? lookedCommand() : end.commandId(),
            withInbox && filter().isAssociated(),
            !parked().isEmpty()));
    return events.size();
  }

  void loaded(StepBatch loaded) {
    parked().retainAll(loaded.parked());
    // What failed is tried alone, so that others are not handled again with each try.
    var found = failures > 0 || !lease().doubts().isNone() ? loaded.alone() : loaded;
    batch = found;
    hasInbox |= found.more();
    if (!isRunning()) {
      idle();
    } else if (isFirstProven(found)) {
      failedItem =
          new FailedItem(
              found.items().get(0).deadLetter(),
              lease().doubts().cause(),
              lease().doubts().sessions());
      notDone(found);
    } else if (found.isEmpty()) {
      lease().reach(found.upTo().position(), found.command());
      done(found.upTo().position());
      idle();
    } else if (found.items().isEmpty()) {
      store(found, List.of());
    } else if (isHeldBack()) {
      notDone(found);
    } else {
      ask(found);
    }
  }

  /** Something has begun to be tried alone while this was loaded: it would be its company. */
  private boolean isHeldBack() {
    return !mayHand(false);
  }

  private boolean isFirstProven(StepBatch found) {
    var poisonCandidates = lease().doubts();
    return poisonCandidates.areProven()
        && !found.items().isEmpty()
        && found.items().get(0).isAmong(poisonCandidates);
  }

  private void ask(StepBatch about) {
    stage = Stage.ASKED;
    var tried = letter;
    handed(
        tried == null
            ? StepBatch.Item.handed(about.items().subList(0, about.sendable()))
            : PoisonCandidates.of(0, 0, Set.of(tried.letter().id())));
    session().send(about.message(lease(), ++number), Lane.REQUEST);
  }

  /** What would have gone along was not found; tried again a little later. */
  void notLoaded(StepBatch.Request request) {
    putBack(request.events());
    hasInbox |= request.withInbox();
    delay(RETRY_FIRST_MILLIS);
    idle();
  }

  private void decided(StepMessage.Stepped said) {
    if (stage != Stage.ASKED || said.batch() != number) {
      return;
    }
    heard();
    handed(PoisonCandidates.NONE);
    var tried = letter;
    var asked = batch;
    if (tried != null) {
      letterDecided(tried, said);
    } else if (asked != null) {
      decided(asked, said);
    }
  }

  private void decided(StepBatch asked, StepMessage.Stepped said) {
    var failure = said.failure();
    var count = said.results().size();
    if (count > asked.sendable()) {
      unfit(asked, EventoException.invalid("/results", "must not be more than were asked"));
      return;
    }
    if (failure == null) {
      failures = 0;
      lease().failing(null);
    } else {
      failed(asked, count, failure);
    }
    // Whatever was said of it, the session lives.
    asked.items().subList(0, asked.sendable()).forEach(this::acquit);
    if (count > 0) {
      store(asked, said.results());
    } else {
      notDone(asked);
    }
  }

  private void acquit(StepBatch.Item item) {
    lease().doubts(item.acquitted(lease().doubts()));
  }

  /** Nothing of it is done; unless the first of it is to be parked, all is tried again. */
  private void notDone(StepBatch asked) {
    putBack(asked.events());
    hasInbox = true;
    parkOrIdle();
  }

  /**
   * @param at which item failed
   */
  private void failed(StepBatch asked, int at, DecideMessage.Failure failure) {
    failed(asked, at, failure, at < asked.sendable());
  }

  /**
   * @param isSure whether it was this item and no other
   */
  private void failed(StepBatch asked, int at, DecideMessage.Failure failure, boolean isSure) {
    // What passes by itself is no fault of the handler.
    var isPassing = failure.code().retry() == ErrorCode.Retry.LATER;
    failures = at > 0 ? 1 : failures + 1;
    var item = asked.items().get(Math.min(at, asked.items().size() - 1));
    var event = item.input().event();
    var cause = Printable.line(failure.detail());
    lease()
        .failing(
            (isPassing ? "waits" : "failing")
                + (event == null
                    ? " at the saga " + Printable.line(item.key())
                    : " at position " + event.position())
                + ": "
                + cause);
    if (!isPassing && isSure) {
      var attempts = failureCounter.failed(item);
      if (attempts >= FailureCounter.ATTEMPTS) {
        failedItem = new FailedItem(item.deadLetter(), cause, attempts);
      }
    }
    var millis = Math.min(RETRY_MAX_MILLIS, RETRY_FIRST_MILLIS << Math.min(failures - 1, 10));
    delay(millis / 2 + ThreadLocalRandom.current().nextLong(millis / 2 + 1));
  }

  private void store(StepBatch asked, List<StepMessage.Result> results) {
    stage = Stage.STORING;
    stepBackend.store(this, asked, results, doneUpTo());
  }

  /**
   * The step is stored.
   *
   * @param place up to which all is done with it
   */
  void stored(StepBatch asked, StepBatch.Place place, boolean isComplete) {
    lease().committed(place.position(), place.command());
    done(place.position());
    if (!isComplete) {
      hasInbox = true;
      putBack(asked.eventsAfter(place.position()));
    }
    parkOrIdle();
  }

  /** The segment is somebody else's, or its row is not what it was held for. */
  void refused() {
    loseItsPlace();
    idle();
  }

  /** A result broke a rule: as if the handler had failed. */
  void unfit(StepBatch asked, EventoException broken) {
    failedItem = null;
    var failure = new DecideMessage.Failure(ErrorCode.HANDLER_FAILED, broken.detail(), List.of());
    // Whose result it was is known only where there was one.
    failed(asked, 0, failure, asked.sendable() == 1);
    notDone(asked);
  }

  // ---- what is parked

  private void parkOrIdle() {
    var parking = failedItem;
    if (parking != null && isRunning()) {
      stage = Stage.STORING;
      stepBackend.park(this, parking);
    } else {
      idle();
    }
  }

  /** A letter is committed; of its key nothing is given any more. */
  void parked(DeadLetter parked) {
    parked().add(List.of(parked.key()));
    forget(Set.of(parked.position()));
    lease().doubts(parked.acquitted(lease().doubts()));
    failures = 0;
    isDelayed = false;
    lease().failing(null);
    idle();
  }

  /** There is no room for letters: what was to be parked is tried again once there is. */
  void full(List<RecordedEvent> events) {
    putBack(events);
    hasInbox = true;
    parked().full(true);
    lease().failing("waits for room: dead letters are full");
    idle();
  }

  // ---- letters that are tried again

  private void beginLetter() {
    stage = Stage.LOADING;
    stepBackend.loadLetter(this, lastKey);
  }

  /**
   * @param found null if none is to be tried now
   */
  void letterLoaded(StepParking.@Nullable Found found) {
    if (found == null) {
      parked().due(false);
      idle();
    } else if (!isRunning()) {
      idle();
    } else if (lease().doubts().areProven() && lease().doubts().covers(found.letter().id())) {
      letter = found;
      var cause = lease().doubts().cause();
      lease().doubts(lease().doubts().without(found.letter().id()));
      letterFailed(found, cause, false);
    } else if (found.batch().items().isEmpty()) {
      letter = found;
      storeLetter(found, List.of());
    } else if (isHeldBack()) {
      idle();
    } else {
      letter = found;
      ask(found.batch());
    }
  }

  /** Which letter is next could not be found out; somebody looks again soon. */
  void letterNotLoaded() {
    parked().due(false);
    idle();
  }

  private void letterDecided(StepParking.Found tried, StepMessage.Stepped said) {
    lease().doubts(lease().doubts().without(tried.letter().id()));
    var failure = said.failure();
    if (failure != null) {
      letterFailed(tried, failure.detail(), failure.code().retry() == ErrorCode.Retry.LATER);
    } else if (said.results().size() == 1) {
      storeLetter(tried, said.results());
    } else {
      letterUnfit(tried, EventoException.invalid("/results", "must be as many as were asked"));
    }
  }

  void letterUnfit(StepParking.Found tried, EventoException broken) {
    letterFailed(tried, broken.detail(), false);
  }

  private void storeLetter(StepParking.Found tried, List<StepMessage.Result> results) {
    stage = Stage.STORING;
    stepBackend.storeLetter(this, tried, results);
  }

  private void letterFailed(StepParking.Found tried, String cause, boolean isPassing) {
    stage = Stage.STORING;
    stepBackend.letterFailed(this, tried, Printable.line(cause), isPassing);
  }

  /**
   * A letter's step is stored, and the letter gone.
   *
   * @param place up to which all is done
   * @param isLive whether its key is
   */
  void letterTaken(StepParking.Found tried, StepBatch.Place place, boolean isLive) {
    lease().committed(place.position(), place.command());
    letterSettled(tried, isLive);
  }

  /**
   * What became of a letter is stored, or it is no more.
   *
   * @param isLive whether its key may have become live
   */
  void letterSettled(StepParking.Found tried, boolean isLive) {
    lastKey = tried.letter().key();
    lettersInARow++;
    // Its outcomes and deadlines may have waited all the time.
    hasInbox |= isLive;
    idle();
  }

  private void idle() {
    stage = Stage.IDLE;
    batch = null;
    letter = null;
    failedItem = null;
    // The next thing waits for its turn, should something be tried here.
    session().custody().left(this);
    noteQuiet();
    ring();
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
    return stepBackend.hasRoom(lease().segment().consumer()) ? 0 : ROOM_NANOS;
  }

  /** The server's own checkpoint needs no word of the bundle to pass over what concerns nobody. */
  @Override
  public long moveOn(long now) {
    if (stage != Stage.IDLE || !isRunning()) {
      return 0;
    }
    if (!hasWaiting() && looked().position() > doneUpTo()) {
      lease().reach(looked().position(), lookedCommand());
      done(looked().position());
    }
    return wantsBatch() ? Math.max(pause(now), ROOM_NANOS) : parked().isDue() ? ROOM_NANOS : 0;
  }
}
