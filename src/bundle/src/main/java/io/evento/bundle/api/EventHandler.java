package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A method that takes an event: a record or a sealed interface of records.
 *
 * <p>Of a {@link Projector} it takes, in any order, an {@link EventMetadata}, {@link QueryUpdates}
 * for those who subscribed to a query, and a {@code java.sql.Connection} whose transaction the SDK
 * commits together with the checkpoint, or in its place a {@link
 * io.evento.bundle.api.sql.SqlBatch}. Without either it may return a {@code CompletionStage}, which
 * must complete within 60 s.
 *
 * <p>Of a {@link Saga} it needs {@link Associate}, takes the saga's state, an {@link EventMetadata}
 * and an {@code Instant} (when the event was stored), and returns a {@link Step}; it is called
 * while a saga lives. Of an {@link Observer} it returns what is to be sent.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface EventHandler {}
