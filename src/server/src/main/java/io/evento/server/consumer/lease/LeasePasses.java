package io.evento.server.consumer.lease;

import io.evento.server.NodeScoped;
import io.evento.server.RepeatedWarning;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.consumer.delivery.Deliveries;
import io.evento.server.consumer.delivery.EventLoop;
import io.evento.server.routing.session.Sessions;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/**
 * When the {@link LeaseKeeper} makes its passes: at the timer's call, as soon as something happened
 * that should not wait for it, and at the end until all is given back.
 */
@NodeScoped
public class LeasePasses {
  private static final Logger LOG = System.getLogger(LeasePasses.class.getName());

  /** Checkpoints are written no more often than this: what a kill can cost in repeated work. */
  private static final long WRITE_MILLIS = 250;

  private static final long DRAIN_MILLIS = 2_000;
  private static final long DRAIN_PASS_MILLIS = 50;

  private final RepeatedWarning notKept = new RepeatedWarning(LOG);
  private final RepeatedWarning notWritten = new RepeatedWarning(LOG);
  private final LeaseKeeper keeper;
  private final Deliveries deliveries;
  private final Sessions sessions;
  private final Links links;
  private final Threads threads;
  private final ScheduledExecutorService timer;
  private final EventLoop eventLoop = new EventLoop();
  private final EventLoop.Task pass = eventLoop.task(this::passAwake);
  private final EventLoop.Task write = eventLoop.task(this::write);
  private final AtomicBoolean isWriteDue = new AtomicBoolean();
  private volatile boolean isStarted;
  private final TimerWatch watch;

  @Inject
  public LeasePasses(
      LeaseKeeper keeper, Deliveries deliveries, Sessions sessions, Links links, Threads threads) {
    this.keeper = keeper;
    this.deliveries = deliveries;
    this.sessions = sessions;
    this.links = links;
    this.threads = threads;
    this.timer = threads.timer();
    watch = new TimerWatch(this::wake, threads.pool("timer-watch", 1, 1), System::nanoTime);
  }

  /** Begins to take leases and to deliver; once the schema is there and the store is followed. */
  public void start() {
    deliveries.start(
        new Deliveries.Listener() {
          @Override
          public void changed() {
            wake();
          }

          @Override
          public void progressed() {
            writeSoon();
          }
        });
    threads.start("leases", eventLoop::run);
    sessions.onChange(this::wake);
    links.listen(LeaseKeeper.FREED, (node, nothing) -> wake());
    timer.scheduleWithFixedDelay(watch::look, 1, 1, TimeUnit.SECONDS);
    isStarted = true;
    wake();
  }

  /** Has a pass done now: something happened that should not wait for the timer. */
  public void wake() {
    pass.ring();
  }

  /** The same on all nodes: rows were changed by hand. */
  public void wakeAll() {
    wake();
    keeper.announce();
  }

  /** A pass, as the application server's timer makes one every second. */
  public void tick() {
    watch.ticked();
    pass();
  }

  /** How long ago the timer made its last pass; since this node began, if it made none yet. */
  public Duration sinceTick() {
    return watch.sinceTick();
  }

  /**
   * Says how the timer is armed. From then on, one that is silent for three seconds is stood in
   * for, and after five it is armed again.
   *
   * @param how tells whether it armed it
   */
  public void armBy(BooleanSupplier how) {
    watch.armBy(how);
  }

  /** How often the timer was lost and armed again. */
  public long timesArmed() {
    return watch.armed();
  }

  /** Renews, claims and shares leases. */
  public void pass() {
    if (isStarted) {
      keeper.pass();
      deliveries.look();
    }
  }

  /** Gives all leases back once what is in flight is acknowledged; takes two seconds at most. */
  public void drain() {
    if (!isStarted) {
      return;
    }
    keeper.leave();
    var until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DRAIN_MILLIS);
    try {
      do {
        keeper.pass();
        if (keeper.holdsNothing()) {
          return;
        }
        TimeUnit.MILLISECONDS.sleep(DRAIN_PASS_MILLIS);
      } while (System.nanoTime() - until < 0);
      keeper.releaseAll();
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException failure) {
      // The others take over when the leases are over.
      LOG.log(Level.WARNING, () -> "leases not given back cause=" + failure.getMessage());
    }
  }

  private void writeSoon() {
    if (isWriteDue.compareAndSet(false, true)) {
      timer.schedule(write::ring, WRITE_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  private void write() {
    isWriteDue.set(false);
    try {
      keeper.writeCheckpoints();
    } catch (RuntimeException failure) {
      // The next pass writes them.
      notWritten.log(() -> "checkpoints not written cause=" + failure.getMessage());
    }
  }

  private void passAwake() {
    try {
      pass();
    } catch (RuntimeException failure) {
      notKept.log(() -> "leases not kept cause=" + failure.getMessage());
    }
  }
}
