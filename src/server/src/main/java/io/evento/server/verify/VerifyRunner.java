package io.evento.server.verify;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.cluster.NodeState;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.UncheckedSqlException;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.verify.VerifyTable.Held;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Works on the run that is under way, if no other node does. Each step looks at a bounded part of
 * the store, then writes in one transaction what it found and where the next one begins, under the
 * fence that it took the run with. So whoever goes on after a node died begins where that one's
 * last step ended. Between steps it waits ({@link VerifyPace}), so that the database has time for
 * others.
 */
@NodeScoped
public class VerifyRunner {
  private static final Logger LOG = System.getLogger(VerifyRunner.class.getName());
  private static final Duration EVERY = Duration.ofSeconds(5);

  /**
   * Longer than the deadlines of a step together, so that no other node takes the run meanwhile.
   * From a node that died it is taken at once: what counts then is that it is not alive.
   */
  private static final Duration LEASE = Duration.ofMinutes(10);

  /** So many steps in a row that fail end a run. */
  private static final int FAILURES_MAX = 10;

  private final VerifyTable table;
  private final VerifySteps steps;
  private final OrderReader order;
  private final Membership membership;
  private final Links links;
  private final Settings settings;
  private final Threads threads;
  private final ExecutorService worker;

  private volatile boolean isStarted;

  // Of the worker.
  private int failures;

  @Inject
  public VerifyRunner(
      VerifyTable table,
      VerifySteps steps,
      OrderReader order,
      Membership membership,
      Links links,
      Settings settings,
      Threads threads) {
    this.table = table;
    this.steps = steps;
    this.order = order;
    this.membership = membership;
    this.links = links;
    this.settings = settings;
    this.threads = threads;
    worker = threads.pool("verify", 1, 1);
  }

  /** Begins to look for runs; once the schema is there. */
  public void start() {
    isStarted = true;
    threads
        .timer()
        .scheduleWithFixedDelay(this::wake, 1_000, EVERY.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Looks for a run now; returns at once. */
  void wake() {
    if (!isStarted) {
      return;
    }
    try {
      worker.execute(this::look);
    } catch (RejectedExecutionException busy) {
      LOG.log(Level.TRACE, "a run of verify is under way here");
    }
  }

  private void look() {
    if (membership.state() != NodeState.UP) {
      return;
    }
    try {
      if (!table.isRunning()) {
        return;
      }
      var live =
          membership.members().nodes().stream()
              .filter(Node::isLive)
              .map(Node::incarnation)
              .toList();
      var held = table.claim(membership.self(), links.incarnation(), live, LEASE);
      if (held.isPresent()) {
        work(held.get());
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException failure) {
      LOG.log(Level.WARNING, () -> "run of verify not gone on with cause=" + failure.getMessage());
    }
  }

  private void work(Held held) throws InterruptedException {
    var run = held.run();
    LOG.log(Level.INFO, "verify run={0} from={1}", run.id(), run.place());
    try {
      var pace = new VerifyPace(order.head().position(), System.nanoTime());
      while (membership.state() == NodeState.UP) {
        var began = System.nanoTime();
        var next = step(held, run);
        if (next == null) {
          return;
        }
        run = next;
        var worked = Duration.ofNanos(System.nanoTime() - began);
        pace.sees(order.head().position(), System.nanoTime());
        var pause = pace.pause(worked, settings.get(Setting.VERIFY_PACE_PERCENT));
        TimeUnit.NANOSECONDS.sleep(pause.toNanos());
      }
    } finally {
      release(held);
    }
  }

  private void release(Held held) {
    try {
      table.release(held);
    } catch (RuntimeException failure) {
      LOG.log(Level.DEBUG, "run of verify not given back", failure);
    }
  }

  /**
   * @return what comes next; null if nothing does
   */
  private @Nullable Run step(Held held, Run run) throws InterruptedException {
    var head = order.epochs().carryOver(new StorePosition(run.epoch(), run.head()));
    if (head.isEmpty()) {
      table.end(held, "the store was put back to before the run began");
      return null;
    }
    try {
      var step = steps.take(run, Math.min(run.head(), head.get().position()));
      failures = 0;
      var found = step.next().counts().findings();
      if (step.isLast() && table.end(held, null)) {
        LOG.log(
            found == 0 ? Level.INFO : Level.ERROR,
            () -> "verified run=" + run.id() + " findings=" + found);
        return null;
      }
      if (step.isLast() || !table.step(held, run.place(), step.next(), step.findings(), LEASE)) {
        LOG.log(Level.INFO, () -> "run of verify was ended, or another node has it");
        return null;
      }
      return step.next();
    } catch (UncheckedSqlException failure) {
      if (failure.isTimeout() && steps.shrink()) {
        LOG.log(Level.INFO, () -> "verify takes smaller steps cause=" + failure.getMessage());
        return run;
      }
      if (isLost(failure) || ++failures < FAILURES_MAX) {
        throw failure;
      }
      failures = 0;
      LOG.log(Level.ERROR, "run of verify failed run=" + run.id(), failure);
      table.end(
          held,
          "the database refused "
              + FAILURES_MAX
              + " times (SQLSTATE "
              + failure.state()
              + "); the log of "
              + membership.self()
              + " says more");
      return null;
    }
  }

  /** Whether the database was not there; one that takes too long for an answer is. */
  private static boolean isLost(UncheckedSqlException failure) {
    return !failure.isTimeout()
        && failure.getCause() instanceof SQLException cause
        && Database.isConnectionLost(cause);
  }
}
