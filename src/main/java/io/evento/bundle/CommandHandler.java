package io.evento.bundle;

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
public @interface CommandHandler {}
