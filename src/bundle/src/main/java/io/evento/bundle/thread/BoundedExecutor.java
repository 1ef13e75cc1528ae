package io.evento.bundle.thread;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.reflect.InvocationTargetException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Threads for one kind of handler, bounded: so many at work, so many waiting, no more. Virtual ones
 * where the JDK has them, as handlers mostly wait for a database.
 */
public final class BoundedExecutor implements AutoCloseable {
  private static final Logger LOG = System.getLogger(BoundedExecutor.class.getName());

  /** Set while a handler runs on this thread; asked where somebody is about to block it. */
  private static final ThreadLocal<Boolean> HANDLING = new ThreadLocal<>();

  private final ExecutorService threads;
  private final @Nullable Semaphore atWork;
  private final AtomicInteger admitted = new AtomicInteger();
  private final int admittedMax;
  private final Threads origin;

  /**
   * @param name of the threads
   * @param atWorkMax how many tasks run side by side
   * @param waitingMax how many may wait for their turn
   * @param origin of the threads
   */
  public BoundedExecutor(String name, int atWorkMax, int waitingMax, Threads origin) {
    this.admittedMax = atWorkMax + waitingMax;
    this.origin = origin;
    var virtual = origin.areGiven() ? null : virtualThreads();
    if (virtual == null) {
      this.atWork = null;
      this.threads = platformThreads(name, atWorkMax, waitingMax, origin);
    } else {
      this.atWork = new Semaphore(atWorkMax);
      this.threads = virtual;
    }
  }

  private static ExecutorService platformThreads(
      String name, int atWorkMax, int waitingMax, Threads origin) {
    var count = new AtomicInteger();
    var pool =
        new ThreadPoolExecutor(
            atWorkMax,
            atWorkMax,
            30,
            TimeUnit.SECONDS,
            // Room for all that is admitted: a thread about to finish has given up its place
            // already.
            new ArrayBlockingQueue<>(atWorkMax + waitingMax),
            task -> origin.make(task, name + "-" + count.incrementAndGet()));
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /** Null before JDK 21, which is why it is looked up by name. */
  private static @Nullable ExecutorService virtualThreads() {
    try {
      return (ExecutorService)
          Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    } catch (NoSuchMethodException
        | IllegalAccessException
        | InvocationTargetException
        | UnsupportedOperationException absent) {
      return null;
    }
  }

  /** Whether the calling thread is one of ours that runs a handler: waiting here starves others. */
  public static boolean isHandlerThread() {
    return HANDLING.get() != null;
  }

  /** Runs a handler on the calling thread, marked as such. */
  static void handle(Runnable handler) {
    HANDLING.set(Boolean.TRUE);
    try {
      handler.run();
    } catch (RuntimeException | Error bug) {
      LOG.log(Level.ERROR, "task of a handler failed outside of it", bug);
    } finally {
      HANDLING.remove();
    }
  }

  /**
   * Runs a task when there is a thread for it.
   *
   * @return false if too many are waiting; nothing happens then
   */
  public boolean submit(Runnable task) {
    if (admitted.incrementAndGet() > admittedMax) {
      admitted.decrementAndGet();
      return false;
    }
    try {
      threads.execute(() -> run(task));
      return true;
    } catch (RuntimeException closed) {
      // Also of a container's factory, which refuses threads in words of its own when it stops.
      admitted.decrementAndGet();
      return false;
    }
  }

  private void run(Runnable task) {
    origin.enter();
    if (atWork != null) {
      atWork.acquireUninterruptibly();
    }
    try {
      handle(task);
    } finally {
      if (atWork != null) {
        atWork.release();
      }
      admitted.decrementAndGet();
    }
  }

  /** Takes nothing new; what runs is interrupted. */
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
