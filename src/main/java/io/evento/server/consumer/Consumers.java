package io.evento.server.consumer;

import io.evento.protocol.Message;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.eventstore.EventReader;
import io.evento.server.routing.BundleSession;
import io.evento.server.routing.Sessions;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** The room's door: what sessions say of their segments, start, stop, and how far everybody is. */
@NodeScoped
public class Consumers {
  private static final Logger LOG = System.getLogger(Consumers.class.getName());

  /** Checkpoints are written no more often than this: what a kill can cost in repeated work. */
  private static final long WRITE_MILLIS = 250;

  private static final long DRAIN_MILLIS = 2_000;
  private static final long DRAIN_PASS_MILLIS = 50;

  private final LeaseKeeper keeper;
  private final Deliveries deliveries;
  private final OutboxSenders outboxSenders;
  private final SegmentTable segments;
  private final EventReader reader;
  private final Sessions sessions;
  private final Links links;
  private final Threads threads;
  private final ScheduledExecutorService timer;
  private final EventLoop eventLoop = new EventLoop();
  private final EventLoop.Turn pass = eventLoop.turn(this::passAwake);
  private final EventLoop.Turn write = eventLoop.turn(this::write);
  private final AtomicBoolean isWriteDue = new AtomicBoolean();
  private volatile boolean isStarted;

  /**
   * How far a segment is behind.
   *
   * @param events that were stored after its checkpoint, be they for it or not
   * @param age of the first of them; zero if there is none
   * @param idle how long the checkpoint has not moved
   * @param isActive whether nobody paused it
   */
  public record Lag(
      String consumer,
      int version,
      int segment,
      long checkpoint,
      long events,
      Duration age,
      Duration idle,
      boolean isActive) {

    /** Whether events have waited for long and nothing moves, though nobody paused it. */
    public boolean isStuck() {
      return isActive
          && events > 0
          && age.compareTo(ConsumerMonitor.STUCK) >= 0
          && idle.compareTo(ConsumerMonitor.STUCK) >= 0;
    }
  }

  @Inject
  public Consumers(
      LeaseKeeper keeper,
      Deliveries deliveries,
      OutboxSenders outboxSenders,
      SegmentTable segments,
      EventReader reader,
      Sessions sessions,
      Links links,
      Threads threads) {
    this.keeper = keeper;
    this.deliveries = deliveries;
    this.outboxSenders = outboxSenders;
    this.segments = segments;
    this.reader = reader;
    this.sessions = sessions;
    this.links = links;
    this.threads = threads;
    this.timer = threads.timer();
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
    outboxSenders.start(deliveries::ringInbox);
    threads.start("leases", eventLoop::run);
    sessions.onChange(this::wake);
    links.listen(LeaseKeeper.FREED, (node, nothing) -> wake());
    isStarted = true;
    wake();
  }

  /** Has a pass done now: something happened that should not wait for the timer. */
  void wake() {
    pass.ring();
  }

  /** The same on all nodes: rows were changed by hand. */
  void wakeAll() {
    wake();
    keeper.announce();
  }

  /** Renews, claims and shares leases; called every second. */
  void pass() {
    if (isStarted) {
      keeper.pass();
      deliveries.look();
    }
  }

  /** When the last pass succeeded; a node whose passes stopped is not well. */
  public Duration sinceLastPass() {
    return Duration.ofNanos(System.nanoTime() - keeper.lastPass());
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

  /** A session asks for events. */
  public void credit(BundleSession session, Message.Credit credit) {
    deliveries
        .find(session, credit.consumer(), credit.segment(), credit.fence())
        .ifPresent(
            delivery -> {
              delivery.mail().credit(credit);
              delivery.ring();
            });
  }

  /** A session has done everything up to a position. */
  public void ack(BundleSession session, Message.Ack ack) {
    deliveries
        .find(session, ack.consumer(), ack.segment(), ack.fence())
        .ifPresent(
            delivery -> {
              delivery.mail().ack(ack);
              delivery.ring();
            });
  }

  /** A session failed on an event and tries it again. */
  public void nack(BundleSession session, Message.Nack nack) {
    deliveries
        .find(session, nack.consumer(), nack.segment(), nack.fence())
        .ifPresent(
            delivery -> {
              delivery.mail().nack(nack);
              delivery.ring();
            });
  }

  /** A saga or observer has decided about what it was asked. */
  public void stepped(BundleSession session, Message.Stepped stepped) {
    deliveries
        .find(session, stepped.consumer(), stepped.segment(), stepped.fence())
        .ifPresent(
            delivery -> {
              if (delivery instanceof StepDelivery asked) {
                asked.answered(stepped);
              }
            });
  }

  /** A session has tried a dead letter again. */
  public void retried(BundleSession session, Message.Retried retried) {
    deliveries
        .find(session, retried.consumer(), retried.segment(), retried.fence())
        .ifPresent(
            delivery -> {
              delivery.mail().retried(retried);
              delivery.ring();
            });
  }

  /** A session gives a segment up. */
  public void disable(BundleSession session, Message.Disable disable) {
    deliveries
        .find(session, disable.consumer(), disable.segment(), disable.fence())
        .ifPresent(
            delivery -> {
              delivery.mail().giveUp();
              delivery.ring();
            });
  }

  /** How far all segments of all consumers are behind, by their rows. Asks the database. */
  public List<Lag> lags() {
    var head = reader.head().position();
    var ages = new HashMap<Long, Duration>();
    return segments.standing().stream()
        .map(
            segmentProgress -> {
              var at = segmentProgress.checkpoint().position();
              var age =
                  at >= head
                      ? Duration.ZERO
                      : ages.computeIfAbsent(at, position -> ageAfter(position, segmentProgress));
              return new Lag(
                  segmentProgress.segment().consumer().name(),
                  segmentProgress.segment().consumer().version(),
                  segmentProgress.segment().number(),
                  at,
                  Math.max(0, head - at),
                  age,
                  Duration.between(segmentProgress.progress(), segmentProgress.seen()),
                  segmentProgress.isActive());
            })
        .toList();
  }

  private Duration ageAfter(long position, SegmentTable.SegmentProgress segmentProgress) {
    return reader
        .next(position)
        .map(event -> Duration.between(event.instant(), segmentProgress.seen()))
        .filter(age -> !age.isNegative())
        .orElse(Duration.ZERO);
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
      LOG.log(Level.WARNING, () -> "checkpoints not written cause=" + failure.getMessage());
    }
  }

  private void passAwake() {
    try {
      pass();
    } catch (RuntimeException failure) {
      LOG.log(Level.WARNING, () -> "leases not kept cause=" + failure.getMessage());
    }
  }
}
