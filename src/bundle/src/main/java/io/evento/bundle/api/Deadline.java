package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A method of a {@link Saga} that is called when a deadline of this name passes that a {@link Step}
 * had set and none took back. It takes the saga's state and, if it likes, an {@code Instant} (when
 * it was due, by the database's clock), and returns a {@link Step}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Deadline {
  /** The name that {@link Step#deadline} gave it. */
  String value();
}
