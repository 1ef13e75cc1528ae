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
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Asks queries. Thread-safe. */
public final class QueryGateway {
  private final PayloadMapper mapper;
  private final Requests requests;
  private final Subscriptions subscriptions;
  private final BlockingCalls blockingCalls;

  public QueryGateway(
      PayloadMapper mapper,
      Requests requests,
      Subscriptions subscriptions,
      BlockingCalls blockingCalls) {
    this.mapper = mapper;
    this.requests = requests;
    this.subscriptions = subscriptions;
    this.blockingCalls = blockingCalls;
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
    blockingCalls.check("askAsync");
    return blockingCalls.await(view(query, view, options), options.deadline());
  }

  /** The answer, within ten seconds. */
  public <V> CompletionStage<@Nullable V> askAsync(Object query, Class<V> view) {
    return askAsync(query, view, QueryOptions.NONE);
  }

  /** The answer; the stage fails with an {@link EventoException}, this call itself never. */
  public <V> CompletionStage<@Nullable V> askAsync(
      Object query, Class<V> view, QueryOptions options) {
    return blockingCalls.handOver(view(query, view, options));
  }

  /**
   * Waits for the answers of every instance that answers the query.
   *
   * @return what came in time; who is missing is named
   * @throws EventoException {@code no-handler} if nobody answers the type at all
   * @throws IllegalStateException on a thread that runs handlers; nothing was asked
   */
  public <V> Gathered<V> askAll(Object query, Class<V> view, QueryOptions options) {
    blockingCalls.check("askAllAsync");
    return blockingCalls.await(gather(query, view, options, Gather.INSTANCES), options.deadline());
  }

  /** The same without waiting. */
  public <V> CompletionStage<Gathered<V>> askAllAsync(
      Object query, Class<V> view, QueryOptions options) {
    return blockingCalls.handOver(gather(query, view, options, Gather.INSTANCES));
  }

  /**
   * Waits for an answer from each version of the projector, from one instance of each: what a new
   * version would say, beside what the present one says.
   *
   * @return what came in time; who is missing is named
   */
  public <V> Gathered<V> askVersions(Object query, Class<V> view, QueryOptions options) {
    blockingCalls.check("askVersionsAsync");
    return blockingCalls.await(gather(query, view, options, Gather.VERSIONS), options.deadline());
  }

  /** The same without waiting. */
  public <V> CompletionStage<Gathered<V>> askVersionsAsync(
      Object query, Class<V> view, QueryOptions options) {
    return blockingCalls.handOver(gather(query, view, options, Gather.VERSIONS));
  }

  /**
   * Asks a query and goes on listening: the answer, then what projectors emit for it ({@link
   * io.evento.bundle.api.QueryUpdates}), joined without a gap and without a double. Where an update
   * could have been missed, as a node or instance was lost, a fresh answer follows by itself and
   * replaces all before it.
   *
   * @param query a record
   * @param view what answers are read as
   * @param update what updates are read as
   * @param listener called by one thread at a time; it may take its time, as more is sent only for
   *     what it has heard
   * @throws EventoException {@code invalid-request} if the query cannot be asked
   */
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

  /**
   * The same where each update is a whole view, as it is for a query about one stream.
   *
   * @param listener hears each answer and each update
   */
  public <V> QuerySubscription subscribe(
      Object query, Class<V> view, Consumer<@Nullable V> listener) {
    return subscribe(
        query,
        view,
        view,
        new QueryListener<V, V>() {
          @Override
          public void answered(@Nullable V answer) {
            listener.accept(answer);
          }

          @Override
          public void updated(V update) {
            listener.accept(update);
          }
        });
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
