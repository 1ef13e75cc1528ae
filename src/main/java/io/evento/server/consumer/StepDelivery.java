package io.evento.server.consumer;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Message;
import io.evento.protocol.Stepping;
import io.evento.server.routing.BundleSession;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A segment of a saga or observer as it is delivered to one session: one batch after the other,
 * each looked up, asked, and stored, before the next is begun.
 *
 * <p>Why the order per key holds: there is one batch at a time, and the next one is put together
 * from the rows and the events that are left when the one before is stored. Why a step has effect
 * once: {@link StepTable} stores it with the checkpoint, and with the removal of the outcome or
 * deadline that it is about, or not at all.
 */
final class StepDelivery extends Delivery {
  private static final long RETRY_FIRST_MILLIS = 100;
  private static final long RETRY_MAX_MILLIS = 10_000;
  private static final long ROOM_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private enum Stage {
    IDLE,
    /** What goes along is being looked up. */
    LOADING,
    /** The session has it. */
    ASKED,
    /** What the session decided is being stored. */
    STORING
  }

  /** Whoever speaks with the database for it; all answers come on the delivery thread. */
  interface Desk {
    /** Answers with {@link #loaded}, or with {@link #notLoaded}. */
    void load(StepDelivery delivery, StepBatch.Request request);

    /** Answers with {@link #stored}. */
    void store(StepDelivery delivery, StepBatch batch, List<Stepping.Result> results, long from);

    /** Whether commands may be added to those on their way. */
    boolean hasRoom();
  }

  private final Desk desk;
  private volatile boolean hasInbox = true;
  private volatile Message.@Nullable Stepped answer;
  private Stage stage = Stage.IDLE;
  private @Nullable StepBatch batch;
  private long number;
  private int failures;
  private long notBefore;
  private boolean isDelayed;

  StepDelivery(Lease lease, BundleSession session, Filter filter, Desk desk) {
    super(lease, session, filter);
    this.desk = desk;
  }

  // ---- for every thread

  /** An outcome or a deadline may wait for a saga of this segment. */
  void ringInbox() {
    hasInbox = true;
    ring();
  }

  /** The session has decided; one answer is awaited at a time. */
  void answered(Message.Stepped said) {
    answer = said;
    ring();
  }

  // ---- for the delivery thread

  @Override
  boolean isBusy() {
    return stage != Stage.IDLE;
  }

  @Override
  int pump(long now) {
    var said = answer;
    if (said != null) {
      answer = null;
      decided(said, now);
    }
    return mayBegin(now) ? begin() : 0;
  }

  private boolean mayBegin(long now) {
    return stage == Stage.IDLE
        && isRunning()
        && !hasLostItsPlace()
        && (hasWaiting() || hasInbox)
        && pause(now) == 0
        && lease().isTrusted(now)
        // The first write must find the row in the epoch that it names.
        && lease().isWrittenIn(looked().epoch());
  }

  private int begin() {
    var withInbox = hasInbox;
    hasInbox = false;
    var events = takeWaiting();
    var end = hasWaiting() && !events.isEmpty() ? events.get(events.size() - 1) : null;
    stage = Stage.LOADING;
    desk.load(
        this,
        new StepBatch.Request(
            lease(),
            filter(),
            events,
            end == null ? looked() : looked().at(end.position()),
            end == null ? lookedCommand() : end.commandId(),
            withInbox && filter().isAssociated()));
    return events.size();
  }

  void loaded(StepBatch loaded) {
    // What failed is tried alone, so that others are not handled again with each try.
    var found = failures > 0 ? loaded.alone() : loaded;
    batch = found;
    hasInbox |= found.more();
    if (!isRunning()) {
      idle();
    } else if (found.isEmpty()) {
      lease().reach(found.upTo().position(), found.command());
      done(found.upTo().position());
      idle();
    } else if (found.items().isEmpty()) {
      store(found, List.of());
    } else {
      stage = Stage.ASKED;
      session().send(found.message(lease(), ++number), Lane.REQUEST);
    }
  }

  /** What would have gone along was not found; tried again a little later. */
  void notLoaded(StepBatch.Request request) {
    putBack(request.events());
    hasInbox |= request.withInbox();
    delay(RETRY_FIRST_MILLIS);
    idle();
  }

  private void decided(Message.Stepped said, long now) {
    var asked = batch;
    if (stage != Stage.ASKED || asked == null || said.batch() != number) {
      return;
    }
    var failure = said.failure();
    if (failure != null) {
      failed(asked, said.results().size(), failure, now);
    } else {
      failures = 0;
      lease().failing(null);
    }
    if (said.results().size() > asked.sendable()) {
      unfit(asked, EventoException.invalid("/results", "must not be more than were asked"), now);
    } else if (said.results().isEmpty()) {
      putBack(asked.events());
      hasInbox = true;
      idle();
    } else {
      store(asked, said.results());
    }
  }

  private void failed(StepBatch asked, int at, Message.Failure failure, long now) {
    // What passes by itself is no fault of the handler.
    var isPassing = failure.code().retry() == ErrorCode.Retry.LATER;
    failures = at > 0 ? 1 : failures + 1;
    var item = asked.items().get(Math.min(at, asked.items().size() - 1));
    var event = item.happening().event();
    lease()
        .failing(
            (isPassing ? "waits" : "failing")
                + (event == null
                    ? " at the saga " + Deliveries.printable(item.key())
                    : " at position " + event.position())
                + ": "
                + Deliveries.printable(failure.detail()));
    var millis = Math.min(RETRY_MAX_MILLIS, RETRY_FIRST_MILLIS << Math.min(failures - 1, 10));
    delay(millis / 2 + ThreadLocalRandom.current().nextLong(millis / 2 + 1));
  }

  private void store(StepBatch asked, List<Stepping.Result> results) {
    stage = Stage.STORING;
    desk.store(this, asked, results, doneUpTo());
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
    idle();
  }

  /** The segment is somebody else's, or its row is not what it was held for. */
  void refused() {
    loseItsPlace();
    idle();
  }

  /** A result broke a rule: as if the handler had failed. */
  void unfit(StepBatch asked, EventoException broken, long now) {
    failed(
        asked, 0, new Message.Failure(ErrorCode.HANDLER_FAILED, broken.detail(), List.of()), now);
    putBack(asked.events());
    hasInbox = true;
    idle();
  }

  private void idle() {
    stage = Stage.IDLE;
    batch = null;
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
    return desk.hasRoom() ? 0 : ROOM_NANOS;
  }

  /** The server's own checkpoint needs no word of the bundle to pass over what concerns nobody. */
  @Override
  long moveOn(long now) {
    if (stage != Stage.IDLE || !isRunning()) {
      return 0;
    }
    if (!hasWaiting() && looked().position() > doneUpTo()) {
      lease().reach(looked().position(), lookedCommand());
      done(looked().position());
    }
    return hasWaiting() || hasInbox ? Math.max(pause(now), ROOM_NANOS) : 0;
  }
}
