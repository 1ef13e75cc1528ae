package io.evento.bundle.consumer;

import io.evento.bundle.api.Rewound;
import io.evento.bundle.thread.BoundedExecutor;
import io.evento.protocol.Backoff;
import io.evento.protocol.ConsumerMessage.Events;
import io.evento.protocol.ConsumerMessage.Nack;
import io.evento.protocol.ConsumerMessage.Parked;
import io.evento.protocol.ConsumerMessage.Retry;
import io.evento.protocol.RecordedEvent;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One segment of a projector: takes its events in order and has them handled, one step after the
 * other, on whichever worker is free.
 *
 * <p>A step belongs to the lease under which it began. When it ends and the lease has changed
 * meanwhile, what it found is dropped: not acknowledged, not retried.
 *
 * <p>An event that failed too often is handled no more, whoever wakes us, until the server says
 * that it is parked: it may be tried as a dead letter from then on, and must not take effect twice.
 * Then it is passed over, and so are those of its key that were sent after it.
 *
 * <p>The lock guards what links write (lease, queue); what only steps touch needs none, as each is
 * begun by {@code submit} of the one before.
 */
final class Segment extends LeasedSegment {
  /** Events that may be on their way to us. */
  static final int WINDOW = 256;

  private static final Logger LOG = System.getLogger(Segment.class.getName());
  private static final int GRANT = WINDOW / 4;
  private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(10));

  /** How often an event is tried before it is given up. */
  static final int ATTEMPTS = 5;

  /** How long the server may take to park an event before it is asked again. */
  private static final long PARK_AGAIN_MILLIS = 2_000;

  private final EventHandling eventHandling;
  private final ScheduledExecutorService clock;

  private final Deque<Events> queue = new ArrayDeque<>();
  private final Set<Long> passedOver = new HashSet<>();
  private @Nullable Retry asked;
  private int queuedEvents;
  private @Nullable Wait wait;

  /** The lease that the fields below belong to. */
  private @Nullable Lease begun;

  private @Nullable Checkpoint checkpoint;
  private int ungranted;
  private int failures;
  private int handlerFailures;
  private boolean oneByOne;
  private boolean wasLetter;

  /** What of another life of the store was handled here, and not told yet; null for nothing. */
  private @Nullable Rewound rewound;

  /** What the server was asked to park; null for nothing. */
  private @Nullable Nack parking;

  Segment(
      EventHandling eventHandling,
      BoundedExecutor boundedExecutor,
      ScheduledExecutorService clock) {
    super(boundedExecutor);
    this.eventHandling = eventHandling;
    this.clock = clock;
  }

  @Override
  void forget() {
    asked = null;
    passedOver.clear();
    queue.clear();
    queuedEvents = 0;
  }

  @Override
  void leased(Lease given) {
    hurry();
    wake();
  }

  /** A step that finds so gives the segment up, so that none runs any more by then. */
  @Override
  void stopped() {
    hurry();
    wake();
  }

  void events(Events events) {
    Lease flooded = null;
    synchronized (this) {
      if (!isHeldUnder(events.fence())) {
        return;
      }
      queue.add(events);
      queuedEvents += events.events().size();
      if (queuedEvents > 2 * WINDOW || queue.size() > 4 * WINDOW) {
        flooded = lease();
      }
    }
    if (flooded != null) {
      giveUp(flooded, "more events came than there was credit for");
    } else {
      wake();
    }
  }

  /** Events are dead letters now. */
  void parked(Parked parked) {
    synchronized (this) {
      if (!isHeldUnder(parked.fence())) {
        return;
      }
      passedOver.addAll(parked.positions());
    }
    hurry();
    wake();
  }

  /** A dead letter is to be tried again. */
  void retry(Retry letter) {
    synchronized (this) {
      if (!isHeldUnder(letter.fence())) {
        return;
      }
      asked = letter;
    }
    hurry();
    wake();
  }

  /** For a moment of the clock, in a worker's place: who takes it goes on, and nobody else does. */
  private static final class Wait {
    private @Nullable ScheduledFuture<?> timer;
  }

  /** What waits to be tried again belongs to a lease that is over: no need to wait any longer. */
  private void hurry() {
    synchronized (this) {
      if (wait == null) {
        return;
      }
      if (wait.timer != null) {
        wait.timer.cancel(false);
      }
      wait = null;
    }
    submit();
  }

  /**
   * The clock's. A timer can be cancelled while it runs and says that it was, so it is no proof
   * that nobody goes on: two workers would handle the same events.
   */
  private void goOn(Wait over) {
    synchronized (this) {
      if (wait != over) {
        return;
      }
      wait = null;
    }
    submit();
  }

  private void submitAfterFailure() {
    submitIn(BACKOFF.halfByChance(failures - 1).toMillis());
  }

  private void submitIn(long millis) {
    synchronized (this) {
      var mine = new Wait();
      mine.timer = clock.schedule(() -> goOn(mine), millis, TimeUnit.MILLISECONDS);
      wait = mine;
      var isNewsThere =
          asked != null || (parking != null && passedOver.contains(parking.position()));
      if (!isStopping() && lease() == begun && !isNewsThere) {
        return;
      }
    }
    hurry();
  }

  @Override
  void work() {
    Lease now;
    Events batch;
    Retry letter;
    synchronized (this) {
      now = lease();
      batch = queue.peek();
      letter = asked;
      var hasNoWork = !isStopping() && now == begun && batch == null && letter == null;
      if (now == null || hasNoWork) {
        rest();
        return;
      }
    }
    try {
      step(now, batch, letter);
    } catch (RuntimeException failure) {
      // Such as a data source's that does not keep to SQLException. Whatever a step does, it asks
      // for the next one last of all, so here nobody has.
      failures++;
      LOG.log(Level.ERROR, () -> "step failed, retrying " + now.keys(), failure);
      submitAfterFailure();
    }
  }

  private void step(Lease now, @Nullable Events batch, @Nullable Retry letter) {
    if (isStopping()) {
      giveUp(now, "the bundle stops");
      submit();
    } else if (now != begun) {
      begin(now);
    } else if (letter != null && (batch == null || !isEventsTurn())) {
      wasLetter = true;
      retry(now, letter);
    } else if (batch != null && checkpoint != null) {
      handle(now, batch, checkpoint);
    }
  }

  /** Letters and events take turns; events that have to wait anyway have none. */
  private boolean isEventsTurn() {
    return wasLetter && failures == 0 && parking == null;
  }

  private void begin(Lease now) {
    try {
      var standing = eventHandling.claim(now.enabled());
      if (standing.isEmpty()) {
        giveUp(now, "its checkpoint here was moved under a higher fence, or stands apart");
      } else {
        begun = now;
        checkpoint = standing.get();
        ungranted = 0;
        failures = 0;
        handlerFailures = 0;
        oneByOne = false;
        rewound = null;
        parking = null;
        now.grant(WINDOW, eventHandling.keepsCheckpoint() ? checkpoint : null);
      }
      submit();
    } catch (SQLException failure) {
      failures++;
      LOG.log(Level.WARNING, () -> "checkpoint not claimed, retrying " + now.keys(), failure);
      submitAfterFailure();
    }
  }

  private void handle(Lease now, Events batch, Checkpoint standing) {
    wasLetter = false;
    var sameEpoch = batch.epoch().equals(standing.epoch());
    if (sameEpoch && batch.from() > standing.position()) {
      giveUp(now, "events after " + standing.position() + " are missing");
      submit();
      return;
    }
    if (!sameEpoch) {
      LOG.log(
          Level.WARNING,
          () -> "epoch changed " + now.keys() + " epoch=" + batch.epoch() + " at=" + batch.from());
      if (standing.position() > batch.from()) {
        rewound = rewound(now, standing, batch);
      }
    }
    var from = sameEpoch ? standing.position() : batch.from();
    if (batch.upTo() <= from) {
      finished(now, batch, new Checkpoint(batch.epoch(), from));
      return;
    }
    var left = left(batch, from);
    if (parking != null) {
      if (!left.isEmpty() && left.get(0).position() == parking.position()) {
        askToPark(now, parking);
        return;
      }
      parking = null;
    }
    var taken = oneByOne && left.size() > 1 ? left.subList(0, 1) : left;
    var to = taken.size() == left.size() ? batch.upTo() : taken.get(0).position();
    var progress = eventHandling.apply(now.enabled(), batch.epoch(), from, to, taken, rewound);
    if (lease() != now) {
      // The segment changed hands meanwhile: whoever has it now goes by the checkpoint.
      submit();
      return;
    }
    switch (progress.kind()) {
      case DONE -> {
        rewound = null;
        done(now, batch, progress.position());
      }
      case HANDLER_FAILED -> handlerFailed(now, batch, from, progress, taken);
      case REWIND_FAILED -> rewindFailed(now, to, progress.cause());
      case DATABASE_FAILED -> {
        failures++;
        LOG.log(Level.WARNING, () -> "database failed, retrying " + now.keys(), progress.cause());
        submitAfterFailure();
      }
      case FENCED -> {
        giveUp(now, "its checkpoint was moved by another owner");
        submit();
      }
    }
  }

  private static Rewound rewound(Lease now, Checkpoint standing, Events batch) {
    var segment = now.enabled();
    return new Rewound(
        segment.consumer(),
        segment.segment(),
        segment.firstSlot(),
        segment.lastSlot(),
        standing.epoch(),
        batch.from() + 1,
        standing.position(),
        batch.epoch());
  }

  /** No event is to blame, so none is parked; the segment waits, and the server shows why. */
  private void rewindFailed(Lease now, long at, @Nullable Throwable cause) {
    failures++;
    LOG.log(Level.ERROR, () -> "rewind handler failed, retrying " + now.keys(), cause);
    now.answer().accept(now.nack(at, 0, "@RewindHandler: " + cause, false));
    submitAfterFailure();
  }

  private synchronized List<RecordedEvent> left(Events batch, long from) {
    return batch.events().stream()
        .filter(event -> event.position() > from && !passedOver.contains(event.position()))
        .toList();
  }

  private void retry(Lease now, Retry letter) {
    var progress = eventHandling.retry(now.enabled(), letter.letter(), letter.event());
    synchronized (this) {
      if (lease() != now) {
        submit();
        return;
      }
      asked = null;
    }
    var told = progress.why();
    switch (progress.kind()) {
      case DONE -> now.retried(letter.letter(), null, false);
      case HANDLER_FAILED ->
          now.retried(letter.letter(), told, FailureClassifier.isPassing(progress.cause()));
      case DATABASE_FAILED, REWIND_FAILED -> now.retried(letter.letter(), told, true);
      case FENCED -> giveUp(now, "its checkpoint was moved by another owner");
    }
    submit();
  }

  private void done(Lease now, Events batch, long position) {
    failures = 0;
    handlerFailures = 0;
    var reached = new Checkpoint(batch.epoch(), position);
    if (position >= batch.upTo()) {
      finished(now, batch, reached);
    } else {
      moved(now, reached);
      submit();
    }
  }

  private void moved(Lease now, Checkpoint reached) {
    checkpoint = reached;
    now.acknowledge(reached);
  }

  private void finished(Lease now, Events batch, Checkpoint reached) {
    oneByOne = false;
    moved(now, reached);
    synchronized (this) {
      passedOver.removeIf(position -> position <= reached.position());
      if (lease() == now && queue.peek() == batch) {
        queue.remove();
        queuedEvents -= batch.events().size();
      }
    }
    ungranted += batch.events().size();
    if (ungranted >= GRANT) {
      now.grant(ungranted, null);
      ungranted = 0;
    }
    submit();
  }

  private void handlerFailed(
      Lease now,
      Events batch,
      long from,
      EventHandling.Progress progress,
      List<RecordedEvent> taken) {
    var event = progress.failed();
    if (progress.position() > from) {
      moved(now, new Checkpoint(batch.epoch(), progress.position()));
      failures = 0;
      handlerFailures = 0;
    }
    if (eventHandling.keepsCheckpoint() && taken.size() > 1) {
      // All was rolled back. One by one, what stands before the failing event still gets through.
      oneByOne = true;
      submit();
      return;
    }
    var position = event == null ? from : event.position();
    var isPassing = FailureClassifier.isPassing(progress.cause());
    failures++;
    var attempt = isPassing ? 0 : ++handlerFailures;
    LOG.log(
        Level.ERROR,
        () -> "event failed " + now.keys() + " position=" + position + " attempt=" + attempt,
        progress.told());
    var nack = now.nack(position, attempt, progress.why(), attempt >= ATTEMPTS);
    if (nack.park()) {
      parking = nack;
      askToPark(now, nack);
    } else {
      now.answer().accept(nack);
      submitAfterFailure();
    }
  }

  private void askToPark(Lease now, Nack nack) {
    now.answer().accept(nack);
    submitIn(PARK_AGAIN_MILLIS);
  }
}
