package io.evento.bundle.gateway;

import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.PayloadType;
import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.QueryMessage.Gather;
import io.evento.protocol.QueryMessage.Query;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Asks queries over the sessions of a bundle. */
public final class SessionQueryGateway implements QueryGateway {
  private final PayloadMapper mapper;
  private final Requests requests;
  private final Subscriptions subscriptions;
  private final BlockingCalls blockingCalls;

  public SessionQueryGateway(
      PayloadMapper mapper,
      Requests requests,
      Subscriptions subscriptions,
      BlockingCalls blockingCalls) {
    this.mapper = mapper;
    this.requests = requests;
    this.subscriptions = subscriptions;
    this.blockingCalls = blockingCalls;
  }

  @Override
  public <V> @Nullable V ask(Object query, Class<V> view, QueryOptions options) {
    blockingCalls.check("askAsync");
    return blockingCalls.await(view(query, view, options), options.deadline());
  }

  @Override
  public <V> CompletionStage<@Nullable V> askAsync(
      Object query, Class<V> view, QueryOptions options) {
    return blockingCalls.handOver(view(query, view, options));
  }

  @Override
  public <V> Gathered<V> askAll(Object query, Class<V> view, QueryOptions options) {
    blockingCalls.check("askAllAsync");
    return blockingCalls.await(gather(query, view, options, Gather.INSTANCES), options.deadline());
  }

  @Override
  public <V> CompletionStage<Gathered<V>> askAllAsync(
      Object query, Class<V> view, QueryOptions options) {
    return blockingCalls.handOver(gather(query, view, options, Gather.INSTANCES));
  }

  @Override
  public <V> Gathered<V> askVersions(Object query, Class<V> view, QueryOptions options) {
    blockingCalls.check("askVersionsAsync");
    return blockingCalls.await(gather(query, view, options, Gather.VERSIONS), options.deadline());
  }

  @Override
  public <V> CompletionStage<Gathered<V>> askVersionsAsync(
      Object query, Class<V> view, QueryOptions options) {
    return blockingCalls.handOver(gather(query, view, options, Gather.VERSIONS));
  }

  @Override
  public <V, U> QuerySubscription subscribe(
      Object query, Class<V> view, Class<U> update, QueryListener<V, U> listener) {
    PayloadType type;
    Json payload;
    try {
      type = mapper.typeOf(query.getClass());
      Refusals.checkQuery(type);
      payload = type.write(query);
    } catch (InvalidBundleException | IllegalArgumentException unfit) {
      throw Refusals.of(unfit);
    }
    var openSubscription =
        new OpenSubscription<>(
            id ->
                new Query(
                    id,
                    type.name(),
                    type.version(),
                    (int) QueryOptions.NONE.deadline().toMillis(),
                    null,
                    payload,
                    null,
                    null,
                    null),
            view,
            update,
            listener,
            mapper,
            subscriptions);
    subscriptions.open(openSubscription);
    return openSubscription;
  }

  /** As nodes answer it. */
  private record Told(List<Answer> answers, List<Gathered.Missing> missing) {
    private record Answer(UUID instance, String bundle, String model, Json view) {}
  }

  private <V> CompletableFuture<Gathered<V>> gather(
      Object query, Class<V> view, QueryOptions options, Gather whom) {
    return answer(query, options, whom)
        .thenApply(
            text -> {
              var told = Codec.read(Told.class, text.text());
              var answers = new ArrayList<Gathered.Answer<V>>();
              for (var answer : told.answers) {
                answers.add(
                    new Gathered.Answer<>(
                        answer.instance, answer.bundle, answer.model, read(view, answer.view)));
              }
              return new Gathered<>(answers, told.missing);
            });
  }

  private <V> CompletableFuture<@Nullable V> view(
      Object query, Class<V> view, QueryOptions options) {
    return answer(query, options, null).thenApply(answer -> read(view, answer));
  }

  private <V> @Nullable V read(Class<V> view, @Nullable Json answer) {
    return answer == null || answer.equals(Json.NULL) ? null : mapper.read(view, answer);
  }

  private CompletableFuture<Json> answer(
      Object query, QueryOptions options, @Nullable Gather whom) {
    var id = UUID.randomUUID();
    PayloadType type;
    Json payload;
    try {
      type = mapper.typeOf(query.getClass());
      Refusals.checkQuery(type);
      payload = type.write(query);
      Refusals.check("/trace", options.trace());
    } catch (EventoException refused) {
      return CompletableFuture.failedFuture(refused);
    } catch (InvalidBundleException | IllegalArgumentException unfit) {
      return CompletableFuture.failedFuture(Refusals.of(unfit));
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
            millis ->
                new Query(
                    id,
                    name,
                    version,
                    millis,
                    options.trace(),
                    payload,
                    options.after(),
                    whom,
                    null));
    return requests
        .send(request)
        .thenApply(
            result -> {
              var answer = result.payload();
              return answer == null ? Json.NULL : answer;
            });
  }
}
