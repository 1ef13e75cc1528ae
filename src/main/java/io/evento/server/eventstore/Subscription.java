package io.evento.server.eventstore;

/**
 * One consumer's place in the total order. It hears of every event after its start exactly once and
 * in order, be it from memory or from the database.
 *
 * <p>Taken from by one thread at a time.
 */
public final class Subscription implements AutoCloseable {
  Subscription() {}

  /** Everything up to here was taken. */
  public StorePosition position() {
    throw new UnsupportedOperationException("next commit");
  }

  /**
   * The next events, from memory. Never blocks.
   *
   * <p>After an empty answer the wake-up is run once, as soon as there is more; it runs on the
   * thread that brought it and has to be short.
   *
   * @param eventsMax at most this many
   * @param bytesMax about this many bytes, but at least one event
   */
  public Taken take(int eventsMax, int bytesMax) {
    throw new UnsupportedOperationException("next commit");
  }

  /**
   * The next events, from the database. Blocks on it.
   *
   * @throws io.evento.server.persistence.UncheckedSqlException if it does not answer; nothing was
   *     taken
   */
  public Taken catchUp(int eventsMax, int bytesMax) {
    throw new UnsupportedOperationException("next commit");
  }

  /** No wake-up comes any more. */
  @Override
  public void close() {}
}
