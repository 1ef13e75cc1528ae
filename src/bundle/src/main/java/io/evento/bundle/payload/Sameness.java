package io.evento.bundle.payload;

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whether a value is the one that was written. That is its {@code equals}, but for these:
 *
 * <ul>
 *   <li>records are compared by their components, whatever an equals of their own looks at, and
 *       arrays by what they hold;
 *   <li>lists and sets in lists' and sets' place by their elements, whatever their class;
 *   <li>numbers of different classes by their value, as a component of type {@code Object} has
 *       forgotten which class it was given: 5 may come back as an {@code Integer} for a {@code
 *       Long}. Numbers of one class are the same if they are equal: 1.10 is not 1.1.
 * </ul>
 */
final class Sameness {
  /** Larger sets are compared by equals alone. */
  private static final int SET_MAX = 1_000;

  private static final ClassValue<List<Part>> PARTS =
      new ClassValue<>() {
        @Override
        protected List<Part> computeValue(Class<?> type) {
          return Arrays.stream(type.getRecordComponents())
              .map(component -> new Part(component.getName(), PayloadType.accessor(component)))
              .toList();
        }
      };

  private record Part(String name, MethodHandle accessor) {
    @Nullable Object of(Object whole) {
      try {
        return (Object) accessor.invokeExact(whole);
      } catch (RuntimeException | Error own) {
        throw own;
      } catch (Throwable checked) {
        throw new IllegalStateException("cannot read " + name, checked);
      }
    }
  }

  private Sameness() {}

  /**
   * Where they differ.
   *
   * @return such as {@code .lines[2].count}, empty for the whole; null if they are the same
   */
  static @Nullable String difference(@Nullable Object written, @Nullable Object read) {
    if (written == null || read == null) {
      // A tree has a node of its own for null.
      return written == read || (read instanceof JsonNode node && node.isNull()) ? null : "";
    }
    if (written instanceof Record && written.getClass() == read.getClass()) {
      return ofRecords(written, read);
    }
    if (written instanceof JsonNode one && read instanceof JsonNode other) {
      return one.equals(Sameness::compare, other) ? null : "";
    }
    if (written instanceof Map<?, ?> one && read instanceof Map<?, ?> other) {
      return ofMaps(one, other);
    }
    if (written instanceof Set<?> one && read instanceof Set<?> other) {
      return ofSets(one, other);
    }
    if (written instanceof Collection<?> one && read instanceof Collection<?> other) {
      return ofElements(one.toArray(), other.toArray());
    }
    if (written.getClass().isArray() && written.getClass() == read.getClass()) {
      return ofElements(elements(written), elements(read));
    }
    if (written.equals(read)) {
      return null;
    }
    return written instanceof Number one && read instanceof Number other && isSame(one, other)
        ? null
        : "";
  }

  private static @Nullable String ofRecords(Object written, Object read) {
    for (var part : PARTS.get(written.getClass())) {
      var inside = difference(part.of(written), part.of(read));
      if (inside != null) {
        return "." + part.name + inside;
      }
    }
    return null;
  }

  private static @Nullable String ofMaps(Map<?, ?> written, Map<?, ?> read) {
    if (written.size() != read.size()) {
      return "";
    }
    for (var entry : written.entrySet()) {
      if (!read.containsKey(entry.getKey())) {
        return "";
      }
      var inside = difference(entry.getValue(), read.get(entry.getKey()));
      if (inside != null) {
        return "{" + entry.getKey() + "}" + inside;
      }
    }
    return null;
  }

  private static @Nullable String ofSets(Set<?> written, Set<?> read) {
    if (written.equals(read)) {
      return null;
    }
    if (written.size() != read.size() || written.size() > SET_MAX) {
      return "";
    }
    for (var one : written) {
      if (read.stream().noneMatch(other -> difference(one, other) == null)) {
        return "";
      }
    }
    return null;
  }

  private static @Nullable String ofElements(@Nullable Object[] written, @Nullable Object[] read) {
    if (written.length != read.length) {
      return "";
    }
    for (var i = 0; i < written.length; i++) {
      var inside = difference(written[i], read[i]);
      if (inside != null) {
        return "[" + i + "]" + inside;
      }
    }
    return null;
  }

  private static @Nullable Object[] elements(Object array) {
    var elements = new @Nullable Object[Array.getLength(array)];
    Arrays.setAll(elements, i -> Array.get(array, i));
    return elements;
  }

  /** Zero if two leaves of trees are the same; a number has nodes of several classes. */
  private static int compare(JsonNode one, JsonNode other) {
    var isSame =
        one.isNumber() && other.isNumber()
            ? difference(one.numberValue(), other.numberValue()) == null
            : one.equals(other) || one.toString().equals(other.toString());
    return isSame ? 0 : 1;
  }

  private static boolean isSame(Number one, Number other) {
    if (one.getClass() == other.getClass()) {
      return false; // equals has said so
    }
    var left = decimal(one);
    var right = decimal(other);
    return left != null && right != null && left.compareTo(right) == 0;
  }

  /** Null for what is none, such as NaN. */
  private static @Nullable BigDecimal decimal(Number number) {
    if (number instanceof BigDecimal itself) {
      return itself;
    }
    if (number instanceof BigInteger whole) {
      return new BigDecimal(whole);
    }
    if (number instanceof Double || number instanceof Float) {
      return Double.isFinite(number.doubleValue()) ? new BigDecimal(number.toString()) : null;
    }
    return number instanceof Long
            || number instanceof Integer
            || number instanceof Short
            || number instanceof Byte
        ? BigDecimal.valueOf(number.longValue())
        : null;
  }
}
