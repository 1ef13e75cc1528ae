package io.evento.server.consumer;

import static org.awaitility.Awaitility.await;

import io.evento.server.consumer.Store.Draft;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/** Deposits to a hundred accounts, in batches of few, until it is stopped. */
public final class Traffic implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final Store store;
  private final ConsumerNode.Cluster cluster;
  private final AtomicBoolean isOver = new AtomicBoolean();
  private final AtomicLong written = new AtomicLong();
  private final Thread thread = new Thread(this::run);

  public Traffic(Store store, ConsumerNode.Cluster cluster) {
    this.store = store;
    this.cluster = cluster;
    thread.start();
  }

  private void run() {
    var random = new Random();
    while (!isOver.get()) {
      var drafts =
          IntStream.rangeClosed(0, random.nextInt(5))
              .mapToObj(i -> Draft.of("a-" + random.nextInt(100)))
              .toList();
      try {
        store.append(cluster.followers(), drafts);
      } catch (SQLException failure) {
        throw new IllegalStateException(failure);
      }
      written.addAndGet(drafts.size());
      LockSupport.parkNanos(2_000_000);
    }
  }

  public void goOnFor(int events) {
    var until = written.get() + events;
    await("traffic").atMost(PATIENCE).until(() -> written.get() >= until);
  }

  @Override
  public void close() throws InterruptedException {
    isOver.set(true);
    thread.join();
  }
}
