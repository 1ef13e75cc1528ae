package io.evento.bundle.personal;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks the component of an event, a command or a state that says something of a person. It is
 * encrypted by a key of that person before it leaves the bundle, and read again where a handler is
 * called. Once the person is erased it reads as a placeholder, wherever a copy of it is.
 *
 * <pre>{@code
 * public record AccountOpened(
 *     String ownerId,
 *     @Personal(subject = "/ownerId") String firstName,
 *     @Personal(subject = "/ownerId", erased = "1900-01-01") LocalDate born)
 *     implements AccountEvent {}
 * }</pre>
 *
 * <p>It may stand in a record within the payload as well, also in one of a list or map. It may not
 * stand on an id, a tag, or what a saga is associated by: those are kept and compared in the clear.
 * Answers to queries, and what a handler rejects with, are told in the clear and not kept.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.RECORD_COMPONENT, ElementType.FIELD})
public @interface Personal {
  /** The subject is the aggregate that the event, the command or the state is of. */
  String AGGREGATE = "@aggregate";

  /**
   * Whom it is about: a JSON pointer, from the payload's root, to the component that holds the id
   * of that person, a {@code String}, {@code UUID} or whole number; or {@link #AGGREGATE}. Use ids
   * that say nothing by themselves: they are kept in the clear.
   */
  String subject();

  /**
   * What is read instead once the subject is erased. Of a {@code String} this text. Of anything
   * else null, unless a text is given that can be read as one.
   */
  String erased() default "[erased]";
}
