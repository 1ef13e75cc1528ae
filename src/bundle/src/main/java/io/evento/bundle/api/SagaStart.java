package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A method of a {@link Saga} that takes an event and starts a saga with it, unless one lives under
 * the same association already. Needs {@link Associate}. It takes the event, then, in any order, an
 * {@link EventMetadata} and an {@code Instant} (when the event was stored), and returns a {@link
 * Step}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface SagaStart {}
