package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A decision over several streams: an immutable record that is folded, for one command at a time,
 * from all events that the command's {@link Criteria} match, whichever component stored them. What
 * it decides is stored only if no further event that matches came since they were read; if one did,
 * the command is decided again on what is there now, so that a rule over many streams always holds.
 * This is a dynamic consistency boundary (dcb.events).
 *
 * <p>What is read for a command: by default, for each of its components with a {@link Tag}, the
 * events that have this tag, of the types that this boundary applies and that carry such a tag. A
 * method with {@link CriteriaBuilder} says it otherwise.
 *
 * <p>{@link EventSourcingHandler} methods apply events to the state, {@link CommandHandler} methods
 * decide, as in an {@link Aggregate}. The state begins with what an {@link InitialState} method
 * makes of the command; without one there is no state until an event has made one, and the rules of
 * an aggregate hold: a static handler may take the nullable state.
 *
 * <p>The events of a decision go to a stream of the boundary, named by the command's {@link
 * AggregateId} if it has one, else by the tags that were read.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Boundary {
  /** Context of its events. */
  String context() default "default";
}
