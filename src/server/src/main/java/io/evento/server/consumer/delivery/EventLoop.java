package io.evento.server.consumer.delivery;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Work for one thread, which alone touches what the work touches. However often a task is asked
 * for, it waits once, so the queue is never longer than there are tasks.
 */
public final class EventLoop {
  private static final Logger LOG = System.getLogger(EventLoop.class.getName());

  private final LinkedBlockingQueue<Task> waiting = new LinkedBlockingQueue<>();

  /** A piece of work that is wanted again and again. */
  public final class Task {
    private final Runnable body;
    private final AtomicBoolean waits = new AtomicBoolean();

    private Task(Runnable body) {
      this.body = body;
    }

    /** Has it run once more, soon. Never blocks. */
    public void ring() {
      if (waits.compareAndSet(false, true)) {
        waiting.add(this);
      }
    }
  }

  public Task task(Runnable body) {
    return new Task(body);
  }

  /** Work that is wanted once. */
  void post(Runnable body) {
    new Task(body).ring();
  }

  /** The thread's life; ends when interrupted. */
  public void run() {
    try {
      while (true) {
        take(waiting.take());
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  private static void take(Task task) {
    // Before the body: whoever rings while it runs may have come too late to be seen by it.
    task.waits.set(false);
    try {
      task.body.run();
    } catch (RejectedExecutionException stopped) {
      LOG.log(Level.DEBUG, "the node stops");
    } catch (RuntimeException | Error failure) {
      // One segment's trouble must not end the thread that serves all the others.
      LOG.log(Level.ERROR, "a task failed", failure);
    }
  }
}
