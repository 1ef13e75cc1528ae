package io.evento.server.consumer.live;

import io.evento.protocol.Backoff;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.QueryMessage;
import io.evento.server.consumer.live.QueryWatch.Holding;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.Failures;
import io.evento.server.security.Caller;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One subscription, from its query to its end. What happens to it is posted and handled one thing
 * at a time, on few threads that all subscriptions of the node share; see the package for what
 * holds and why.
 */
public final class LiveQuery {
  private static final Logger LOG = System.getLogger(LiveQuery.class.getName());

  /** What waits for its subscriber or for the answer; more is replaced by a fresh answer. */
  static final int WAITING_MAX = 1_000;

  private static final long WAITING_CHARS_MAX = 1 << 20;
  private static final long SILENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(1_500);
  private static final long KEEP_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long BEAT_NANOS = TimeUnit.SECONDS.toNanos(15);
  private static final long CALM_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(5));
  private static final int AGAIN_MILLIS = 10_000;

  private enum Phase {
    /** Between two attempts. */
    PAUSING,
    /** Nodes are asked to watch. */
    WATCHING,
    /** They do; the question is asked. */
    ASKING,
    /** The answer was given, updates follow. */
    LIVE,
    /** The subscriber is too slow: it gets a fresh answer when it takes something again. */
    STUFFED,
    ENDED
  }

  /** An answer, or an update. */
  private record Said(int attempt, @Nullable Json view, LiveMessage.@Nullable Update update) {
    int chars() {
      var json = view != null ? view : update == null ? null : update.payload();
      return json == null ? 0 : json.text().length();
    }
  }

  private final LiveQueries all;
  private final Caller caller;
  private final QueryMessage.Query query;
  private final SubscriptionSink subscriptionSink;
  private final Deadline deadline;
  private final ConcurrentLinkedQueue<Runnable> posted = new ConcurrentLinkedQueue<>();
  private final AtomicInteger asked = new AtomicInteger();
  private final AtomicInteger updatesPosted = new AtomicInteger();
  private volatile boolean overflowed;

  // Confined to turns.
  private Phase phase = Phase.PAUSING;
  private @Nullable JoinAttempt joinAttempt;
  private int attempts;
  private int failures;
  private boolean isAnswered;
  private @Nullable EventoException lastWhy;
  private final Set<String> unheard = new HashSet<>();
  private final List<LiveMessage.Update> early = new ArrayList<>();
  private final ArrayDeque<Said> waiting = new ArrayDeque<>();
  private long waitingChars;
  private long pausedUntil;
  private long liveSince;
  private long saidAt = System.nanoTime();
  private long blockedSince;
  private long keptAt;

  LiveQuery(
      LiveQueries all, Caller caller, QueryMessage.Query query, SubscriptionSink subscriptionSink) {
    this.all = all;
    this.caller = caller;
    this.query = query;
    this.subscriptionSink = subscriptionSink;
    this.deadline = Deadline.in(query.deadline());
  }

  // ---- for every thread

  /** There is room again. */
  public void ring() {
    post(this::pump);
  }

  /** The subscriber wants no more, or is gone. */
  public void close() {
    post(this::ended);
  }

  void begin() {
    post(this::watch);
  }

  /** Sends the subscriber elsewhere. */
  void drain() {
    post(() -> end("drain", "the node leaves"));
  }

  Caller caller() {
    return caller;
  }

  /** The subscriber's credential is not valid any more. */
  void revoke() {
    post(this::revoked);
  }

  private void revoked() {
    if (isAnswered) {
      subscriptionSink.end("revoked", "the credential is not valid any more");
    } else {
      subscriptionSink.fail(
          new EventoException(ErrorCode.UNAUTHENTICATED, "the credential is not valid any more"));
    }
    ended();
  }

  void changed(String node, UUID ofAttempt, long number, LiveMessage.Update update) {
    if (updatesPosted.incrementAndGet() > 2 * WAITING_MAX) {
      // Dropped: the number that follows will be missed.
      updatesPosted.decrementAndGet();
      overflowed = true;
      return;
    }
    post(
        () -> {
          updatesPosted.decrementAndGet();
          onChange(node, ofAttempt, number, update);
        });
  }

  void beat(String node, UUID ofAttempt, long number, long signature) {
    post(() -> onBeat(node, ofAttempt, number, signature));
  }

  void tick() {
    post(this::onTick);
  }

  private void post(Runnable what) {
    posted.add(what);
    if (asked.getAndIncrement() == 0) {
      all.run(this::turn);
    }
  }

  private void turn() {
    var count = asked.get();
    for (var i = 0; i < count; i++) {
      var next = posted.poll();
      if (next != null && phase != Phase.ENDED) {
        try {
          // Looked at each time: who is told of a revocation may be told a moment late.
          if (all.isValid(caller)) {
            next.run();
          } else {
            revoked();
          }
        } catch (RuntimeException failure) {
          LOG.log(Level.ERROR, "subscription failed", failure);
          restart("a failure of the server");
        }
      }
    }
    if (asked.addAndGet(-count) != 0) {
      all.run(this::turn);
    }
  }

  // ---- an attempt: watch, ask, live

  private void watch() {
    var consumer = all.consumer(query.type()).orElse(null);
    if (consumer == null) {
      retry(
          new EventoException(
              ErrorCode.NO_HANDLER,
              "no live session hosts the projector that " + query.type() + " is answered from"));
      return;
    }
    var begun = new JoinAttempt(++attempts, consumer);
    joinAttempt = begun;
    phase = Phase.WATCHING;
    early.clear();
    overflowed = false;
    unheard.clear();
    unheard.addAll(all.nodes());
    var asking = query.copy(begun.id(), query.deadline());
    all.register(begun.id(), this);
    for (var node : List.copyOf(unheard)) {
      all.watch(node, new QueryWatch(begun.id(), consumer, asking))
          .whenComplete((holding, failure) -> post(() -> watchedBy(begun, node, holding)));
    }
  }

  private void watchedBy(JoinAttempt begun, String node, @Nullable Holding holding) {
    if (begun != joinAttempt) {
      return;
    }
    unheard.remove(node);
    var isComplete = holding != null && begun.watchedBy(node, holding, System.nanoTime());
    if (phase != Phase.WATCHING) {
      return; // late, and not needed
    }
    if (isComplete) {
      ask(begun);
    } else if (unheard.isEmpty()) {
      retry(
          new EventoException(
              ErrorCode.NO_HANDLER,
              begun.slotsMissing()
                  + " of the 128 slots of "
                  + begun.consumer()
                  + " have no owner whose session can tell updates"));
    }
  }

  private void ask(JoinAttempt begun) {
    phase = Phase.ASKING;
    var millis = isAnswered ? AGAIN_MILLIS : Math.max(1, deadline.millisLeft());
    all.ask(
            query.withProgress(UUID.randomUUID(), begun.consumer(), millis),
            begun.consumer(),
            query.id())
        .whenComplete((view, failure) -> post(() -> answered(begun, view, failure)));
  }

  private void answered(
      JoinAttempt begun, LiveMessage.@Nullable View view, @Nullable Throwable failure) {
    if (begun != joinAttempt || phase != Phase.ASKING) {
      return;
    }
    if (view == null) {
      var told =
          failure == null
              ? new EventoException(ErrorCode.INTERNAL, "an answer without a view")
              : Failures.told(failure);
      if (told.code().retry() == ErrorCode.Retry.LATER) {
        retry(told);
      } else {
        subscriptionSink.fail(told);
        ended();
      }
      return;
    }
    begun.answered(view.progress());
    phase = Phase.LIVE;
    liveSince = System.nanoTime();
    isAnswered = true;
    var payload = view.payload();
    say(new Said(begun.ordinal(), payload == null ? Json.NULL : payload, null));
    for (var update : List.copyOf(early)) {
      take(begun, update);
    }
    early.clear();
    pump();
  }

  private void onChange(String node, UUID ofAttempt, long number, LiveMessage.Update update) {
    var now = joinAttempt;
    if (now == null || !now.id().equals(ofAttempt)) {
      return;
    }
    if (!now.isNext(node, number, System.nanoTime())) {
      restart("an update was lost");
    } else if (phase == Phase.ASKING) {
      if (early.size() >= WAITING_MAX) {
        restart("too many updates before the answer");
      } else {
        early.add(update);
      }
    } else if (phase == Phase.LIVE) {
      take(now, update);
      pump();
    }
    // What comes before the question is in the answer.
  }

  private void take(JoinAttempt now, LiveMessage.Update update) {
    if (phase != Phase.LIVE || now != joinAttempt) {
      return;
    }
    switch (now.verdict(update)) {
      case NEW -> say(new Said(now.ordinal(), null, update));
      case BROKEN -> restart("what changed could not be told");
      case COVERED -> {}
    }
  }

  private void onBeat(String node, UUID ofAttempt, long number, long signature) {
    var now = joinAttempt;
    if (now != null
        && now.id().equals(ofAttempt)
        && (phase == Phase.ASKING || phase == Phase.LIVE)
        && !now.isAsBefore(node, number, signature, System.nanoTime())) {
      restart("segments moved, or an update was lost");
    }
  }

  // ---- starting over

  private void retry(EventoException why) {
    if (!isAnswered && (deadline.isOver() || why.code().retry() != ErrorCode.Retry.LATER)) {
      subscriptionSink.fail(why);
      ended();
      return;
    }
    lastWhy = why;
    restart(why.detail());
  }

  private void restart(String why) {
    if (phase == Phase.ENDED) {
      return;
    }
    LOG.log(Level.DEBUG, () -> "subscription starts over type=" + query.type() + " why=" + why);
    all.counts(why);
    endAttempt();
    var now = System.nanoTime();
    failures = liveSince != 0 && now - liveSince > CALM_NANOS ? 0 : failures + 1;
    liveSince = 0;
    phase = Phase.PAUSING;
    var pause = BACKOFF.halfByChance(failures);
    pausedUntil = now + pause.toNanos();
    all.later(pause.toMillis(), () -> post(this::goOn));
  }

  private void goOn() {
    if (phase != Phase.PAUSING || System.nanoTime() - pausedUntil < 0) {
      return;
    }
    if (isAnswered && subscriptionSink.room() <= 0) {
      phase = Phase.STUFFED;
    } else if (!isAnswered && deadline.isOver()) {
      var why = lastWhy;
      subscriptionSink.fail(
          why != null
              ? why
              : new EventoException(
                  ErrorCode.DEADLINE_EXCEEDED,
                  "no answer that could be joined with updates in time"));
      ended();
    } else {
      watch();
    }
  }

  private void endAttempt() {
    var over = joinAttempt;
    joinAttempt = null;
    early.clear();
    waiting.clear();
    waitingChars = 0;
    if (over != null) {
      all.forget(over.id());
      for (var node : over.nodes()) {
        all.unwatch(node, over.id());
      }
    }
  }

  // ---- to the subscriber

  private void say(Said said) {
    waiting.add(said);
    waitingChars += said.chars();
  }

  private void pump() {
    if (phase == Phase.STUFFED && subscriptionSink.room() > 0) {
      blockedSince = 0;
      watch();
      return;
    }
    while (!waiting.isEmpty() && subscriptionSink.room() > 0) {
      var said = waiting.remove();
      waitingChars -= said.chars();
      saidAt = System.nanoTime();
      blockedSince = 0;
      if (said.view != null) {
        subscriptionSink.answer(said.attempt, said.view);
      } else if (said.update != null) {
        subscriptionSink.update(said.update);
      }
    }
    if (waiting.size() > WAITING_MAX || (waiting.size() > 1 && waitingChars > WAITING_CHARS_MAX)) {
      all.counts("its subscriber is too slow");
      endAttempt();
      phase = Phase.STUFFED;
    }
  }

  private void onTick() {
    var now = System.nanoTime();
    var open = joinAttempt;
    if (overflowed) {
      overflowed = false;
      restart("too many updates at once");
    } else if (open != null
        && (phase == Phase.ASKING || phase == Phase.LIVE)
        && open.isSilent(now, SILENCE_NANOS)) {
      restart("a node is silent");
    } else if (open != null
        && phase == Phase.LIVE
        && all.isOutdated(query.type(), open.consumer())) {
      restart("another version is live");
    } else if (phase == Phase.PAUSING && now - pausedUntil > 0) {
      goOn();
    }
    var isBlocked = (phase == Phase.STUFFED || !waiting.isEmpty()) && subscriptionSink.room() <= 0;
    if (!isBlocked) {
      blockedSince = 0;
    } else if (blockedSince == 0) {
      blockedSince = now;
    } else if (now - blockedSince > all.stallNanos()) {
      end("slow", "too little was taken");
      return;
    }
    if (phase == Phase.LIVE && now - saidAt > BEAT_NANOS && subscriptionSink.room() > 0) {
      saidAt = now;
      subscriptionSink.beat();
    }
    if (now - keptAt > KEEP_NANOS) {
      keptAt = now;
      keep();
    }
  }

  private void keep() {
    var open = joinAttempt;
    if (open != null) {
      for (var node : open.nodes()) {
        all.keep(node, open.id());
      }
    }
  }

  private void end(String reason, String detail) {
    if (isAnswered) {
      subscriptionSink.end(reason, detail);
    } else {
      subscriptionSink.fail(new EventoException(ErrorCode.UNAVAILABLE, detail + "; try another"));
    }
    ended();
  }

  private void ended() {
    phase = Phase.ENDED;
    endAttempt();
    all.ended(this);
  }
}
