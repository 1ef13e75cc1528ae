package io.evento.bundle.gateway;

import io.evento.protocol.EventoException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Asks queries. Thread-safe. */
public final class QueryGateway {

  /** Waits for the answer, at most ten seconds. */
  public <V> @Nullable V ask(Object query, Class<V> view) {
    return ask(query, view, QueryOptions.NONE);
  }

  /**
   * Waits for the answer.
   *
   * @param view what the answer is read as; {@code String} gives plain JSON strings, an array class
   *     reads lists
   * @return null where the handler answered null
   * @throws EventoException if there was no answer
   * @throws IllegalStateException on a thread that runs handlers; nothing was asked
   */
  public <V> @Nullable V ask(Object query, Class<V> view, QueryOptions options) {
    throw new UnsupportedOperationException();
  }

  /** The answer, within ten seconds. */
  public <V> CompletionStage<@Nullable V> askAsync(Object query, Class<V> view) {
    return askAsync(query, view, QueryOptions.NONE);
  }

  /** The answer; the stage fails with an {@link EventoException}, this call itself never. */
  public <V> CompletionStage<@Nullable V> askAsync(
      Object query, Class<V> view, QueryOptions options) {
    throw new UnsupportedOperationException();
  }
}
