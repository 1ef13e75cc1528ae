package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A component that reacts to events and keeps no state. Its {@link EventHandler}s take an event,
 * then, in any order, an {@link EventMetadata} and an {@code Instant} (when the event was stored),
 * and return nothing, a command to be sent (a record), a {@link Reaction}, or a {@code
 * CompletionStage} of these, which must complete within 60 s.
 *
 * <p>Commands that it returns are sent once in effect, and again until their outcome is final. What
 * a handler does by itself may happen again after a crash. The events of one stream are handled in
 * order, those of different streams side by side.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Observer {
  /** Unique in the cluster. */
  String name();

  /** A new version starts with a checkpoint of its own; 1 and up. */
  int version() default 1;

  /** Contexts whose events it is given; empty for all. */
  String[] context() default {};

  /** Where it starts when it is new. Past events mostly need no reaction any more. */
  Projector.Start start() default Projector.Start.END;

  /** How many segments can be worked on side by side, 1 to 128; 0 for the default of the server. */
  int segments() default 0;

  /** How many events of a segment are handled side by side, 1 to 64. */
  int concurrency() default 16;
}
