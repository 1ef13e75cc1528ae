package io.evento.bundle.gateway;

import io.evento.bundle.InvalidBundleException;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.PayloadType;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message.Query;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Asks queries. Thread-safe. */
public final class QueryGateway {
  private final PayloadMapper mapper;
  private final Requests requests;
  private final Waiting waiting;

  public QueryGateway(PayloadMapper mapper, Requests requests, Waiting waiting) {
    this.mapper = mapper;
    this.requests = requests;
    this.waiting = waiting;
  }

  /** Waits for the answer, at most ten seconds. */
  public <V> @Nullable V ask(Object query, Class<V> view) {
    return ask(query, view, QueryOptions.NONE);
  }

  /**
   * Waits for the answer.
   *
   * @param query a record
   * @param view what the answer is read as; an array class reads lists
   * @return null where the handler answered null
   * @throws EventoException if there was no answer
   * @throws IllegalStateException on a thread that runs handlers; nothing was asked
   */
  public <V> @Nullable V ask(Object query, Class<V> view, QueryOptions options) {
    waiting.check("askAsync");
    return waiting.await(view(query, view, options), options.deadline());
  }

  /** The answer, within ten seconds. */
  public <V> CompletionStage<@Nullable V> askAsync(Object query, Class<V> view) {
    return askAsync(query, view, QueryOptions.NONE);
  }

  /** The answer; the stage fails with an {@link EventoException}, this call itself never. */
  public <V> CompletionStage<@Nullable V> askAsync(
      Object query, Class<V> view, QueryOptions options) {
    return waiting.handOver(view(query, view, options));
  }

  private <V> CompletableFuture<@Nullable V> view(
      Object query, Class<V> view, QueryOptions options) {
    var id = UUID.randomUUID();
    PayloadType type;
    Json payload;
    try {
      type = mapper.typeOf(query.getClass());
      payload = type.write(query);
    } catch (InvalidBundleException | IllegalArgumentException unfit) {
      return CompletableFuture.failedFuture(
          EventoException.invalid("", String.valueOf(unfit.getMessage())));
    }
    var name = type.name();
    var version = type.version();
    var request =
        new Request(
            id,
            false,
            name,
            payload,
            null,
            options.deadline(),
            millis -> new Query(id, name, version, millis, options.trace(), payload));
    return requests
        .send(request)
        .thenApply(
            result -> {
              var answer = result.payload();
              return answer == null || answer.equals(Json.NULL) ? null : mapper.read(view, answer);
            });
  }
}
