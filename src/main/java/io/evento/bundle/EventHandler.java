package io.evento.bundle;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A method of a {@link Projector} that takes an event: a record or a sealed interface of records,
 * then, in any order, an {@link EventMetadata} and a {@code java.sql.Connection} whose transaction
 * the SDK commits together with the checkpoint. Without a {@code Connection} it may return a {@code
 * CompletionStage}, which must complete within 60 s.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface EventHandler {}
