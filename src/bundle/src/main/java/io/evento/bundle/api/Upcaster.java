package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A static method of an event or query record that lifts an old payload to the next version. A
 * payload passes through all of them from its own version on, wherever it is read: in the history
 * of an aggregate or boundary, by a consumer, by whoever answers a query. What is stored stays as
 * it is.
 *
 * <p>It takes the old payload, as an {@code ObjectNode} or as a record of the old shape, and
 * returns the next one: an {@code ObjectNode}, the record that the next upcaster takes, or, the
 * last of them, the record itself.
 *
 * <pre>{@code
 * @PayloadVersion(2)
 * public record AccountOpened(String firstName, String lastName) implements AccountEvent {
 *   record V1(String owner) {}
 *
 *   @Upcaster(from = 1)
 *   static AccountOpened split(V1 old) { … }
 * }
 * }</pre>
 *
 * <p>It is a function: the same old payload gives the same new one, for ever.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Upcaster {
  /** The version that it takes, 1 and up; it makes one of the next. */
  int from();
}
