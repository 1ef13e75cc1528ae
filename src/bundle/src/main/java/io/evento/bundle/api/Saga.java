package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A component that leads something through several aggregates and services: it is given events, the
 * outcomes of its own commands and its deadlines, and answers each with a {@link Step}.
 *
 * <p>A saga has one association: a value, such as a transfer's id, that {@link Associate} finds in
 * each of its events. One saga lives per value, from a {@link SagaStart} until a step ends it. What
 * concerns one value is given one after the other; other values do not wait for it.
 *
 * <p>Handlers are functions: they do not wait, do not ask, and change nothing. What they return
 * takes effect once, all of it or nothing; asked again after a crash they may decide otherwise, but
 * only the first decision that was stored counts.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Saga {
  /** Unique in the cluster. */
  String name();

  /** A new version starts with states and a checkpoint of its own; 1 and up. */
  int version() default 1;

  /** Contexts whose events it is given; empty for all. */
  String[] context() default {};

  /** The state that is kept between steps: a record. */
  Class<? extends Record> state();

  /** Where it starts when it is new. */
  Projector.Start start() default Projector.Start.BEGINNING;

  /** How many segments can be worked on side by side, 1 to 128; 0 for the default of the server. */
  int segments() default 0;
}
