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

    /** The other side ended the link, or it broke. Called once, and not after {@link #close}. */
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
          if (!isDeaf) {
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
      submit(() -> reader.closed(code, reason));
    }
  }

  /**
   * Sends a frame; none before the last one was read.
   *
   * @return completes when it was read, on a thread of the other side: what comes upon it does no
   *     more than send the next. Fails on a thread of this side
   */
  public CompletionStage<?> send(String frame) {
    var peer = other;
    if (peer == null) {
      return CompletableFuture.failedStage(new IllegalStateException("the link is over"));
    }
    var sent = new CompletableFuture<Boolean>();
    var unused =
        peer.frames
            .apply(frame)
            .whenComplete(
                (read, failure) -> {
                  if (failure == null) {
                    sent.complete(true);
                  } else {
                    // What is done about it is our work: no thread of others has to see it.
                    submit(() -> sent.completeExceptionally(failure));
                  }
                });
    return sent;
  }

  /** Ends the link and tells the other side. Whoever calls knows, so its reader hears nothing. */
  public void close(int code, String reason) {
    isDeaf = true;
    if (isOver.compareAndSet(false, true)) {
      tell(code, reason);
    }
  }

  private void tell(int code, String reason) {
    var peer = other;
    other = null;
    if (peer != null) {
      peer.end.accept(code, reason);
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
      close(GOING_AWAY, "it has stopped");
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
      if (isOver.compareAndSet(false, true)) {
        tell(BROKEN, "not read: " + bug);
        tasks.add(() -> reader.closed(BROKEN, "not read: " + bug));
        waiting.incrementAndGet();
      }
    }
  }
}
