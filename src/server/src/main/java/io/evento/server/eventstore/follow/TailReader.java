package io.evento.server.eventstore.follow;

import io.evento.server.eventstore.Epochs;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.persistence.UncheckedSqlException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;

/** The node's one tail reader: reads for {@link Follower} what no push brought. */
final class TailReader implements Runnable {
  private static final Logger LOG = System.getLogger(TailReader.class.getName());

  /** Safety net: what no push told is found so late at most. */
  static final Duration POLL = Duration.ofMillis(500);

  private static final int READ_EVENTS = 2_000;
  private static final int READ_BYTES = 4 << 20;

  private final OrderReader order;
  private final Follower follower;

  TailReader(OrderReader order, Follower follower) {
    this.order = order;
    this.follower = follower;
  }

  @Override
  public void run() {
    try {
      while (true) {
        if (!readOrPause()) {
          follower.awaitWork();
        }
      }
    } catch (InterruptedException asked) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean readOrPause() throws InterruptedException {
    try {
      return read();
    } catch (UncheckedSqlException failure) {
      LOG.log(Level.WARNING, () -> "tail not read, next poll retries: " + failure.getMessage());
    } catch (RuntimeException | Error failure) {
      LOG.log(Level.ERROR, "tail not read, next poll retries", failure);
    }
    Thread.sleep(POLL.toMillis());
    return true;
  }

  /** Reads what is behind the head. Returns whether there may be more at once. */
  private boolean read() {
    var known = follower.known();
    if (known == null) {
      // In this order: if an epoch opens in between, the next read finds it and rewinds.
      var lives = order.epochs();
      if (!follower.believes(lives)) {
        return doubt(lives);
      }
      follower.begin(lives, order.head().position());
      return true;
    }
    var seen = follower.head().orElseThrow();
    var slice = order.slice(seen.position(), READ_EVENTS, READ_BYTES);
    if (slice.isEmpty()) {
      return check(known, seen);
    }
    if (!slice.get().epoch().equals(seen.epoch())) {
      return restart(known);
    }
    follower.accept(seen.position(), slice.get().events());
    return slice.get().more();
  }

  /** Nothing was found after {@code seen}: it is the head, or the store is not what it was. */
  private boolean check(Epochs known, StorePosition seen) {
    // What was seen before the head is read was committed before: a lower head has lost it.
    var heard = follower.heard();
    var head = order.head();
    if (!head.epoch().equals(seen.epoch())) {
      return restart(known);
    }
    if (head.position() < heard.seen().position()) {
      follower.alarm(heard.seen(), head);
      return false;
    }
    if (head.position() < heard.told().position()) {
      follower.disbelieve(heard.told(), head);
    }
    return head.position() > seen.position();
  }

  private boolean restart(Epochs known) {
    var lives = order.epochs();
    if (!follower.believes(lives)) {
      return doubt(lives);
    }
    follower.restart(known, lives);
    return true;
  }

  private boolean doubt(Epochs lives) {
    follower.doubt(lives);
    return false;
  }
}
