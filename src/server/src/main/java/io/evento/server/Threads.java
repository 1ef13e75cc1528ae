package io.evento.server;

import io.evento.protocol.silence.SchedulingDelay;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import javax.naming.InitialContext;
import javax.naming.NamingException;

/**
 * Where the node's own threads come from. They are the container's, so that they carry the
 * application's class loader and end with it, but hot paths hand work over by queues of ours: each
 * submit to a managed executor costs about 100 µs on Payara.
 */
@NodeScoped
public class Threads {
  private static final Logger LOG = System.getLogger(Threads.class.getName());
  private static final Duration DELAY_EVERY = Duration.ofMillis(100);

  private final ThreadFactory factory;
  private final SchedulingDelay delay = new SchedulingDelay(DELAY_EVERY, Duration.ZERO);
  private final ScheduledThreadPoolExecutor timer;
  private final CopyOnWriteArrayList<ExecutorService> pools = new CopyOnWriteArrayList<>();
  private final CopyOnWriteArrayList<Thread> started = new CopyOnWriteArrayList<>();

  @Inject
  public Threads() {
    this(container());
  }

  public Threads(ThreadFactory factory) {
    this.factory = factory;
    timer = new ScheduledThreadPoolExecutor(1, named("timer"));
    timer.setRemoveOnCancelPolicy(true);
    timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    timer.scheduleWithFixedDelay(
        () -> delay.tick(System.nanoTime()),
        DELAY_EVERY.toMillis(),
        DELAY_EVERY.toMillis(),
        TimeUnit.MILLISECONDS);
  }

  @SuppressWarnings("BanJNDI") // a constant name
  private static ThreadFactory container() {
    try {
      return (ThreadFactory) new InitialContext().lookup("java:comp/DefaultManagedThreadFactory");
    } catch (NamingException absent) {
      throw new IllegalStateException("the container offers no managed threads", absent);
    }
  }

  /** Starts a thread that runs as long as the node, until interrupted. */
  public Thread start(String name, Runnable body) {
    var thread = named(name).newThread(guarded(name, body));
    started.add(thread);
    thread.start();
    return thread;
  }

  /** For what happens later. Its tasks are short and never block. */
  public ScheduledExecutorService timer() {
    return timer;
  }

  /** How late this node's timer comes; its limit is a setting. */
  public SchedulingDelay delay() {
    return delay;
  }

  /**
   * A pool of threads that may block on the database.
   *
   * @param waiting how many tasks may wait; one more is refused with {@code
   *     RejectedExecutionException}
   */
  public ExecutorService pool(String name, int size, int waiting) {
    var pool =
        new ThreadPoolExecutor(
            size, size, 30, TimeUnit.SECONDS, new ArrayBlockingQueue<>(waiting), named(name));
    pool.allowCoreThreadTimeOut(true);
    pools.add(pool);
    return pool;
  }

  /**
   * A pool whose threads are there from the start and stay: whoever hands work over has no part in
   * making one, as a thread keeps hold of the classes of its maker.
   *
   * @param waiting as for {@link #pool}
   */
  public ExecutorService standing(String name, int size, int waiting) {
    var pool =
        new ThreadPoolExecutor(
            size, size, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(waiting), named(name));
    pool.prestartAllCoreThreads();
    pools.add(pool);
    return pool;
  }

  /**
   * Has work done by a pool.
   *
   * @return fails with {@code RejectedExecutionException} where the pool is full, and never throws:
   *     who counts what is under way counts it down when the stage ends
   */
  public static <T> CompletableFuture<T> supply(Supplier<T> work, Executor pool) {
    try {
      return CompletableFuture.supplyAsync(work, RequestCorrelation.carriedTo(pool));
    } catch (RejectedExecutionException full) {
      return CompletableFuture.failedFuture(full);
    }
  }

  /** The same for work without a result. */
  public static CompletableFuture<Void> run(Runnable work, Executor pool) {
    return supply(
        () -> {
          work.run();
          return null;
        },
        pool);
  }

  private ThreadFactory named(String name) {
    return body -> {
      var thread = factory.newThread(body);
      thread.setName("evento-" + name);
      thread.setDaemon(true);
      return thread;
    };
  }

  private static Runnable guarded(String name, Runnable body) {
    return () -> {
      try {
        body.run();
      } catch (RuntimeException | Error failure) {
        LOG.log(Level.ERROR, "thread ended by a failure name=" + name, failure);
        throw failure;
      }
    };
  }

  /** Ends everything that was started here; waits a second for each at most. */
  @PreDestroy
  public void stop() {
    timer.shutdownNow();
    pools.forEach(ExecutorService::shutdownNow);
    started.forEach(Thread::interrupt);
    for (var thread : started) {
      try {
        thread.join(1_000);
      } catch (InterruptedException asked) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
