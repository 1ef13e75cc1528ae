package io.evento.sample.bank.web;

import io.evento.bundle.gateway.QueryGateway;
import io.evento.bundle.gateway.QueryListener;
import io.evento.bundle.gateway.QuerySubscription;
import io.evento.protocol.EventoException;
import io.evento.sample.bank.account.AccountQuery.Sums;
import io.evento.sample.bank.account.AccountQuery.SumsChange;
import io.evento.sample.bank.account.AccountQuery.Totals;
import java.util.Optional;

/**
 * The totals as they are now, for one who watches them: the answer to a subscription query and what
 * came since, added up. However much changes between two looks, each look is one picture.
 */
final class TotalsWatch implements QueryListener<Sums, SumsChange>, AutoCloseable {
  private final QuerySubscription subscription;

  // Guarded by this.
  private Sums sums;
  private boolean isSeen;
  private boolean isOver;

  TotalsWatch(QueryGateway queries) {
    subscription = queries.subscribe(new Totals(), Sums.class, SumsChange.class, this);
  }

  @Override
  public synchronized void answered(Sums view) {
    show(view);
  }

  @Override
  public synchronized void updated(SumsChange change) {
    show(sums.plus(change)); // an answer always comes first
  }

  private void show(Sums now) {
    sums = now;
    isSeen = false;
    notifyAll();
  }

  @Override
  public void ended(EventoException why) {
    end();
  }

  /** Whether it is told nothing more. */
  synchronized boolean isOver() {
    return isOver;
  }

  /**
   * Waits until the totals are others than at the last look.
   *
   * @return empty if nothing changes for so long, or it is over
   */
  synchronized Optional<Sums> next(long millis) throws InterruptedException {
    var end = System.nanoTime() + millis * 1_000_000;
    for (var left = millis; (sums == null || isSeen) && !isOver && left > 0; ) {
      wait(left);
      left = (end - System.nanoTime()) / 1_000_000;
    }
    if (sums == null || isSeen || isOver) {
      return Optional.empty();
    }
    isSeen = true;
    return Optional.of(sums);
  }

  private synchronized void end() {
    isOver = true;
    notifyAll();
  }

  @Override
  public void close() {
    subscription.close();
    end();
  }
}
