package io.evento.protocol.vm;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One end of a link in the JVM. Reads one frame after the other on threads of its own side, and
 * tells the other end when each was read: that is all the back pressure there is, as {@link
 * io.evento.protocol.FrameWriter} sends the next frame only then. Thread-safe.
 */
public final class VmEnd {
  private static final Logger LOG = System.getLogger(VmEnd.class.getName());

  /** So many tasks at a stretch; other links have the thread then. */
  private static final int STRETCH = 32;

  /** Codes of RFC 6455, as a bundle and a node say them over a WebSocket. */
  public static final int GOING_AWAY = 1001;

  private static final int BROKEN = 1011;

  /** Who reads. Called on the threads of this end, never by two at once. */
  public interface Reader {
    void frame(String frame);

    /** The link is over, whoever ended it. Called once; nothing is read after it. */
    void closed(int code, String reason);
  }

  /** What one end calls of the other. */
  private record Other(
      Function<String, CompletionStage<?>> frames, BiConsumer<Integer, String> end) {}

  private final Executor threads;
  private final Reader reader;
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicBoolean isReading = new AtomicBoolean();
  private final AtomicBoolean isOver = new AtomicBoolean();
  private volatile boolean isDeaf;
  private boolean isTold; // of whoever reads
  private volatile @Nullable Other other;

  /**
   * @param threads of this side; started by it, as a thread keeps hold of whoever started it
   */
  public VmEnd(Executor threads, Reader reader) {
    this.threads = threads;
    this.reader = reader;
  }

  /**
   * Gives this end what it calls of the other one.
   *
   * @param frames its {@link #take}
   * @param end its {@link #ended}
   * @param then done on a thread of this side, before anything is read
   */
  public void join(
      Function<String, CompletionStage<?>> frames, BiConsumer<Integer, String> end, Runnable then) {
    other = new Other(frames, end);
    if (isOver.get()) {
      other = null;
    }
    submit(then);
  }

  /**
   * Takes a frame of the other end.
   *
   * @return completes when it was read; fails if the link is over, or the frame before is not read
   */
  public CompletionStage<?> take(String frame) {
    if (isOver.get() || !isReading.compareAndSet(false, true)) {
      return CompletableFuture.failedStage(
          new IllegalStateException(isOver.get() ? "the link is over" : "one frame at a time"));
    }
    var read = new CompletableFuture<Boolean>();
    submit(
        () -> {
          if (!isDeaf && !isTold) {
            reader.frame(frame);
          }
          isReading.set(false);
          read.complete(true);
        });
    return read;
  }

  /** The other end is over. What it sent before is read first. */
  public void ended(int code, String reason) {
    if (isOver.compareAndSet(false, true)) {
      other = null;
      submit(() -> told(code, reason));
    }
  }

  private void told(int code, String reason) {
    isTold = true;
    reader.closed(code, reason);
  }

  /**
   * Sends a frame; none before the last one was read.
   *
   * @return completes when it was read, on a thread of the other side: what comes upon it does no
   *     more than send the next. Fails on a thread of this side
   */
  public CompletionStage<?> send(String frame) {
    var peer = other;
    var sent = new CompletableFuture<Boolean>();
    if (peer == null) {
      fail(sent, new IllegalStateException("the link is over"));
      return sent;
    }
    try {
      var unused =
          peer.frames
              .apply(frame)
              .whenComplete(
                  (read, failure) -> {
                    if (failure == null) {
                      sent.complete(true);
                    } else {
                      fail(sent, failure);
                    }
                  });
    } catch (RuntimeException | Error gone) {
      // Its classes are gone, most likely: that ends this link and nothing else.
      fail(sent, gone);
    }
    return sent;
  }

  /** What is done about it is the work of this side: no thread of the other has to do it. */
  private void fail(CompletableFuture<Boolean> sent, Throwable why) {
    submit(() -> sent.completeExceptionally(why));
  }

  /** Ends the link and tells both sides. What the other one sent is not read any more. */
  public void close(int code, String reason) {
    if (isOver.compareAndSet(false, true)) {
      isDeaf = true;
      tell(code, reason);
      submit(() -> told(code, reason));
    }
  }

  private void tell(int code, String reason) {
    var peer = other;
    other = null;
    if (peer != null) {
      try {
        peer.end.accept(code, reason);
      } catch (RuntimeException | Error gone) {
        LOG.log(Level.DEBUG, "the other side of a link in the JVM is gone", gone);
      }
    }
  }

  private void submit(Runnable task) {
    tasks.add(task);
    if (waiting.getAndIncrement() == 0) {
      start();
    }
  }

  private void start() {
    try {
      threads.execute(this::work);
    } catch (RejectedExecutionException stopped) {
      // This side has stopped, and hears no more of anything.
      tasks.clear();
      if (isOver.compareAndSet(false, true)) {
        tell(GOING_AWAY, "it has stopped");
      }
    }
  }

  private void work() {
    for (var count = 0; count < STRETCH; count++) {
      var task = tasks.poll();
      if (task != null) {
        run(task);
      }
      if (waiting.decrementAndGet() == 0) {
        return;
      }
    }
    start();
  }

  private void run(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error bug) {
      LOG.log(Level.ERROR, "a link in the JVM broke", bug);
      close(BROKEN, "not read: " + bug);
    }
  }
}
