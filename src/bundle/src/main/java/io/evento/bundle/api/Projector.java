package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A component that turns events into a read model. It sees the events of one stream in order.
 *
 * <p>With a {@code DataSource} given to the bundle and a handler that takes a {@code
 * java.sql.Connection} or a {@link io.evento.bundle.api.sql.SqlBatch}, its checkpoint lives in the
 * same database: rows and checkpoint commit together, so each event takes effect once. Otherwise an
 * event may be seen again after a crash.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Projector {
  /** Unique in the cluster. */
  String name();

  /** A new version starts with a checkpoint of its own; 1 and up. */
  int version() default 1;

  /** Contexts whose events it is given; empty for all. */
  String[] context() default {};

  /** Where it starts when it is new. */
  Start start() default Start.BEGINNING;

  /** How many segments can be worked on side by side, 1 to 128; 0 for the default of the server. */
  int segments() default 0;

  /** Where a consumer starts when it is new. */
  enum Start {
    /** With the first event ever stored. */
    BEGINNING,
    /** With what is stored from now on. */
    END
  }
}
