package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A method of a {@link Saga} that hears how one of its own commands ended: done, rejected, or
 * refused for good. It takes the command, then, in any order, a {@link CommandOutcome}, the saga's
 * state and an {@code Instant} (when the outcome was kept), and returns a {@link Step}.
 *
 * <p>What passes by itself, such as {@code overloaded} or a missing handler, is waited out and
 * never heard here. An outcome that comes after the saga ended is not delivered.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Outcome {}
