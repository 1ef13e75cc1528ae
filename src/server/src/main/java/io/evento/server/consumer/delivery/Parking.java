package io.evento.server.consumer.delivery;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Printable;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.deadletter.DeadLetterTable.Left;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.Slots;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Decides what is next for the dead letters of a projector's segment: parks what its session fails
 * on, keeps what follows of the same keys behind it, and has letters tried again. Confined to the
 * delivery thread; the database is asked on others ({@link FencedDeadLetters}).
 *
 * <p>Why no event is lost: one that is to be parked is named to the session, or left out of what is
 * sent, only after its letter was committed under the segment's fence. So whatever moves a
 * checkpoint past it, here or in the bundle's own database, comes later. Done again after a crash
 * it changes nothing, as a letter is known by consumer, key and position.
 *
 * <p>Why a key stays in order: while it has a letter, no event of it is sent, and each is parked
 * behind the last ({@link EventSender} sends nothing beyond a held event before it is parked). Only
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
final class Parking {
  private static final Logger LOG = System.getLogger(Parking.class.getName());

  /** With so few letters left to a key, its events wait for their turn instead of being parked. */
  private static final int CLOSING = 8;

  /** Letters that are read at once. */
  private static final int BATCH = 32;

  /**
   * A letter that could not be handled.
   *
   * @param isPassing whether it is not to blame
   */
  private record FailedAgain(DeadLetter.Due letter, String cause, boolean isPassing) {}

  private final Delivery delivery;
  private final EventSender sender;
  private final DeadLetterTable table;
  private final FencedDeadLetters writes;
  private final BlockingReads reads;
  private final Lease lease;
  private final ParkedKeys parked;
  private final LetterQueue letters;

  /** Keys whose last letters are being tried: no more are added. */
  private final Set<String> closing = new HashSet<>();

  /** Letters that were handled and have to be removed. */
  private final List<DeadLetter.Due> handled = new ArrayList<>();

  private @Nullable FailedAgain failedAgain;
  private boolean isBusy;
  private boolean wasRemoval;

  Parking(
      Delivery delivery,
      EventSender sender,
      DeadLetterTable table,
      FencedDeadLetters writes,
      BlockingReads reads) {
    this.delivery = delivery;
    this.sender = sender;
    this.table = table;
    this.writes = writes;
    this.reads = reads;
    this.lease = delivery.lease();
    this.parked = delivery.parked();
    this.letters = sender.letters();
  }

  /** Does what there is to do: with the session, and with the database. */
  void serve() {
    if (delivery.isActive()) {
      hear();
      send();
      if (!isBusy) {
        write();
      }
    }
  }

  /**
   * One thing at a time; what parks and what removes take turns, so that neither waits for long.
   */
  private void write() {
    var failing = sender.failing();
    var failed = failedAgain;
    var next = delivery.backlog().first();
    var hasToPark = !parked.isFull() && (failing != null || (next != null && isToPark(next)));
    var hasToRemove = !handled.isEmpty();
    var hasToCondemn = !parked.isFull() && sender.isNextProven();
    if (lease.step().rewinds() && (hasToPark || hasToRemove || hasToCondemn || failed != null)) {
      reads.again(delivery::ring); // until the row is where we are
    } else if (hasToRemove && !(hasToPark && wasRemoval)) {
      wasRemoval = true;
      remove(List.copyOf(handled));
    } else if (failed != null && !hasToRemove) {
      settle(failed);
    } else if (hasToCondemn && next != null) {
      wasRemoval = false;
      condemn(DeadLetter.of(next));
    } else if (hasToPark && failing != null) {
      wasRemoval = false;
      park(failing);
    } else if (hasToPark) {
      wasRemoval = false;
      parkBehind();
    } else if (parked.isDue() && letters.retrying() == null && letters.isEmpty()) {
      look();
    }
  }

  /**
   * @param work answers nothing if another owner has the segment
   */
  private <T> void run(Supplier<Optional<T>> work, Consumer<T> then) {
    isBusy = true;
    reads.read(
        work,
        written -> {
          isBusy = false;
          delivery.ifOurs(written, then);
          delivery.ring();
        },
        () -> {
          isBusy = false;
          reads.again(delivery::ring);
        });
  }

  // ---- an event that failed

  private void park(ConsumerMessage.Nack failing) {
    var failed = sender.lettersFrom(failing.position());
    if (failed.isEmpty()) {
      sender.noneFailing(); // acknowledged, or never sent: there is nothing to park
      return;
    }
    run(
        () -> writes.park(lease, failed, Printable.lines(failing.detail()), failing.attempt()),
        written -> {
          if (written.isFull()) {
            delivery.waitForRoom();
          } else {
            parked(failed);
          }
        });
  }

  /** They are committed: now they are left out, and the session is to pass over them. */
  private void parked(List<DeadLetter> failed) {
    sender.noneFailing();
    var positions = failed.stream().map(DeadLetter::position).collect(Collectors.toSet());
    delivery.backlog().drop(positions);
    delivery
        .session()
        .send(
            new ConsumerMessage.Parked(
                lease.segment().consumer().wire(),
                lease.segment().number(),
                lease.fence(),
                positions.stream().sorted().toList()),
            Lane.REQUEST);
  }

  /** The next event ended whoever took it: no session is given it any more. */
  private void condemn(DeadLetter letter) {
    var doubts = lease.doubts();
    run(
        () -> writes.park(lease, List.of(letter), doubts.cause(), doubts.sessions()),
        written -> {
          if (written.isFull()) {
            delivery.waitForRoom();
            return;
          }
          lease.doubts(lease.doubts().beyond(letter.position()));
          parked.add(List.of(letter.key()));
          delivery.backlog().drop(Set.of(letter.position()));
        });
  }

  // ---- those behind it

  /**
   * Whether an event is to be parked behind the letters of its key. Not if these are nearly gone:
   * then it waits for its turn, and what is behind it for some milliseconds too, or a key with
   * frequent events would never be live again.
   */
  private boolean isToPark(RecordedEvent event) {
    return parked.holds(event) && !closing.contains(Slots.key(event.aggregate()));
  }

  private void parkBehind() {
    var held = delivery.backlog().events().filter(this::isToPark).map(DeadLetter::of).toList();
    run(
        () -> writes.parkBehind(lease, held),
        behind -> {
          // Whoever dropped the last letter of a key made it live: what waits of it is sent.
          var live = held.stream().map(DeadLetter::key).collect(Collectors.toSet());
          live.removeAll(behind.keys());
          becomeLive(live);
          if (behind.isFull()) {
            delivery.waitForRoom();
            return;
          }
          delivery
              .backlog()
              .drop(
                  held.stream()
                      .filter(letter -> behind.keys().contains(letter.key()))
                      .map(DeadLetter::position)
                      .collect(Collectors.toSet()));
        });
  }

  private void becomeLive(Set<String> keys) {
    parked.remove(keys);
    closing.removeAll(keys);
  }

  // ---- tried again

  private void look() {
    run(
        () ->
            Optional.of(
                table.due(lease.claimed(), Long.MAX_VALUE, null, BATCH).stream()
                    .map(due -> new LetterQueue.Found(due, writes.event(due).orElse(null)))
                    .toList()),
        found -> {
          letters.add(found);
          parked.due(!found.isEmpty());
          if (found.isEmpty()) {
            closing.clear(); // none of those that are left can be tried: perhaps they were dropped
          }
          if (delivery.isActive()) {
            send(); // at least one of what was read, however long this thread was busy
          }
        });
  }

  /** Whether no checkpoint can fall back behind a position any more. */
  private boolean isPassed(long position) {
    return delivery.acked() >= position && lease.written().position() >= position;
  }

  /** Gives the session the next letter, if it has none. */
  private void send() {
    letters.dropOld();
    if (delivery.handover().isOnTrial()) {
      letters.first(lease.doubts().ids());
    }
    while (letters.retrying() == null && failedAgain == null) {
      var next = letters.poll();
      if (next == null) {
        return;
      }
      var letter = next.letter();
      var event = next.event();
      var doubts = lease.doubts();
      if (letter.isDropped()) {
        if (isPassed(letter.position())) {
          handled.add(letter);
        } else {
          parked.due(false); // until somebody looks again
        }
      } else if (event == null) {
        LOG.log(
            Level.WARNING, () -> "dead letter lost with its event " + lease + " id=" + letter.id());
        handled.add(letter);
      } else if (doubts.covers(letter.id()) && doubts.areProven()) {
        failed(letter, doubts.cause(), false);
      } else if (!isPassed(letter.position())) {
        // Until somebody looks again: then the checkpoint may be written.
        letters.clear();
        closing.clear();
        parked.due(false);
      } else if (delivery.maySpeak(System.nanoTime())
          && sender.mayHandLetter(doubts.covers(letter.id()))) {
        retry(letter, event);
      } else {
        letters.putBack(next);
        return;
      }
    }
  }

  private void retry(DeadLetter.Due letter, RecordedEvent event) {
    sender.retrying(letter);
    writes.countRetry(lease.segment().consumer());
    delivery
        .session()
        .send(
            new ConsumerMessage.Retry(
                lease.segment().consumer().wire(),
                lease.segment().number(),
                lease.fence(),
                letter.id(),
                event),
            Lane.REQUEST);
  }

  /** Takes in what the session says of its letter; the next one may be sent at once. */
  private void hear() {
    var letter = letters.retrying();
    var answer = letters.answer();
    if (letter == null || answer == null) {
      return;
    }
    sender.retrying(null);
    var failure = answer.failure();
    if (failure == null) {
      lease.doubts(lease.doubts().without(letter.id()));
      handled.add(letter);
    } else {
      failed(letter, Printable.lines(failure), answer.passing());
    }
  }

  private void failed(DeadLetter.Due letter, String cause, boolean isPassing) {
    lease.doubts(lease.doubts().without(letter.id()));
    closing.remove(letter.key());
    letters.dropBehind(letter);
    failedAgain = new FailedAgain(letter, cause, isPassing);
  }

  private void remove(List<DeadLetter.Due> gone) {
    run(
        () -> writes.remove(lease, gone),
        left -> {
          handled.removeAll(gone);
          gone.forEach(letter -> removed(letter.key(), left));
        });
  }

  private void removed(String key, Map<String, Left> left) {
    var ofKey = left.getOrDefault(key, Left.NONE);
    if (ofKey.letters() == 0) {
      becomeLive(Set.of(key));
    } else if (ofKey.letters() == ofKey.asked() && ofKey.letters() <= CLOSING) {
      closing.add(key);
    }
  }

  private void settle(FailedAgain failed) {
    run(
        () -> writes.failedAgain(lease, failed.letter(), failed.cause(), failed.isPassing()),
        letter -> failedAgain = null);
  }
}
