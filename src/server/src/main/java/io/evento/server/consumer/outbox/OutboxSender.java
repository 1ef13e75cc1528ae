package io.evento.server.consumer.outbox;

import io.evento.protocol.Backoff;
import io.evento.protocol.CommandMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Printable;
import io.evento.protocol.Receipt;
import io.evento.server.routing.Failures;
import io.evento.server.routing.session.PoisonMessage;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends what the rows of one table keep, each under its fixed id, until its outcome is final.
 *
 * <p>Why each has one effect though nodes die: the row stays until an outcome is final, so some
 * node sends it again; and the id is the row's own, so whatever is sent again finds the first
 * outcome (the store keeps one per id). Claims only keep two nodes from sending the same thing at
 * once; they end by the database's clock, or when their node is gone, and nothing rests on them.
 * What passes by itself (a missing handler, overload, a deadline) is waited out with a growing
 * pause, for as long as it takes.
 *
 * <p>Bounded: beyond a thousand on their way nothing is claimed, and beyond a share of them nothing
 * of the same type. One thread speaks with the database, for all that ended since it last did.
 */
public final class OutboxSender {
  private static final Logger LOG = System.getLogger(OutboxSender.class.getName());

  private static final int UNDER_WAY_MAX = 1_000;

  /** So many of one type, so that a service that is slow leaves room for all others. */
  static final int OF_TYPE_MAX = 150;

  private static final int CLAIM_MAX = 100;

  /** An attempt ends by then … */
  static final int DEADLINE_MILLIS = 10_000;

  /** … and its claim only after that, and after what it came to was written. */
  public static final Duration CLAIM = Duration.ofMillis(2L * DEADLINE_MILLIS);

  private static final Duration LOOK = Duration.ofSeconds(1);

  /** Nobody but an administrator can help it, whose word makes it due at once. */
  private static final Duration ORPHAN = Duration.ofMinutes(10);

  private static final Duration RELEASE = Duration.ofSeconds(10);
  private static final Backoff BACKOFF =
      new Backoff(Duration.ofMillis(200), Duration.ofSeconds(30));

  /** Takes a command to its outcome, with the rights of whoever is its sender. */
  public interface Way {
    CompletionStage<Receipt> send(OutboxEntry entry, CommandMessage.Command command);
  }

  private final String name;
  private final OutboxStore outboxStore;
  private final UUID incarnation;
  private final Way router;
  private final Supplier<Collection<UUID>> live;
  private final LongSupplier clock;

  private final Map<UUID, String> underWay = new ConcurrentHashMap<>();
  private final Map<String, Integer> ofType = new ConcurrentHashMap<>();
  private final Queue<OutboxStore.End> ends = new ConcurrentLinkedQueue<>();
  private final Queue<OutboxStore.Delay> delays = new ConcurrentLinkedQueue<>();
  private final Object bell = new Object();
  private boolean isRung;
  private volatile boolean isClaimDue = true;
  private long claimAt;
  private boolean isHushed = true;
  private Set<UUID> seen = Set.of();
  private long released;

  /**
   * @param name for the log
   * @param live incarnations of the nodes that are alive, this one among them
   */
  OutboxSender(
      String name,
      OutboxStore outboxStore,
      UUID incarnation,
      Way router,
      Supplier<Collection<UUID>> live) {
    this(name, outboxStore, incarnation, router, live, System::nanoTime);
  }

  /**
   * @param clock in nanoseconds, as {@link System#nanoTime}
   */
  OutboxSender(
      String name,
      OutboxStore outboxStore,
      UUID incarnation,
      Way router,
      Supplier<Collection<UUID>> live,
      LongSupplier clock) {
    this.name = name;
    this.outboxStore = outboxStore;
    this.incarnation = incarnation;
    this.router = router;
    this.live = live;
    this.clock = clock;
    this.claimAt = clock.getAsLong();
    this.released = clock.getAsLong();
  }

  /** Sends what this node has claimed already. Never waits. */
  void take(List<OutboxEntry> claimed) {
    claimed.forEach(this::send);
  }

  /**
   * Whether more of these types may be claimed; whoever claims elsewhere waits as long as not.
   *
   * @param types empty if they are not known
   */
  boolean hasRoom(Collection<String> types) {
    return underWay.size() < UNDER_WAY_MAX && types.stream().noneMatch(this::isFull);
  }

  private boolean isFull(String type) {
    return ofType.getOrDefault(type, 0) >= OF_TYPE_MAX;
  }

  /** Something may be due earlier than was known. */
  void claimSoon() {
    isClaimDue = true;
    wake();
  }

  private void wake() {
    synchronized (bell) {
      isRung = true;
      bell.notifyAll();
    }
  }

  /** The thread's life; ends when interrupted. */
  void run() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        await(round());
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  private void await(Duration time) throws InterruptedException {
    synchronized (bell) {
      var until = System.nanoTime() + time.toNanos();
      for (var left = time.toNanos(); !isRung && left > 0; left = until - System.nanoTime()) {
        TimeUnit.NANOSECONDS.timedWait(bell, left);
      }
      isRung = false;
    }
  }

  /**
   * All that is to be done now; the thread does it again and again.
   *
   * @return how long nothing is to be done
   */
  Duration round() {
    try {
      write();
      releaseClaimsOfTheDead();
      if (isClaimDue || clock.getAsLong() - claimAt >= 0) {
        isClaimDue = false;
        claimAt = clock.getAsLong() + claim().toNanos();
      }
      isHushed = true;
      return Duration.ofNanos(Math.max(0, claimAt - clock.getAsLong()));
    } catch (RuntimeException failure) {
      if (isHushed) {
        LOG.log(Level.WARNING, () -> name + " waits for the database: " + failure.getMessage());
        isHushed = false;
      }
      return LOOK;
    }
  }

  /** When somebody is gone, and now and then, as a node that seems dead may claim once more. */
  private void releaseClaimsOfTheDead() {
    var alive = Set.copyOf(live.get());
    var isDue = !alive.equals(seen) || clock.getAsLong() - released >= RELEASE.toNanos();
    // Who sees nobody, not even itself, cannot tell who is gone.
    if (isDue && alive.contains(incarnation)) {
      outboxStore.releaseAllBut(alive);
      isClaimDue = true;
      seen = alive;
      released = clock.getAsLong();
    }
  }

  private Duration claim() {
    while (hasRoom(List.of())) {
      var room = Math.min(CLAIM_MAX, UNDER_WAY_MAX - underWay.size());
      var full = ofType.keySet().stream().filter(this::isFull).toList();
      var claimed = outboxStore.claim(incarnation, CLAIM, room, full);
      take(claimed);
      if (claimed.size() < room) {
        return outboxStore.untilNext(LOOK, full);
      }
    }
    isClaimDue = true; // with the next end there is room again
    return LOOK;
  }

  private void send(OutboxEntry outboxEntry) {
    if (underWay.putIfAbsent(outboxEntry.id(), outboxEntry.type()) != null) {
      return; // an attempt that outlived its claim: its end is as good as another one's
    }
    ofType.merge(outboxEntry.type(), 1, Integer::sum);
    CompletionStage<Receipt> outcome;
    try {
      outcome = router.send(outboxEntry, outboxEntry.toCommand(DEADLINE_MILLIS));
    } catch (RuntimeException refused) {
      ended(outboxEntry, null, refused);
      return;
    }
    outcome.whenComplete((receipt, failure) -> ended(outboxEntry, receipt, failure));
  }

  private void ended(
      OutboxEntry outboxEntry, @Nullable Receipt receipt, @Nullable Throwable failure) {
    if (receipt != null) {
      ends.add(OutboxStore.End.done(outboxEntry.id(), receipt));
    } else {
      var cause = failure == null ? new IllegalStateException("no outcome") : failure;
      var flow = outboxEntry.correlation();
      var told = Failures.told(cause, flow == null ? outboxEntry.id().toString() : flow);
      if (isFinal(outboxEntry, told)) {
        LOG.log(
            Level.INFO,
            () ->
                name
                    + " refused command="
                    + outboxEntry.id()
                    + " type="
                    + outboxEntry.type()
                    + " code="
                    + told.code().wire()
                    + " detail="
                    + Printable.log(told.detail())
                    + " correlation="
                    + Printable.log(outboxEntry.correlation()));
        ends.add(OutboxStore.End.refused(outboxEntry.id(), told));
      } else {
        delays.add(
            new OutboxStore.Delay(
                outboxEntry.id(),
                told.code().wire() + ": " + Printable.line(told.detail()),
                isWithoutSender(outboxEntry, told) ? ORPHAN : pause(outboxEntry.attempts())));
      }
    }
    wake();
  }

  /**
   * A type that nobody declared yet comes with its bundle. What is kept as a rejection stays so, be
   * it that nobody can know how a service's run ended. What ends the session of whoever takes it is
   * not given to any more of them.
   *
   * <p>A saga or observer whose bundle lacks the right is told so once, as of any other refusal.
   * What has no such hearer, or no sender whose rights could have been looked at, waits for an
   * administrator.
   */
  static boolean isFinal(OutboxEntry entry, EventoException told) {
    if (told.code() == ErrorCode.FORBIDDEN) {
      return entry.consumer() != null && entry.principal() != null;
    }
    return told.rejection() != null
        || PoisonMessage.isRefusal(told)
        || (told.code().retry() == ErrorCode.Retry.NEVER && told.code() != ErrorCode.UNKNOWN_TYPE);
  }

  private static boolean isWithoutSender(OutboxEntry entry, EventoException told) {
    return told.code() == ErrorCode.FORBIDDEN
        && entry.consumer() == null
        && entry.principal() == null;
  }

  /** Half of it by chance, so that those that failed together do not come back together. */
  private static Duration pause(int attempts) {
    return BACKOFF.halfByChance(attempts - 1);
  }

  private void write() {
    var endsNow = new ArrayList<>(ends);
    if (!endsNow.isEmpty()) {
      outboxStore.settle(endsNow);
      for (var end : endsNow) {
        ends.remove();
        arrived(end.id());
      }
    }
    var delaysNow = new ArrayList<>(delays);
    if (!delaysNow.isEmpty()) {
      outboxStore.delay(delaysNow, incarnation);
      for (var delay : delaysNow) {
        var due = clock.getAsLong() + delay.pause().toNanos();
        claimAt = due - claimAt < 0 ? due : claimAt;
        delays.remove();
        arrived(delay.id());
      }
    }
  }

  private void arrived(UUID id) {
    var type = underWay.remove(id);
    if (type != null) {
      // With this one there is room again for what was passed over.
      isClaimDue |= isFull(type);
      ofType.computeIfPresent(type, (same, count) -> count > 1 ? count - 1 : null);
    }
  }
}
