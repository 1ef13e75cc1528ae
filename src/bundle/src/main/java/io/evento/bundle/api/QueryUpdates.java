package io.evento.bundle.api;

import java.util.function.Predicate;

/**
 * What an event changes for those who subscribed to a query. An {@link EventHandler} takes it as a
 * parameter.
 *
 * <p>Nothing is told before the handler's transaction is committed, or, without one, before the
 * handler has ended; what failed is not told at all. A subscriber is told each update once and, of
 * one stream, in order; those of different streams come in any order. So an update should be the
 * new view where a query is about one stream, and what is to be added where it sums up many: a sum
 * that a transaction reads does not hold what others are just committing.
 *
 * <p>"Once" is exact for a projector whose checkpoint lives in its database, and for query handlers
 * that take the {@code Connection}; otherwise what an answer holds already may be told again after
 * it.
 */
public interface QueryUpdates {
  /**
   * Tells those whose query is concerned.
   *
   * @param query record of the query's type
   * @param concerned asked once per subscription, after the commit, so it must not wait or throw
   * @param update what they are told, written as JSON
   */
  <Q extends Record> void emit(Class<Q> query, Predicate<? super Q> concerned, Object update);

  /** Tells all who subscribed to a query of this type. */
  default <Q extends Record> void emit(Class<Q> query, Object update) {
    emit(query, any -> true, update);
  }
}
