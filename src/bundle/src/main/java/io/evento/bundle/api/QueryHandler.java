package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A method of a {@link Projection} or {@link Projector} that answers a query: takes a record and
 * perhaps a {@code java.sql.Connection} for reading, returns the view, null if there is none, or a
 * {@code CompletionStage} of it.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface QueryHandler {}
