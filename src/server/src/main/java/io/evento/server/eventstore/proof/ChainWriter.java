package io.evento.server.eventstore.proof;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.Follower;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Has the chain follow the events. Each node asks for the next block every two seconds, if by what
 * it knows there is one to be made; the database lets one of them make it. Each block is a
 * transaction of its own, and after a second of them the node waits for its next turn, so that a
 * store which had none gets its chain beside its work, however large its events are.
 */
@NodeScoped
public class ChainWriter {
  private static final Logger LOG = System.getLogger(ChainWriter.class.getName());
  private static final long EVERY_MILLIS = 2_000;

  private static final long TURN_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final ChainTable chain;
  private final Follower follower;
  private final Threads threads;
  private final ExecutorService worker;
  // Of the worker. What another node made since is found when there seems to be one to be made.
  private long done;

  @Inject
  public ChainWriter(ChainTable chain, Follower follower, Threads threads) {
    this.chain = chain;
    this.follower = follower;
    this.threads = threads;
    worker = threads.pool("chain", 1, 1);
  }

  /** Begins; once the schema is there. */
  public void start() {
    threads
        .timer()
        .scheduleWithFixedDelay(this::wake, EVERY_MILLIS, EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void wake() {
    try {
      worker.execute(this::write);
    } catch (RejectedExecutionException busy) {
      LOG.log(Level.DEBUG, "the last blocks of the chain take long");
    }
  }

  private void write() {
    var head = follower.head().map(StorePosition::position).orElse(0L);
    if (head < done) {
      done = 0; // of another life of the store
    }
    if (head < done + ChainTable.BLOCK) {
      return; // and the database is not asked
    }
    try {
      done = chain.last().map(ChainTable.Block::position).orElse(0L);
      var began = System.nanoTime();
      while (head >= done + ChainTable.BLOCK
          && System.nanoTime() - began < TURN_NANOS
          && chain.next()) {
        done += ChainTable.BLOCK;
      }
    } catch (RuntimeException failure) {
      LOG.log(Level.WARNING, () -> "chain not written cause=" + failure.getMessage());
    }
  }
}
