package io.evento.bundle.payload;

import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JavaType;
import io.evento.bundle.api.InvalidBundleException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.util.Arrays;
import java.util.Currency;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;

/**
 * Which classes may be keys of maps. JSON's keys are texts: for any class there is something to
 * write, its {@code toString}, but only for these is it known to be read back as the same.
 */
final class MapKeys {
  private static final Set<Class<?>> KNOWN =
      Set.of(
          String.class,
          UUID.class,
          Boolean.class,
          Character.class,
          Byte.class,
          Short.class,
          Integer.class,
          Long.class,
          BigInteger.class,
          BigDecimal.class,
          URI.class,
          Locale.class,
          Currency.class);

  private MapKeys() {}

  /**
   * @return whether what is written comes back for certain; false where only a value can tell
   * @throws InvalidBundleException if it cannot
   */
  static boolean check(JavaType key, String where) {
    var type = key.getRawClass();
    if (KNOWN.contains(type) || type.isEnum()) {
      return true;
    }
    // What is declared as an object may well hold texts; what is not is seen when it is written.
    if (type == Object.class || hasTextOfItsOwn(type)) {
      return false;
    }
    throw new InvalidBundleException(
        where
            + " is a map with keys of the type "
            + type.getSimpleName()
            + ", which cannot be read back from JSON, where keys are texts: use a String, UUID, enum"
            + " or whole number as the key, or a list of records");
  }

  private static boolean hasTextOfItsOwn(Class<?> type) {
    return Arrays.stream(type.getDeclaredMethods())
            .anyMatch(method -> method.isAnnotationPresent(JsonValue.class))
        || Arrays.stream(type.getDeclaredFields())
            .anyMatch(field -> field.isAnnotationPresent(JsonValue.class));
  }
}
