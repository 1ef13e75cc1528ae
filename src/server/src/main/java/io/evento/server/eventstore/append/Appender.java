package io.evento.server.eventstore.append;

import io.evento.protocol.Backoff;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.append.AppendFunction.Answer;
import io.evento.server.eventstore.follow.AppendedEventsPublisher;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.persistence.Database;
import io.evento.server.telemetry.Metrics;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The node's only way to write events and outcomes: one thread, one connection, one call under way.
 * Whatever arrives meanwhile is the next batch.
 *
 * <p>An answer that got lost leaves a batch of which nobody knows whether it was stored. It is
 * settled by the same call with the same batch, before anything else and until the store answers.
 * Never by a look into the table: the lost call may still wait for the gate and commit after the
 * look. The repeated call queues behind it there, and then finds its rows or makes its own.
 *
 * <p>As a batch is settled before the next is taken, the links that wait of a {@linkplain
 * AppendQueue chain} are called only once the outcome of those before them is known. Where these
 * came to nothing, those that wait are answered <em>stale</em> without a call: all of them in one
 * go, so that they cost no commit each.
 *
 * <p>The thread never runs a caller's code: results are handed to another one, in order.
 *
 * <p>Keeps invariant I1.
 */
@NodeScoped
public class Appender {
  private static final Logger LOG = System.getLogger(Appender.class.getName());

  /** How long a request waits that was not tried, or is known not to be stored. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** How long the parts of a batch are tried that took too long as a whole. */
  private static final Duration PATIENCE_IN_PARTS = Duration.ofSeconds(10);

  /** Without an answer for so long, new requests are sent away at once: try another node. */
  private static final Duration DOWN = Duration.ofSeconds(2);

  /** After so many lost answers in a row each command goes alone, and after as many more, none. */
  private static final int LOSSES = 5;

  /** A failure that goes on is logged so often. */
  private static final Duration SILENCE = Duration.ofSeconds(5);

  private static final Backoff BACKOFF =
      new Backoff(Duration.ofMillis(100), Duration.ofMillis(800));

  private static final AppendQueue.Limits LIMITS =
      new AppendQueue.Limits(256, 1 << 20, 50_000, 20_000, 64L << 20);

  private final Database database;
  private final Threads threads;
  private final Follower follower;
  private final Iterable<AppendedEventsPublisher> publishers;
  private final Executor answers;
  private final AppendQueue queue;
  private final AppendMetrics metrics;
  private final KnownStore known;

  // Of the append thread.
  private final AppendSession session;
  private long silentUntil = System.nanoTime();

  private volatile boolean closed;
  private volatile boolean probeWanted = true;
  // System.nanoTime() since when no call succeeds; null while calls do.
  private volatile @Nullable Long downSince = System.nanoTime();
  private @Nullable Thread thread;

  @Inject
  public Appender(
      Database database,
      Threads threads,
      Metrics metrics,
      Follower follower,
      Instance<AppendedEventsPublisher> publishers) {
    this(LIMITS, database, threads, metrics, follower, publishers);
  }

  /** With limits of the caller's, and told who is to hear of fresh events beside the follower. */
  public Appender(
      AppendQueue.Limits limits,
      Database database,
      Threads threads,
      Metrics metrics,
      Follower follower,
      Iterable<AppendedEventsPublisher> publishers) {
    this.database = database;
    this.threads = threads;
    this.follower = follower;
    this.publishers = publishers;
    this.queue = new AppendQueue(limits, follower::head);
    this.metrics = new AppendMetrics(metrics, queue);
    this.known = new KnownStore(database, follower, this::probe);
    this.session = new AppendSession(database, follower, known);
    metrics.gauge(
        "evento.store.refused",
        "1 while the database that answers is older than what this node knows",
        () -> known.refusal() == null ? 0 : 1);
    // A batch is answered by one task, and there are never more batches than commands under way.
    this.answers = threads.pool("append-answers", 1, limits.waiting() + 16);
  }

  /** Begins to append; the database need not be there yet. */
  public void start() {
    follower.onRegress(this::probe);
    // Another node may have opened it: only the store itself says on which server it is, without
    // which the next one that goes on from there could not be told from an old copy.
    follower.onNewEpoch(change -> probe());
    thread = threads.start("append", this::run);
    var tick = PATIENCE.toMillis() / 20;
    threads.timer().scheduleWithFixedDelay(this::expire, tick, tick, TimeUnit.MILLISECONDS);
  }

  /** Whether the last word from the database was an answer: a node that is not is not ready. */
  public boolean isReady() {
    var running = thread;
    return downSince == null && !closed && running != null && running.isAlive();
  }

  /** A sentence for operators and callers; of interest while this node is not ready. */
  public String whyNotReady() {
    if (known.refusal() != null) {
      return "the database that answers is older than what this node knows of the store";
    }
    return database
        .unfit()
        .orElse(
            thread == null
                ? "this node has not opened the store yet"
                : "the database does not answer");
  }

  /**
   * Stores an outcome, together with whatever else waits.
   *
   * @return completes once the result is durable, in the order of commits, on a thread of the
   *     appender: what follows on it must be short and must not block. It fails with an {@link
   *     EventoException} {@code overloaded} or {@code unavailable} only where nothing was done and
   *     nothing will be; while it is not known whether something was done, it stays open until that
   *     is known, or fails with {@code deadline-exceeded} if asking does not help. A request that
   *     the store can never take fails with {@code internal}
   */
  public CompletionStage<AppendResult> append(AppendRequest appendRequest) {
    if (closed) {
      return refused(ErrorCode.UNAVAILABLE, "this node stops");
    }
    var since = downSince;
    if (since != null && System.nanoTime() - since > DOWN.toNanos()) {
      return refused(ErrorCode.UNAVAILABLE, whyNotReady());
    }
    var pendingAppend = new PendingAppend(appendRequest, System.nanoTime());
    return queue.offer(pendingAppend)
        ? pendingAppend.result()
        : CompletableFuture.failedStage(
            EventoException.overloaded(
                "too many commands wait for the event store", queue.untilRoom()));
  }

  /** What this node knows of its store. */
  public KnownStore known() {
    return known;
  }

  private static CompletionStage<AppendResult> refused(ErrorCode code, String detail) {
    return CompletableFuture.failedStage(new EventoException(code, detail));
  }

  /** Asks the store for its epoch and head soon; a store that lost events then opens an epoch. */
  private void probe() {
    probeWanted = true;
  }

  private void run() {
    try {
      while (!closed || queue.count() > 0) {
        var batch = queue.take(Duration.ofMillis(250));
        // While it is down it is asked also if nobody waits: else it would never be ready again.
        if (!batch.isEmpty() || probeWanted || downSince != null || session.isProbeDue()) {
          settleOrFail(batch);
        }
      }
    } catch (InterruptedException asked) {
      Thread.currentThread().interrupt();
    } finally {
      session.close();
      fail(queue.takeOlder(System.nanoTime()), ErrorCode.UNAVAILABLE, "this node stops");
    }
  }

  /** A bug met with one batch must not end the appending of all others. */
  private void settleOrFail(List<PendingAppend> batch) throws InterruptedException {
    metrics.begins(batch);
    try {
      settle(batch, false, System.nanoTime() + PATIENCE.toNanos(), true);
    } catch (RuntimeException | Error failure) {
      LOG.log(Level.ERROR, "a batch could not be settled", failure);
      session.close();
      fail(batch, ErrorCode.INTERNAL, "stored or not: a repeat settles it");
    }
  }

  /**
   * Calls until every command of the batch has its result.
   *
   * @param lost whether an earlier call of these commands may have been stored
   * @param until {@code System.nanoTime()} at which those are failed that are known not to be
   *     stored
   * @param isWhole whether it is as it was taken from the queue
   */
  private void settle(List<PendingAppend> batch, boolean lost, long until, boolean isWhole)
      throws InterruptedException {
    var requests = batch.stream().map(PendingAppend::request).toList();
    var inDoubt = lost;
    var losses = 0;
    for (var attempt = 0; ; attempt++) {
      AppendFailure appendFailure;
      var isTooLong = false;
      try {
        var answer = call(requests);
        if (!answer.warned()) {
          deliver(batch, requests, answer, inDoubt);
          return;
        }
        // A commit that did not wait for its standby: the next answer will have.
        appendFailure =
            failed(AppendFailure.LOST, requests, new SQLException("a warning with the answer"));
      } catch (SQLException failure) {
        appendFailure = failed(AppendFailure.of(failure), requests, failure);
        isTooLong = AppendFailure.isTooLong(failure);
        if (appendFailure == AppendFailure.REFUSED) {
          refuse(batch, inDoubt, failure, until);
          return;
        }
      } catch (NotConnectedException failure) {
        appendFailure = failed(AppendFailure.UNFIT, requests, failure.reason());
      }
      inDoubt |= appendFailure == AppendFailure.LOST;
      // One in doubt that is always too long would be asked for without an end, before all others.
      if (appendFailure == AppendFailure.LOST || (isTooLong && inDoubt && batch.size() == 1)) {
        losses++;
        // The database answers when asked for its head, and never to these commands.
        if (losses >= LOSSES && batch.size() > 1) {
          settleEach(batch, true, until);
          return;
        }
        if (losses >= 2 * LOSSES) {
          fail(batch, ErrorCode.DEADLINE_EXCEEDED, "no outcome known, a repeat settles it");
          return;
        }
      }
      if (downSince == null) {
        downSince = System.nanoTime();
      }
      if (appendFailure != AppendFailure.BUSY) {
        session.close();
      }
      var isInTime = !closed && System.nanoTime() - until < 0;
      if (isTooLong && batch.size() > 1 && (inDoubt || isWhole || isInTime)) {
        // Again as a whole it would take as long again, at the gate, before all others. A call that
        // got lost before is no reason to: each part queues behind it as the whole would.
        var end = isWhole ? System.nanoTime() + PATIENCE_IN_PARTS.toNanos() : until;
        var half = batch.size() / 2;
        settle(batch.subList(0, half), inDoubt, end, false);
        settle(batch.subList(half, batch.size()), inDoubt, end, false);
        return;
      }
      if (!inDoubt && (closed || System.nanoTime() - until > 0)) {
        fail(batch, ErrorCode.UNAVAILABLE, whyNotReady());
        return;
      }
      Thread.sleep(BACKOFF.halfByChance(attempt).toMillis());
    }
  }

  private void settleEach(List<PendingAppend> batch, boolean inDoubt, long until)
      throws InterruptedException {
    for (var pendingAppend : batch) {
      settle(List.of(pendingAppend), inDoubt, until, false);
    }
  }

  /** One command of the batch cannot be stored: each by itself, to find out which. */
  private void refuse(List<PendingAppend> batch, boolean inDoubt, SQLException failure, long until)
      throws InterruptedException {
    if (batch.size() != 1) {
      settleEach(batch, inDoubt, until);
      return;
    }
    var pendingAppend = batch.get(0);
    var cut = queue.cut(chains(batch));
    answers.execute(
        () -> {
          queue.release(pendingAppend);
          if ("23505".equals(failure.getSQLState())) {
            // An index had the last word on a stream or an id: somebody else wrote.
            pendingAppend.result().complete(new AppendResult.Stale(List.of()));
          } else {
            pendingAppend.fail(ErrorCode.INTERNAL, "the event store cannot take this outcome");
          }
          tellStale(cut);
        });
  }

  private AppendFailure failed(
      AppendFailure appendFailure, List<AppendRequest> batch, SQLException failure) {
    metrics.failed(appendFailure);
    var now = System.nanoTime();
    if (now - silentUntil < 0) {
      return appendFailure;
    }
    silentUntil = now + SILENCE.toNanos();
    LOG.log(
        Level.WARNING,
        () ->
            "append failed trouble="
                + appendFailure
                + " state="
                + failure.getSQLState()
                + " commands="
                + batch.size()
                + " reason="
                + String.valueOf(failure.getMessage()).lines().findFirst().orElse(""));
    return appendFailure;
  }

  private Answer call(List<AppendRequest> batch) throws SQLException, NotConnectedException {
    probeWanted = false;
    var began = System.nanoTime();
    var answer = session.call(batch);
    if (!answer.warned()) {
      downSince = null;
      metrics.answered(batch.size(), answer, Duration.ofNanos(System.nanoTime() - began));
    }
    return answer;
  }

  private void deliver(
      List<PendingAppend> batch, List<AppendRequest> requests, Answer answer, boolean settled) {
    var cut = queue.cut(BatchResult.brokenChains(answer, requests, settled));
    answers.execute(
        () -> {
          try {
            tell(batch, BatchResult.of(answer, requests, settled), settled);
          } catch (RuntimeException failure) {
            LOG.log(Level.ERROR, "an answer of the store was not understood", failure);
            for (var pendingAppend : batch) {
              pendingAppend.fail(ErrorCode.INTERNAL, "stored or not: a repeat settles it");
            }
          } finally {
            batch.forEach(queue::release);
            tellStale(cut);
          }
        });
  }

  /** A link before these is not stored, so nothing was done for them. */
  private void tellStale(List<PendingAppend> cut) {
    for (var pendingAppend : cut) {
      queue.release(pendingAppend);
      pendingAppend.result().complete(new AppendResult.Stale(List.of()));
    }
  }

  private static Set<String> chains(List<PendingAppend> batch) {
    return batch.stream()
        .map(PendingAppend::request)
        .filter(AppendRequest::isLink)
        .map(link -> link.bases().get(0).stream())
        .collect(Collectors.toSet());
  }

  private void tell(List<PendingAppend> batch, BatchResult batchResult, boolean settled) {
    var appendedEvents = batchResult.written();
    // After settling, others may have heard of these events, or of later ones, already.
    var announced = !settled && appendedEvents.head() > appendedEvents.base();
    if (announced) {
      follower.offer(appendedEvents);
    }
    for (var i = 0; i < batch.size(); i++) {
      var result = batchResult.results().get(i);
      batch.get(i).result().complete(result);
      if (result instanceof AppendResult.Appended) {
        metrics.stored(batch.get(i).request().events());
      }
    }
    if (announced) {
      publishers.forEach(publisher -> publisher.publish(appendedEvents.forPeers()));
    }
  }

  private void fail(List<PendingAppend> batch, ErrorCode code, String detail) {
    if (!batch.isEmpty()) {
      var cut = queue.cut(chains(batch));
      answers.execute(
          () -> {
            for (var pendingAppend : batch) {
              if (!pendingAppend.result().isDone()) {
                queue.release(pendingAppend);
                pendingAppend.fail(code, detail);
              }
            }
            tellStale(cut);
          });
    }
  }

  private void expire() {
    fail(
        queue.takeOlder(System.nanoTime() - PATIENCE.toNanos()),
        ErrorCode.UNAVAILABLE,
        database.unfit().orElse("the database did not answer in time"));
  }

  /** Takes nothing more, stores what waits if the database answers, and ends. */
  @PreDestroy
  public void close() {
    closed = true;
    var running = thread;
    if (running != null) {
      try {
        running.join(PATIENCE.toMillis());
      } catch (InterruptedException asked) {
        Thread.currentThread().interrupt();
      }
      running.interrupt();
    }
  }
}
