package io.evento.server.eventstore.follow;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.read.EventBlockTable;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Has it written down what stands in each block of positions that is full. Each node asks for the
 * next one if by what it knows there is one to be made; the database lets one of them make it. Each
 * is a transaction of its own, and after a second of them the node waits for its next turn, so that
 * a store which had none gets them beside its work.
 */
@NodeScoped
public class EventBlockWriter {
  private static final Logger LOG = System.getLogger(EventBlockWriter.class.getName());
  private static final long EVERY_MILLIS = 2_000;
  private static final long TURN_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final EventBlockTable blocks;
  private final Follower follower;
  private final Threads threads;
  private final ExecutorService worker;
  // Of the worker. What another node made since is found when there seems to be one to be made.
  private long done;

  @Inject
  public EventBlockWriter(EventBlockTable blocks, Follower follower, Threads threads) {
    this.blocks = blocks;
    this.follower = follower;
    this.threads = threads;
    worker = threads.pool("event-blocks", 1, 1);
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
      LOG.log(Level.DEBUG, "the last blocks take long");
    }
  }

  private void write() {
    var head = follower.head().map(StorePosition::position).orElse(0L);
    if (head < done) {
      done = 0; // of another life of the store
    }
    if (head < done + EventBlockTable.BLOCK) {
      return;
    }
    try {
      done = blocks.upTo();
      if (head < done) {
        blocks.makeNext(); // drops what does not fit the store
        done = blocks.upTo();
      }
      var began = System.nanoTime();
      while (head >= done + EventBlockTable.BLOCK
          && System.nanoTime() - began < TURN_NANOS
          && blocks.makeNext()) {
        done += EventBlockTable.BLOCK;
      }
    } catch (RuntimeException failure) {
      LOG.log(Level.WARNING, () -> "blocks not written cause=" + failure.getMessage());
    }
  }
}
