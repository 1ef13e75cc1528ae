package io.evento.bundle.thread;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

/**
 * Where the threads of a bundle come from, and the class loader that what runs on them finds as its
 * context. Immutable.
 *
 * <p>A new thread has the context loader of whoever made it. That may be a thread of the HTTP
 * client, and a virtual thread's maker has the system's: so each task sets the loader itself.
 */
public final class Threads {
  private final @Nullable ThreadFactory factory;
  private final @Nullable ClassLoader loader;

  private Threads(@Nullable ThreadFactory factory, @Nullable ClassLoader loader) {
    this.factory = factory;
    this.loader = loader;
  }

  /** The SDK's own, virtual where the JDK has them, with the caller's context class loader. */
  public static Threads own() {
    return new Threads(null, Thread.currentThread().getContextClassLoader());
  }

  /**
   * Those of a container, with the caller's context class loader.
   *
   * @param factory gives a thread for each task that is at work
   */
  public static Threads of(ThreadFactory factory) {
    return new Threads(factory, Thread.currentThread().getContextClassLoader());
  }

  boolean areGiven() {
    return factory != null;
  }

  Thread make(Runnable task, String name) {
    if (factory != null) {
      // Named by whoever owns it, as its container finds it by that name.
      var given = factory.newThread(task);
      if (given == null) {
        throw new RejectedExecutionException("the thread factory of the container gave no thread");
      }
      return given;
    }
    var thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  /** To be called by each task before it does anything else. */
  void enter() {
    var thread = Thread.currentThread();
    if (thread.getContextClassLoader() != loader) {
      thread.setContextClassLoader(loader);
    }
  }
}
