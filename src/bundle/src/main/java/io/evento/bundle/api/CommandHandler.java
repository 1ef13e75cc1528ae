package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A method that handles commands: of an {@link Aggregate} or of a {@link Service}. The first
 * parameter is the command, a record or a sealed interface of records; a {@link CommandMetadata}
 * may follow.
 *
 * <p>In an aggregate it returns an event, a list of events, a {@link Decision}, or null for nothing
 * to do; in a service the value for the caller, a {@link Decision}, or nothing. Either way also as
 * a {@code CompletionStage}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface CommandHandler {
  /**
   * Of a service: whether the command is run again after a run of which nobody knows how it ended,
   * as the service or a node died in the middle. Without it such a command ends as {@code
   * handler-failed}, for good, and says so: a payment that may have been made is then looked into
   * by a person instead of being made twice. What the service itself reports is told either way,
   * and a failure may be repeated by the caller.
   */
  boolean retry() default true;
}
