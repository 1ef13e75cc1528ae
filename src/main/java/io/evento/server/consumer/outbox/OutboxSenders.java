package io.evento.server.consumer.outbox;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.Receipt;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.routing.command.Router;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** What goes out by itself: the outbox, messages for later, and deadlines to their sagas. */
@NodeScoped
public class OutboxSenders {
  private static final Logger LOG = System.getLogger(OutboxSenders.class.getName());

  /** How late a deadline, or an outcome that another node kept, may be noticed. */
  private static final Duration LOOK = Duration.ofMillis(500);

  private static final long CLEAN_NANOS = TimeUnit.MINUTES.toNanos(10);

  private final OutboxTable outbox;
  private final ScheduleTable schedules;
  private final Threads threads;
  private final OutboxSender outboxSender;
  private final OutboxSender scheduleSender;
  private final Semaphore alarms = new Semaphore(0);

  @Inject
  OutboxSenders(
      OutboxTable outbox,
      ScheduleTable schedules,
      Router router,
      Membership membership,
      Links links,
      Threads threads) {
    this(
        outbox,
        schedules,
        links.incarnation(),
        router::dispatch,
        () ->
            membership.members().nodes().stream()
                .filter(Node::isLive)
                .map(Node::incarnation)
                .toList(),
        threads);
  }

  public OutboxSenders(
      OutboxTable outbox,
      ScheduleTable schedules,
      UUID incarnation,
      Function<CommandMessage.Command, CompletionStage<Receipt>> router,
      Supplier<Collection<UUID>> live,
      Threads threads) {
    this.outbox = outbox;
    this.schedules = schedules;
    this.threads = threads;
    this.outboxSender = new OutboxSender("outbox", outbox, incarnation, router, live);
    this.scheduleSender = new OutboxSender("schedules", schedules, incarnation, router, live);
  }

  /**
   * Begins to send.
   *
   * @param onPendingInput is told of consumer and slot when something may wait there for a saga
   * @param housekeeping now and then, on a thread that may wait
   */
  public void start(BiConsumer<ConsumerId, Integer> onPendingInput, Runnable housekeeping) {
    outbox.onSettled(onPendingInput);
    threads.start("outbox", outboxSender::run);
    threads.start("schedules", scheduleSender::run);
    threads.start("deadlines", () -> watch(onPendingInput, housekeeping));
  }

  /** Whether commands of these types may be added to those on their way. */
  public boolean outboxHasRoom(Collection<String> types) {
    return outboxSender.hasRoom(types);
  }

  /** Sends what was just added to the outbox in this node's name. */
  public void outbox(List<OutboxEntry> claimed) {
    outboxSender.take(claimed);
  }

  /** A command may be due earlier than was known. */
  void scheduled() {
    scheduleSender.claimSoon();
  }

  /** A deadline may pass earlier than was known. */
  public void alarmSet() {
    if (alarms.availablePermits() == 0) {
      alarms.release();
    }
  }

  private void watch(BiConsumer<ConsumerId, Integer> onPendingInput, Runnable housekeeping) {
    var cleaned = System.nanoTime();
    var isWell = true;
    try {
      while (true) {
        var wait = LOOK;
        try {
          outbox.tellWaiting();
          schedules.tellDue(onPendingInput);
          if (System.nanoTime() - cleaned > CLEAN_NANOS) {
            cleaned = System.nanoTime();
            housekeeping.run();
          }
          wait = schedules.untilDeadline(LOOK);
          isWell = true;
        } catch (RuntimeException failure) {
          if (isWell) {
            LOG.log(
                Level.WARNING, () -> "deadlines wait for the database: " + failure.getMessage());
            isWell = false;
          }
        }
        if (alarms.tryAcquire(Math.max(1, wait.toMillis()), TimeUnit.MILLISECONDS)) {
          alarms.drainPermits();
        }
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }
}
