package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * An aggregate: an immutable record that is its own state. Its {@link CommandHandler} methods
 * decide, its {@link EventSourcingHandler} methods apply.
 *
 * <p>While no event was applied there is no state, and nothing to call an instance method on: a
 * command that meets an instance handler is then rejected with the code {@code no-such-NAME}, such
 * as {@code no-such-account}. A static handler that takes only its command creates; where there is
 * a state already, its command is rejected with {@code NAME-exists}. A static handler that also
 * takes the (nullable) state is called in either case.
 *
 * <p>Handlers are functions: no waiting, no side effects, no clock.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Aggregate {
  /** Context of its events. */
  String context() default "default";

  /**
   * Revision of its rules, 1 and up: raise it where the same events lead to another state although
   * the record has the same components, such as one that now counts what it used to add up.
   * Snapshots of another revision are passed over and the whole stream is applied instead. Another
   * shape of the record needs no other revision.
   */
  int revision() default 1;

  /** How many events apart snapshots of the state are wanted; 0 for the default of the server. */
  int snapshotEvery() default 0;
}
