package io.evento.server.consumer.delivery;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Printable;
import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.deadletter.DeadLetterTable.Verdict;
import io.evento.server.consumer.segment.ConsumerMetrics;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Parks what sessions fail on, keeps what follows of the same keys behind it, and has letters tried
 * again. Its methods are called on the delivery thread; the database is asked on others.
 *
 * <p>Why no event is lost: one that is to be parked is named to the session, or left out of what is
 * sent, only after its letter was committed under the segment's fence. So whatever moves a
 * checkpoint past it, here or in the bundle's own database, comes later. Done again after a crash
 * it changes nothing, as a letter is known by consumer, key and position.
 *
 * <p>Why a key stays in order: while it has a letter, no event of it is sent, and each is parked
 * behind the last ({@link Delivery} sends nothing beyond a held event before it is parked). Only
 * the owner adds letters, one thing at a time, and in the transaction that removes one it sees
 * whether others are left. If none is, all younger events of the key wait here in order or are yet
 * to be read; from then on they are sent.
 *
 * <p>The next letter is sent before the last one is removed, as each of both takes its time. After
 * a crash between them the same letters come again in the same order, as events would.
 *
 * <p>Why a letter is handled once where the bundle's database keeps the checkpoint: it is tried
 * only when that checkpoint is known to stand beyond it, so it cannot come again as an event; and
 * the bundle notes its id in the transaction that handles it.
 *
 * <p>Keeps invariant I7.
 */
@NodeScoped
public class Parking {
  /** How work that may wait gets done, and what comes then on the delivery thread. */
  interface Reads {
    <T> void read(java.util.function.Supplier<T> work, Consumer<T> then, Runnable failed);

    /** Serves a delivery once more, a little later. */
    void later(Delivery delivery);
  }

  private static final Logger LOG = System.getLogger(Parking.class.getName());
  private static final Duration PASSING = Duration.ofSeconds(2);

  /** With so few letters left to a key, its events wait for their turn instead of being parked. */
  private static final int CLOSING = 8;

  /** Letters that are read at once. */
  private static final int BATCH = 32;

  /** Somebody may have dropped what was read longer ago, so it is looked at anew. */
  private static final long FRESH_NANOS = 100_000_000L;

  private final DeadLetterTable table;
  private final OrderReader reader;
  private final CheckpointResolver checkpointResolver;
  private final ConsumerMetrics consumerMetrics;
  private final IntSupplier most;

  @Inject
  Parking(
      DeadLetterTable table,
      OrderReader reader,
      CheckpointResolver checkpointResolver,
      ConsumerMetrics consumerMetrics,
      Settings settings) {
    this(
        table,
        reader,
        checkpointResolver,
        consumerMetrics,
        () -> settings.get(Setting.DEAD_LETTERS_MAX));
  }

  public Parking(
      DeadLetterTable table,
      OrderReader reader,
      CheckpointResolver checkpointResolver,
      ConsumerMetrics consumerMetrics,
      IntSupplier most) {
    this.table = table;
    this.reader = reader;
    this.checkpointResolver = checkpointResolver;
    this.consumerMetrics = consumerMetrics;
    this.most = most;
  }

  /** Learns which keys are parked, before anything is sent; blocks on the database. */
  Optional<Set<String>> open(
      Lease lease, CheckpointResolver.ResolvedCheckpoint resolvedCheckpoint) {
    var claimed = lease.claimed();
    var common = Long.MAX_VALUE;
    if (resolvedCheckpoint.lost() != null) {
      common = resolvedCheckpoint.at().position();
    } else if (!resolvedCheckpoint.at().epoch().equals(claimed.checkpoint().epoch())) {
      common = checkpointResolver.commonUpTo(claimed.checkpoint().epoch());
    }
    return table.open(claimed, lease.step(), common);
  }

  /** Does what there is to do for a delivery: with the session, and with the database. */
  void serve(Delivery delivery, Reads reads) {
    if (delivery.isRunning()) {
      hear(delivery);
      send(delivery);
      if (!delivery.parked().isBusy()) {
        write(delivery, reads);
      }
    }
  }

  /**
   * One thing at a time; what parks and what removes take turns, so that neither waits for long.
   */
  private void write(Delivery delivery, Reads reads) {
    var parked = delivery.parked();
    var failing = parked.failing();
    var failed = parked.failedAgain();
    var step = delivery.lease().step();
    var hasToPark = !parked.isFull() && (failing != null || delivery.isToPark());
    var hasToRemove = !parked.handled().isEmpty();
    var hasToCondemn = !parked.isFull() && delivery.isNextProven();
    if (step.rewinds() && (hasToPark || hasToRemove || hasToCondemn || failed != null)) {
      reads.later(delivery); // until the row is where we are
    } else if (hasToRemove && !(hasToPark && parked.wasRemoval())) {
      parked.wasRemoval(true);
      remove(delivery, reads, step, List.copyOf(parked.handled()));
    } else if (failed != null && !hasToRemove) {
      settleFailure(delivery, reads, step, failed);
    } else if (hasToCondemn) {
      parked.wasRemoval(false);
      condemn(delivery, reads, step);
    } else if (hasToPark && failing != null) {
      parked.wasRemoval(false);
      park(delivery, reads, step, failing);
    } else if (hasToPark) {
      parked.wasRemoval(false);
      parkBehind(delivery, reads, step);
    } else if (parked.isDue() && parked.retrying() == null && parked.queue().isEmpty()) {
      look(delivery, reads);
    }
  }

  private <T> void run(
      Delivery delivery, Reads reads, java.util.function.Supplier<T> work, Consumer<T> then) {
    var parked = delivery.parked();
    parked.busy();
    reads.read(
        work,
        result -> {
          parked.idle();
          then.accept(result);
          delivery.ring();
        },
        () -> {
          parked.idle();
          reads.later(delivery);
        });
  }

  // ---- an event that failed

  private void park(Delivery delivery, Reads reads, Lease.Step step, ConsumerMessage.Nack failing) {
    var letters = delivery.letters(failing.position());
    if (letters.isEmpty()) {
      delivery.parked().failing(null); // acknowledged, or never sent: there is nothing to park
      return;
    }
    var cause = Printable.line(failing.detail());
    run(
        delivery,
        reads,
        () -> table.park(step, letters, cause, failing.attempt(), most.getAsInt()),
        verdict -> {
          if (verdict == Verdict.DONE) {
            delivery.lease().wrote(step);
            parked(delivery, letters, cause);
          } else if (verdict == Verdict.FULL) {
            full(delivery);
          } else {
            delivery.loseItsPlace();
          }
        });
  }

  private void parked(Delivery delivery, List<DeadLetter> letters, String cause) {
    var first = letters.get(0);
    delivery.parked().failing(null);
    consumerMetrics.parked.increment(letters.size());
    LOG.log(
        Level.WARNING,
        () ->
            "event parked "
                + delivery.lease()
                + " position="
                + first.position()
                + " key="
                + first.key()
                + " behind="
                + (letters.size() - 1)
                + " cause="
                + cause);
    var positions = letters.stream().map(DeadLetter::position).collect(Collectors.toSet());
    delivery.forget(positions);
    var segment = delivery.lease().segment();
    delivery
        .session()
        .send(
            new ConsumerMessage.Parked(
                segment.consumer().wire(),
                segment.number(),
                delivery.lease().fence(),
                positions.stream().sorted().toList()),
            Lane.REQUEST);
  }

  /** The next event ended whoever took it: no session is given it any more. */
  private void condemn(Delivery delivery, Reads reads, Lease.Step step) {
    var letter = delivery.provenLetter();
    var poisonCandidates = delivery.lease().doubts();
    run(
        delivery,
        reads,
        () ->
            table.park(
                step,
                List.of(letter),
                poisonCandidates.cause(),
                poisonCandidates.sessions(),
                most.getAsInt()),
        verdict -> {
          if (verdict == Verdict.DONE) {
            delivery.lease().wrote(step);
            delivery.lease().doubts(delivery.lease().doubts().beyond(letter.position()));
            delivery.parked().add(List.of(letter.key()));
            delivery.forget(Set.of(letter.position()));
            consumerMetrics.parked.increment();
            LOG.log(
                Level.WARNING,
                () ->
                    "event parked "
                        + delivery.lease()
                        + " position="
                        + letter.position()
                        + " key="
                        + letter.key()
                        + " cause="
                        + poisonCandidates.cause());
          } else if (verdict == Verdict.FULL) {
            full(delivery);
          } else {
            delivery.loseItsPlace();
          }
        });
  }

  private void full(Delivery delivery) {
    delivery.parked().full(true);
    LOG.log(
        Level.ERROR,
        () ->
            "consumer paused, its dead letters are full "
                + delivery.lease()
                + " most="
                + most.getAsInt());
    delivery.lease().failing("waits for room: dead letters are full");
  }

  // ---- those behind it

  private void parkBehind(Delivery delivery, Reads reads, Lease.Step step) {
    var letters = delivery.heldLetters();
    run(
        delivery,
        reads,
        () -> table.parkBehind(step, letters, most.getAsInt()),
        behind -> {
          if (behind.verdict() == Verdict.FENCED) {
            delivery.loseItsPlace();
            return;
          }
          delivery.lease().wrote(step);
          // Whoever dropped the last letter of a key made it live: what waits of it is sent.
          var live = letters.stream().map(DeadLetter::key).collect(Collectors.toSet());
          live.removeAll(behind.parked());
          delivery.parked().remove(live);
          if (behind.verdict() == Verdict.FULL) {
            full(delivery);
            return;
          }
          var positions = new HashSet<Long>();
          for (var letter : letters) {
            if (behind.parked().contains(letter.key())) {
              positions.add(letter.position());
            }
          }
          consumerMetrics.parked.increment(positions.size());
          delivery.forget(positions);
        });
  }

  // ---- tried again

  /**
   * A letter with its event.
   *
   * @param event null if the store has lost it, or nobody wants it any more
   */
  record Found(DeadLetter.Due letter, @Nullable RecordedEvent event) {}

  private void look(Delivery delivery, Reads reads) {
    run(
        delivery,
        reads,
        () ->
            table.due(delivery.lease().claimed(), Long.MAX_VALUE, null, BATCH).stream()
                .map(this::find)
                .toList(),
        found -> {
          var parked = delivery.parked();
          parked.queue(found, System.nanoTime());
          parked.due(!found.isEmpty());
          if (found.isEmpty()) {
            parked.nothingClosing();
          }
          if (delivery.isRunning()) {
            send(delivery); // at least one of what was read, however long this thread was busy
          }
        });
  }

  private Found find(DeadLetter.Due letter) {
    if (letter.isDropped()) {
      return new Found(letter, null);
    }
    var event =
        reader
            .next(letter.position() - 1)
            .filter(e -> e.position() == letter.position())
            .filter(e -> e.commandId().equals(letter.command()));
    return new Found(letter, event.orElse(null));
  }

  /** Whether no checkpoint can fall back behind a position any more. */
  private static boolean isPassed(Delivery delivery, long position) {
    return delivery.acked() >= position && delivery.lease().written().position() >= position;
  }

  /** Gives the session the next letter, if it has none. */
  private void send(Delivery delivery) {
    var parked = delivery.parked();
    if (System.nanoTime() - parked.queuedAt() > FRESH_NANOS) {
      parked.queue().clear();
    }
    if (delivery.isOnTrial()) {
      parked.first(delivery.lease().doubts().ids());
    }
    while (parked.retrying() == null && parked.failedAgain() == null) {
      var next = parked.queue().poll();
      if (next == null) {
        return;
      }
      var letter = next.letter();
      var event = next.event();
      if (letter.isDropped()) {
        if (isPassed(delivery, letter.position())) {
          parked.handled().add(letter);
        } else {
          parked.due(false); // until somebody looks again
        }
      } else if (event == null) {
        LOG.log(
            Level.WARNING,
            () -> "dead letter lost with its event " + delivery.lease() + " id=" + letter.id());
        parked.handled().add(letter);
      } else if (delivery.lease().doubts().covers(letter.id())
          && delivery.lease().doubts().areProven()) {
        parked.queue().removeIf(behind -> behind.letter().key().equals(letter.key()));
        parked.notClosing(letter.key());
        parked.failedAgain(
            new ParkedKeys.FailedAgain(letter, delivery.lease().doubts().cause(), false));
        delivery.lease().doubts(delivery.lease().doubts().without(letter.id()));
      } else if (isPassed(delivery, letter.position())) {
        var isDoubted = delivery.lease().doubts().covers(letter.id());
        if (!delivery.mayHandLetter(isDoubted)) {
          parked.queue().addFirst(next);
          return;
        }
        parked.retrying(letter);
        delivery.noteLetter();
        consumerMetrics.retries.increment();
        var segment = delivery.lease().segment();
        delivery
            .session()
            .send(
                new ConsumerMessage.Retry(
                    segment.consumer().wire(),
                    segment.number(),
                    delivery.lease().fence(),
                    letter.id(),
                    event),
                Lane.REQUEST);
      } else {
        // Until somebody looks again: then the checkpoint may be written.
        parked.queue().clear();
        parked.nothingClosing();
        parked.due(false);
      }
    }
  }

  /** Takes in what the session says of its letter; the next one may be sent at once. */
  private static void hear(Delivery delivery) {
    var parked = delivery.parked();
    var letter = parked.retrying();
    var answer = parked.answer();
    if (letter == null || answer == null) {
      return;
    }
    parked.retrying(null);
    delivery.noteLetter();
    delivery.lease().doubts(delivery.lease().doubts().without(letter.id()));
    var failure = answer.failure();
    if (failure == null) {
      parked.handled().add(letter);
    } else {
      parked.notClosing(letter.key());
      parked.queue().removeIf(behind -> behind.letter().key().equals(letter.key()));
      parked.failedAgain(
          new ParkedKeys.FailedAgain(letter, Printable.line(failure), answer.passing()));
    }
  }

  private void remove(
      Delivery delivery, Reads reads, Lease.Step step, List<DeadLetter.Due> letters) {
    run(
        delivery,
        reads,
        () -> table.remove(step, letters, most.getAsInt()),
        settled -> {
          if (settled.verdict() == Verdict.FENCED) {
            delivery.loseItsPlace();
            return;
          }
          delivery.lease().wrote(step);
          var parked = delivery.parked();
          parked.handled().removeAll(letters);
          for (var letter : letters) {
            LOG.log(
                Level.INFO,
                () ->
                    (letter.isDropped() ? "dropped dead letter passed " : "dead letter handled ")
                        + delivery.lease()
                        + " position="
                        + letter.position()
                        + " key="
                        + letter.key());
            var left = settled.left().getOrDefault(letter.key(), DeadLetterTable.Left.NONE);
            if (left.letters() == 0) {
              parked.remove(List.of(letter.key()));
            } else if (left.letters() == left.asked() && left.letters() <= CLOSING) {
              parked.closing(letter.key());
            }
          }
        });
  }

  private void settleFailure(
      Delivery delivery, Reads reads, Lease.Step step, ParkedKeys.FailedAgain failed) {
    var letter = failed.letter();
    if (failed.passing()) {
      run(
          delivery,
          reads,
          () -> {
            table.postpone(letter, PASSING);
            return letter;
          },
          postponed -> delivery.parked().failedAgain(null));
      return;
    }
    LOG.log(
        Level.WARNING,
        () ->
            "dead letter failed again "
                + delivery.lease()
                + " position="
                + letter.position()
                + " cause="
                + failed.cause());
    run(
        delivery,
        reads,
        () -> table.failedAgain(step, letter, failed.cause()),
        verdict -> {
          delivery.parked().failedAgain(null);
          if (verdict == Verdict.FENCED) {
            delivery.loseItsPlace();
          } else {
            delivery.lease().wrote(step);
          }
        });
  }

  // ---- now and then

  /** Looks which consumers are full and whose letters were asked for; blocks on the database. */
  DeadLetterTable.Sight look(List<Delivery> deliveries) {
    var claimed = new ArrayList<Lease.Claimed>();
    deliveries.forEach(delivery -> claimed.add(delivery.lease().claimed()));
    return table.look(claimed);
  }

  /** Takes in what was seen. */
  void seen(DeadLetterTable.Sight sight, Delivery delivery) {
    var parked = delivery.parked();
    var isFull = sight.full().contains(delivery.lease().segment().consumer());
    if (isFull != parked.isFull()) {
      parked.full(isFull);
      delivery.lease().failing(isFull ? "waits for room: dead letters are full" : null);
    }
    if (sight.due().contains(delivery.lease().segment())) {
      parked.due(true);
    }
    delivery.ring();
  }
}
