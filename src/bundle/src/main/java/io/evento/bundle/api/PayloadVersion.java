package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The version of the shape of an event or a query; without it, a record is in its first version.
 *
 * <p>Raise it where old payloads can no longer be read as the record is now, and give the record an
 * {@link Upcaster} from the version before. A component that is added and may be null, or one that
 * is taken away, needs no new version.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface PayloadVersion {
  /** 1 to 10,000, and one more at each change. */
  int value();
}
