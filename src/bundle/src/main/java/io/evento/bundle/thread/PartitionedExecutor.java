package io.evento.bundle.thread;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A few threads for decisions, which compute and never wait. What has the same key runs on the same
 * thread, so in order; that also keeps a stream's state in one processor's cache.
 */
public final class PartitionedExecutor implements AutoCloseable {
  private final ThreadPoolExecutor[] partitions;
  private final Threads origin;

  /**
   * @param waitingMax tasks that may wait in each partition
   * @param origin of the threads
   */
  public PartitionedExecutor(int count, int waitingMax, Threads origin) {
    this.origin = origin;
    partitions = new ThreadPoolExecutor[count];
    for (var i = 0; i < count; i++) {
      var name = "evento-decide-" + i;
      partitions[i] =
          new ThreadPoolExecutor(
              1,
              1,
              30,
              TimeUnit.SECONDS,
              new ArrayBlockingQueue<>(waitingMax),
              task -> origin.make(task, name));
      partitions[i].allowCoreThreadTimeOut(true);
    }
  }

  /**
   * @return false if too many are waiting in that partition; nothing happens then
   */
  public boolean submit(String key, Runnable task) {
    try {
      partitions[Math.floorMod(key.hashCode(), partitions.length)].execute(
          () -> {
            origin.enter();
            BoundedExecutor.handle(task);
          });
      return true;
    } catch (RuntimeException full) {
      return false;
    }
  }

  @Override
  public void close() {
    for (var partition : partitions) {
      partition.shutdownNow();
    }
  }
}
