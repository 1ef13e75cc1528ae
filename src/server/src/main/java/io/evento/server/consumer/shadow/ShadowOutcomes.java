package io.evento.server.consumer.shadow;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.consumer.outbox.OutboxStore;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.shadow.HeldCommandTable.Held;
import io.evento.server.consumer.shadow.HeldCommandTable.HeldOutcome;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.routing.query.ShadowVersions;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Lets shadows hear how the commands ended that they hold, because the live version sent the same
 * ones: an id is made of the consumer's name and of what the command is about, not of the version.
 * So a shadow's sagas get on as the live version's do, and nothing is sent for them.
 *
 * <p>The outcome is that of the live version's command even where the shadow decided another one
 * about the same: it is what took effect, and the id is used up by it. What this node's outbox
 * sender brings is passed on at once; a pass finds what other nodes brought, and what is long over.
 * A refusal that the store does not keep, such as {@code invalid-request}, is heard in the first
 * way only.
 *
 * <p>Where no version is a shadow, the database is not asked. One that is new is known here within
 * a second, and at once where a step of it was stored.
 */
@NodeScoped
public class ShadowOutcomes {
  private static final Logger LOG = System.getLogger(ShadowOutcomes.class.getName());
  private static final long LOOK_MILLIS = 500;
  private static final long PAUSE_MILLIS = 20;
  private static final int CLAIM_MAX = 200;
  private static final int ENDS_MAX = 10_000;
  private static final long CLEAN_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** How many commands are kept that a shadow alone decided. */
  private static final int ALONE_MAX = 10_000;

  private final HeldCommandTable table;
  private final ComparisonTable comparisons;
  private final CommandOutcomes commandOutcomes;
  private final OutcomeReader reader;
  private final OutboxTable outbox;
  private final ShadowVersions shadowVersions;
  private final Threads threads;
  private final Semaphore bell = new Semaphore(0);
  private final Queue<OutboxStore.End> ends = new ConcurrentLinkedQueue<>();
  private volatile boolean isAnyHeld;
  private volatile boolean isWoken;
  private volatile @Nullable BiConsumer<ConsumerId, Integer> onPendingInput;
  private boolean isWell = true;
  private long cleaned = System.nanoTime();

  @Inject
  public ShadowOutcomes(
      HeldCommandTable table,
      ComparisonTable comparisons,
      CommandOutcomes commandOutcomes,
      OutcomeReader reader,
      OutboxTable outbox,
      ShadowVersions shadowVersions,
      Threads threads) {
    this.table = table;
    this.comparisons = comparisons;
    this.commandOutcomes = commandOutcomes;
    this.reader = reader;
    this.outbox = outbox;
    this.shadowVersions = shadowVersions;
    this.threads = threads;
  }

  /**
   * Begins.
   *
   * @param told of consumer and slot when an outcome waits there
   */
  public void start(BiConsumer<ConsumerId, Integer> told) {
    onPendingInput = told;
    outbox.onEnd(this::ended);
    threads.start("shadow-outcomes", this::run);
  }

  /** Something was held that may have an outcome by now. Never waits. */
  public void wake() {
    isAnyHeld = true;
    isWoken = true;
    if (bell.availablePermits() == 0) {
      bell.release();
    }
  }

  private void ended(Collection<OutboxStore.End> now) {
    // What finds no room here is found by the pass.
    if (isAnyHeld && ends.size() < ENDS_MAX) {
      ends.addAll(now);
      wake();
    }
  }

  private void run() {
    try {
      while (true) {
        if (bell.tryAcquire(look(), TimeUnit.MILLISECONDS)) {
          bell.drainPermits();
        }
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * @return how many milliseconds nothing is to be done
   */
  private long look() {
    if (!isWoken && !isAnyHeld && !shadowVersions.isAny()) {
      return LOOK_MILLIS;
    }
    // Before anything is asked: a look that was under way may say that nothing is held.
    isWoken = false;
    try {
      var wait = Math.min(passOn(), find());
      if (System.nanoTime() - cleaned > CLEAN_NANOS) {
        cleaned = System.nanoTime();
        comparisons.forgetBeyond(ALONE_MAX);
      }
      isWell = true;
      return wait;
    } catch (RuntimeException failure) {
      if (isWell) {
        LOG.log(Level.WARNING, () -> "shadows hear nothing for now: " + failure.getMessage());
        isWell = false;
      }
      return LOOK_MILLIS;
    }
  }

  private long passOn() {
    var now = new HashMap<UUID, OutboxStore.End>();
    for (var end = ends.poll(); end != null; end = ends.poll()) {
      now.put(end.id(), end);
      if (now.size() == CLAIM_MAX) {
        break;
      }
    }
    if (now.isEmpty()) {
      return LOOK_MILLIS;
    }
    settle(
        table.held(now.keySet()).stream()
            .map(
                held -> {
                  var end = now.get(held.id());
                  // Refused before it came to anything: nothing says how the two compare.
                  return outcome(held)
                      .orElseGet(() -> new HeldOutcome(held, required(end), null, true));
                })
            .toList());
    return ends.isEmpty() ? LOOK_MILLIS : 0;
  }

  private static OutboxStore.End required(OutboxStore.@Nullable End end) {
    return Objects.requireNonNull(end);
  }

  private long find() {
    var due = table.claim(CLAIM_MAX);
    if (!due.isEmpty()) {
      var known = reader.withOutcome(due.stream().map(Held::id).toList());
      var found = new ArrayList<HeldOutcome>();
      for (var held : due) {
        if (known.contains(held.id())) {
          outcome(held).ifPresent(found::add);
        }
      }
      settle(found);
    }
    var next = table.untilNext();
    isAnyHeld = next.isPresent();
    return due.size() == CLAIM_MAX
        ? 0
        : Math.min(LOOK_MILLIS, next.map(Duration::toMillis).orElse(LOOK_MILLIS) + PAUSE_MILLIS);
  }

  private Optional<HeldOutcome> outcome(Held held) {
    return commandOutcomes
        .known(held.id(), held.type(), held.payload())
        .map(known -> new HeldOutcome(held, end(held.id(), known), known.at(), known.isSame()));
  }

  private static OutboxStore.End end(UUID id, CommandOutcomes.Known known) {
    var receipt = known.receipt();
    return receipt != null
        ? OutboxStore.End.done(id, receipt)
        : OutboxStore.End.refused(id, Objects.requireNonNull(known.refusal()));
  }

  private void settle(List<HeldOutcome> found) {
    if (found.isEmpty()) {
      return;
    }
    var told = onPendingInput;
    for (var place : table.settle(found)) {
      if (told != null) {
        told.accept(place.consumer(), place.slot());
      }
    }
  }
}
