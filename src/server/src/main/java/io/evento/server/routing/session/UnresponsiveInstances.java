package io.evento.server.routing.session;

import io.evento.protocol.Backoff;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.PeerLostException;
import io.evento.server.routing.Failures;
import io.evento.server.routing.SessionLostException;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Which instances of bundles take requests and do not answer them, though their sessions live.
 * After {@value #UNANSWERED_MAX} deadlines in a row an instance is passed over where another one
 * can be asked, for a pause that doubles with each further deadline; after each pause one request
 * tries it. Any answer in time heals. Known to this node alone, which asks for its own sake.
 * Thread-safe.
 */
@NodeScoped
public class UnresponsiveInstances {
  /** So many deadlines in a row. */
  static final int UNANSWERED_MAX = 3;

  static final Backoff BACKOFF = new Backoff(Duration.ofSeconds(2), Duration.ofMinutes(1));

  /** Who is given less time cannot be blamed. */
  static final int DEADLINE_MIN_MILLIS = 500;

  private static final long FORGET_NANOS = TimeUnit.MINUTES.toNanos(10);
  private static final Logger LOG = System.getLogger(UnresponsiveInstances.class.getName());

  /**
   * An instance that is passed over, as this node sees it.
   *
   * @param since its first deadline that passed
   * @param until when the next request tries it
   * @param unanswered deadlines in a row
   */
  public record Silent(Instant since, Instant until, int unanswered) {}

  private static final class Count {
    private final Instant since = Instant.now();
    private long last;
    private int unanswered;
    private long pausedUntil;
    private @Nullable Instant until;
    private boolean isProbed;

    private Count(long now) {
      last = now;
    }

    private synchronized long last() {
      return last;
    }

    private synchronized boolean mayBeAsked(long now) {
      return until == null || (now - pausedUntil >= 0 && !isProbed);
    }

    private synchronized void asked() {
      isProbed = true;
    }

    private synchronized void free() {
      isProbed = false;
    }

    private synchronized int unanswered(long now) {
      isProbed = false;
      last = now;
      unanswered++;
      if (unanswered >= UNANSWERED_MAX) {
        var pause = BACKOFF.halfByChance(unanswered - UNANSWERED_MAX);
        pausedUntil = now + pause.toNanos();
        until = Instant.now().plus(pause);
      }
      return unanswered;
    }

    private synchronized @Nullable Silent silent() {
      return until == null ? null : new Silent(since, until, unanswered);
    }
  }

  private final Map<UUID, Count> counts = new ConcurrentHashMap<>();
  private final LongSupplier clock;
  private final Counter unanswered;

  @Inject
  public UnresponsiveInstances(Metrics metrics) {
    this(metrics, System::nanoTime);
  }

  UnresponsiveInstances(Metrics metrics, LongSupplier clock) {
    this.clock = clock;
    unanswered =
        metrics.counter(
            "evento_requests_unanswered", "requests to bundles whose deadline passed unanswered");
    metrics.gauge(
        "evento_instances_unresponsive",
        "instances of bundles that are passed over, as they do not answer",
        () -> counts.values().stream().filter(count -> count.silent() != null).count());
  }

  /** Whether an instance should be asked, where another one could be. */
  public boolean mayBeAsked(UUID instance) {
    if (counts.isEmpty()) {
      return true;
    }
    var count = counts.get(instance);
    return count == null || count.mayBeAsked(clock.getAsLong());
  }

  /** What is known of an instance that is passed over; empty for others. */
  public Optional<Silent> silent(UUID instance) {
    var count = counts.get(instance);
    return count == null ? Optional.empty() : Optional.ofNullable(count.silent());
  }

  /**
   * Notes how a request to an instance ends.
   *
   * @param millis that it has for it
   */
  public <T> CompletionStage<T> watch(UUID instance, int millis, CompletionStage<T> request) {
    var count = counts.isEmpty() ? null : counts.get(instance);
    if (count != null) {
      count.asked();
    }
    var begun = clock.getAsLong();
    return request.whenComplete(
        (answer, failure) -> {
          if (failure == null) {
            answered(instance);
          } else if (isDeadline(failure, begun, millis)) {
            unanswered(instance, millis);
          } else if (count != null) {
            count.free();
          }
        });
  }

  /** Another node says of a deadline only that no answer came. */
  private boolean isDeadline(Throwable failure, long begun, int millis) {
    var cause = Failures.cause(failure);
    return cause instanceof TimeoutException
        || ((cause.getClass() == SessionLostException.class || cause instanceof PeerLostException)
            && clock.getAsLong() - begun >= TimeUnit.MILLISECONDS.toNanos(millis));
  }

  void answered(UUID instance) {
    if (!counts.isEmpty()) {
      var healed = counts.remove(instance);
      if (healed != null && healed.silent() != null) {
        LOG.log(Level.INFO, () -> "instance answers again instance=" + instance);
      }
    }
  }

  /** A deadline passed, or half of it and another instance is asked as well. */
  public void unanswered(UUID instance, int millis) {
    if (millis < DEADLINE_MIN_MILLIS) {
      return;
    }
    unanswered.increment();
    var now = clock.getAsLong();
    // Those that are gone, or that nobody asks any more.
    counts.values().removeIf(count -> now - count.last() > FORGET_NANOS);
    var inARow = counts.computeIfAbsent(instance, first -> new Count(now)).unanswered(now);
    if (inARow == UNANSWERED_MAX) {
      LOG.log(
          Level.WARNING,
          () -> "instance does not answer and is passed over for a while instance=" + instance);
    }
  }
}
