package io.evento.server.consumer.step;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Printable;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.delivery.FencedDeadLetters;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.PoisonCandidates;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Has a saga or observer try dead letters again that were asked for, one at a time, each as a batch
 * of its own. Confined to the delivery thread.
 */
final class LetterAttempts {
  /**
   * So many letters are tried before a batch gets its turn: fewer, and a key with frequent events
   * would get new letters as fast as it loses old ones; more, and other keys would wait for long.
   */
  private static final int IN_A_ROW = 8;

  private final Delivery delivery;
  private final Lease lease;
  private final StepExchange exchange;
  private final StepParking parking;
  private final StepStore store;
  private final FencedDeadLetters writes;
  private final Runnable inbox;
  private @Nullable String lastKey;
  private int inARow;

  /**
   * @param inbox is told when outcomes and deadlines may have become live
   */
  LetterAttempts(
      Delivery delivery,
      StepExchange exchange,
      StepParking parking,
      StepStore store,
      FencedDeadLetters writes,
      Runnable inbox) {
    this.delivery = delivery;
    this.lease = delivery.lease();
    this.exchange = exchange;
    this.parking = parking;
    this.store = store;
    this.writes = writes;
    this.inbox = inbox;
  }

  /** Whether so many were tried that a batch goes first. */
  boolean hadTheirTurn() {
    return inARow >= IN_A_ROW;
  }

  void batchBegins() {
    inARow = 0;
    lastKey = null;
  }

  /** Tries the next letter, of the same key if that has one. */
  void begin() {
    var first = lastKey;
    exchange.load(
        () -> Optional.of(parking.next(lease, delivery.filter(), first)),
        next -> next.ifPresentOrElse(this::loaded, this::noneNow),
        this::noneNow);
  }

  /** None is to be tried, or which one is could not be found out; somebody looks again soon. */
  private void noneNow() {
    delivery.parked().due(false);
    exchange.idle();
  }

  private void loaded(StepParking.Found found) {
    var doubts = lease.doubts();
    if (!delivery.isRunning()) {
      exchange.idle();
    } else if (doubts.areProven() && doubts.covers(found.letter().id())) {
      failed(found, doubts.cause(), false);
    } else if (found.batch().items().isEmpty()) {
      take(found, List.of());
    } else if (exchange.mayAsk()) {
      exchange.ask(
          found.batch(),
          PoisonCandidates.of(0, 0, Set.of(found.letter().id())),
          said -> decided(found, said));
    } else {
      exchange.idle();
    }
  }

  private void decided(StepParking.Found tried, StepMessage.Stepped said) {
    lease.doubts(lease.doubts().without(tried.letter().id()));
    var failure = said.failure();
    if (failure != null) {
      failed(tried, failure.detail(), failure.code().retry() == ErrorCode.Retry.LATER);
    } else if (said.results().size() == 1) {
      take(tried, said.results());
    } else {
      var rule = EventoException.invalid("/results", "must be as many as were asked");
      failed(tried, rule.detail(), false);
    }
  }

  private void take(StepParking.Found tried, List<StepMessage.Result> results) {
    var id = UUID.randomUUID(); // the same in every repeat
    exchange.store(
        () -> store.takeLetter(id, delivery, tried, results), stored -> taken(tried, stored));
  }

  private void taken(StepParking.Found tried, StepStore.StoredLetter stored) {
    if (stored.unfit() != null) {
      failed(tried, stored.unfit().detail(), false);
      return;
    }
    if (stored.place() != null) {
      lease.committed(stored.place().position(), stored.place().command());
    }
    settled(tried);
    if (stored.isLive()) {
      inbox.run(); // its outcomes and deadlines may have waited all the time
    }
  }

  /**
   * @param isPassing whether the letter is not to blame, and is tried again a little later
   */
  private void failed(StepParking.Found tried, String cause, boolean isPassing) {
    lease.doubts(lease.doubts().without(tried.letter().id()));
    exchange.store(
        () -> writes.failedAgain(lease, tried.letter(), Printable.lines(cause), isPassing),
        noted -> settled(tried));
  }

  /** What became of a letter is stored, or it is no more. */
  private void settled(StepParking.Found tried) {
    lastKey = tried.letter().key();
    inARow++;
    exchange.idle();
  }
}
