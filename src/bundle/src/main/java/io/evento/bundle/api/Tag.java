package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks the component of an event that it can be found by, whatever stream it is in: the event gets
 * the tag {@code key:value}. On a component of a command that a {@link Boundary} handles it says
 * what the decision is about.
 *
 * <p>The component is a {@code String}, {@code UUID}, number or enum, or a collection of them for a
 * tag each; null gives none. A tag has at most 300 characters and no control characters.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.RECORD_COMPONENT, ElementType.FIELD})
public @interface Tag {
  /** The key, {@code [A-Za-z][A-Za-z0-9._-]{0,99}}; the name of the component where it is empty. */
  String value() default "";
}
