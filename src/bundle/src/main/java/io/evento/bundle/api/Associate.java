package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Where the value stands by which a {@link Saga} knows its events. Belongs on each method that has
 * {@link SagaStart} or {@link EventHandler}. An event without the value concerns no saga.
 *
 * <p>Server and saga must agree on it for good: another place for a type of event needs another
 * version of the saga. It is looked for in events as they were stored, whatever their version.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Associate {
  /**
   * A property of the event, such as {@code transferId}, or a JSON pointer (RFC 6901) for one
   * further inside, such as {@code /order/id}; its value is a text, a number or a boolean. Left
   * out: the id of the aggregate that the event belongs to.
   */
  String value() default "";
}
