package io.evento.server.routing.session;

import io.evento.server.NodeScoped;
import io.evento.server.routing.Failures;
import io.evento.server.routing.SessionEndedException;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The requests with which sessions ended, as {@link PoisonMessage} judges them, by the ids under
 * which they are asked. Kept over repeats of a request, which come to the same node: bounded in
 * number and time, and a node that forgets one only lets it take a few sessions more. Thread-safe.
 */
@NodeScoped
public class PoisonMessages {
  private static final Logger LOG = System.getLogger(PoisonMessages.class.getName());
  private static final int MOST = 10_000;
  private static final long KEEP_NANOS = TimeUnit.MINUTES.toNanos(10);

  private record Known(PoisonMessage suspicion, long since) {}

  private final Map<UUID, Known> known = new ConcurrentHashMap<>();
  private final Counter refused;

  @Inject
  public PoisonMessages(Metrics metrics) {
    refused =
        metrics.counter(
            "evento_requests_refused_as_fatal", "requests that ended each session they were given");
  }

  /**
   * Asks something once, unless it has ended enough sessions.
   *
   * @param id the same in each attempt
   * @param ask given whether the session must have nothing else meanwhile
   * @return fails with {@code handler-failed} where it is not asked any more, else as the attempt
   */
  public <T> CompletionStage<T> ask(UUID id, Function<Boolean, CompletionStage<T>> ask) {
    var before = known.isEmpty() ? null : find(id);
    if (before != null && before.isConvicted()) {
      return CompletableFuture.failedStage(before.refusal());
    }
    return ask.apply(before != null && before.callsForTrial())
        .exceptionallyCompose(
            failure -> {
              if (Failures.cause(failure) instanceof SessionEndedException ended) {
                var now = suspect(id);
                now.ended(ended);
                if (now.isConvicted()) {
                  refused.increment();
                  LOG.log(
                      Level.WARNING,
                      () -> "request refused, it ended each session that it was given id=" + id);
                  return CompletableFuture.failedStage(now.refusal());
                }
              }
              return CompletableFuture.failedStage(failure);
            });
  }

  /**
   * Something was answered under an id and ended no session: those before ended for other reasons.
   */
  public void acquit(UUID id) {
    known.remove(id);
  }

  private @Nullable PoisonMessage find(UUID id) {
    var found = known.get(id);
    return found == null || isOld(found) ? null : found.suspicion;
  }

  private static boolean isOld(Known one) {
    return System.nanoTime() - one.since > KEEP_NANOS;
  }

  private synchronized PoisonMessage suspect(UUID id) {
    known.values().removeIf(PoisonMessages::isOld);
    var found = known.get(id);
    if (found == null) {
      if (known.size() >= MOST) {
        known.remove(known.keySet().iterator().next());
      }
      found = new Known(new PoisonMessage(), System.nanoTime());
      known.put(id, found);
    }
    return found.suspicion;
  }
}
