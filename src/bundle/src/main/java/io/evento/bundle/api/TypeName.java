package io.evento.bundle.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The name on the wire of a payload or an aggregate, where it is not the simple name of its class.
 * Names are kept for ever: give one before you rename a class whose events are stored.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface TypeName {
  /** {@code [A-Za-z][A-Za-z0-9._-]{0,99}}. */
  String value();
}
