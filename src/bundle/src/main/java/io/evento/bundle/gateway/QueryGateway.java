package io.evento.bundle.gateway;

import io.evento.protocol.EventoException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Asks queries. Thread-safe. */
public interface QueryGateway {
  /** Waits for the answer, at most ten seconds. */
  default <V> @Nullable V ask(Object query, Class<V> view) {
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
  <V> @Nullable V ask(Object query, Class<V> view, QueryOptions options);

  /** The answer, within ten seconds. */
  default <V> CompletionStage<@Nullable V> askAsync(Object query, Class<V> view) {
    return askAsync(query, view, QueryOptions.NONE);
  }

  /** The answer; the stage fails with an {@link EventoException}, this call itself never. */
  <V> CompletionStage<@Nullable V> askAsync(Object query, Class<V> view, QueryOptions options);

  /**
   * Waits for the answers of every instance that answers the query.
   *
   * @return what came in time; who is missing is named
   * @throws EventoException {@code no-handler} if nobody answers the type at all
   * @throws IllegalStateException on a thread that runs handlers; nothing was asked
   */
  <V> Gathered<V> askAll(Object query, Class<V> view, QueryOptions options);

  /** The same without waiting. */
  <V> CompletionStage<Gathered<V>> askAllAsync(Object query, Class<V> view, QueryOptions options);

  /**
   * Waits for an answer from each version of the projector, from one instance of each: what a new
   * version would say, beside what the present one says.
   *
   * @return what came in time; who is missing is named
   */
  <V> Gathered<V> askVersions(Object query, Class<V> view, QueryOptions options);

  /** The same without waiting. */
  <V> CompletionStage<Gathered<V>> askVersionsAsync(
      Object query, Class<V> view, QueryOptions options);

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
  <V, U> QuerySubscription subscribe(
      Object query, Class<V> view, Class<U> update, QueryListener<V, U> listener);

  /**
   * The same where each update is a whole view, as it is for a query about one stream.
   *
   * @param listener hears each answer and each update
   */
  default <V> QuerySubscription subscribe(
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
}
