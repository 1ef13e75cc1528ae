package io.evento.server.gateway.websocket;

import io.evento.server.NodeScoped;
import io.evento.server.config.ServerConfig;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import jakarta.websocket.Session;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.reflect.Field;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Delayed;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Takes Tyrus' idle timer out of a session.
 *
 * <p>Tyrus restarts an idle timer at every message in and out, also when the timeout is off, and on
 * Payara each restart is a submit to a managed executor, which looks for service files in every
 * jar: 0.2 to 0.4 ms of CPU per message. Here the session gets a scheduler that does nothing for a
 * delay of 0 and is an ordinary one otherwise. Guarded: whatever is not as expected leaves the
 * session as it was, and the metric {@code evento_ws_tyrus_tuned} says so. Sessions of other
 * servers are left alone.
 */
@NodeScoped
public class TyrusIdleTimerFix {
  private static final Logger LOG = System.getLogger(TyrusIdleTimerFix.class.getName());
  private static final String TYRUS = "org.glassfish.tyrus.";

  private final boolean wanted;
  private final AtomicBoolean saidSo = new AtomicBoolean();
  private volatile int tuned;

  @Inject
  public TyrusIdleTimerFix(ServerConfig config, Metrics metrics) {
    wanted = config.webSocket().tyrusRemedy();
    metrics.gauge(
        "evento_ws_tyrus_tuned",
        "1 where the last session's idle timer was taken out, 0 where it was not or need not be",
        () -> tuned);
  }

  /** Tunes a session that was just opened. */
  void apply(Session session) {
    if (!wanted || !session.getClass().getName().startsWith(TYRUS)) {
      return;
    }
    try {
      tuned = replace(session) ? 1 : 0;
    } catch (ReflectiveOperationException | RuntimeException unexpected) {
      tuned = 0;
      if (saidSo.compareAndSet(false, true)) {
        LOG.log(
            Level.WARNING,
            "Tyrus is another one than expected: each message costs more",
            unexpected);
      }
    }
    if (tuned == 0 && saidSo.compareAndSet(false, true)) {
      LOG.log(Level.WARNING, "Tyrus has no idle timer where expected: each message may cost more");
    }
  }

  private static boolean replace(Session session) throws ReflectiveOperationException {
    for (Class<?> type = session.getClass(); type != null; type = type.getSuperclass()) {
      for (Field field : type.getDeclaredFields()) {
        if (field.getType() == ScheduledExecutorService.class) {
          field.setAccessible(true);
          field.set(session, Quiet.SCHEDULER);
          return field.get(session) == Quiet.SCHEDULER;
        }
      }
    }
    return false;
  }

  /** Does nothing for a delay of 0, as an idle timeout of 0 means never. */
  private static final class Quiet extends ScheduledThreadPoolExecutor {
    static final Quiet SCHEDULER = new Quiet();
    private static final ScheduledFuture<?> DONE = new Done();

    private Quiet() {
      super(
          1,
          body -> {
            var thread = new Thread(body, "evento-ws-idle");
            thread.setDaemon(true);
            return thread;
          });
      setRemoveOnCancelPolicy(true);
      setKeepAliveTime(10, TimeUnit.SECONDS);
      allowCoreThreadTimeOut(true);
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
      return delay <= 0 ? DONE : super.schedule(task, delay, unit);
    }

    @Override
    @SuppressWarnings("unchecked") // the finished future has no value
    public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
      return delay <= 0 ? (ScheduledFuture<V>) DONE : super.schedule(task, delay, unit);
    }
  }

  private static final class Done extends CompletableFuture<Object>
      implements ScheduledFuture<Object> {
    Done() {
      complete(null);
    }

    @Override
    public long getDelay(TimeUnit unit) {
      return 0;
    }

    @Override
    public int compareTo(Delayed other) {
      return Long.compare(0, other.getDelay(TimeUnit.NANOSECONDS));
    }
  }
}
