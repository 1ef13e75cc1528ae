package io.evento.bundle.payload;

import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Tag;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The tagged components of a record. */
final class Tags {
  private static final Set<Class<?>> PRIMITIVES =
      Set.of(int.class, long.class, short.class, byte.class);

  private final List<Tagged> components;

  private record Tagged(
      RecordComponent component, String property, String key, MethodHandle accessor) {
    boolean isText() {
      return component.getType() == String.class || component.getType() == UUID.class;
    }
  }

  private Tags(List<Tagged> components) {
    this.components = components;
  }

  /**
   * @throws InvalidBundleException if a tagged component cannot be a tag
   */
  static Tags of(Class<?> type, PayloadMapper mapper) {
    var components = new ArrayList<Tagged>();
    for (var component : type.getRecordComponents()) {
      var tag = Marks.of(component, Tag.class);
      if (tag != null) {
        check(component);
        var key = tag.value().isEmpty() ? component.getName() : tag.value();
        components.add(
            new Tagged(
                component,
                PayloadType.property(component, mapper),
                checked(key, component),
                PayloadType.accessor(component)));
      }
    }
    return new Tags(List.copyOf(components));
  }

  private static String checked(String key, RecordComponent component) {
    try {
      return Names.checkType("", key);
    } catch (EventoException broken) {
      throw new InvalidBundleException(
          "the key \"" + key + "\" of the @Tag on " + where(component) + " " + broken.detail(),
          broken);
    }
  }

  private static void check(RecordComponent component) {
    Type type = component.getGenericType();
    if (type instanceof ParameterizedType generic
        && generic.getRawType() instanceof Class<?> raw
        && Collection.class.isAssignableFrom(raw)) {
      type = generic.getActualTypeArguments()[0];
    }
    if (!(type instanceof Class<?> plain)
        || !(plain == String.class
            || plain == UUID.class
            || plain.isEnum()
            || Number.class.isAssignableFrom(plain)
            || PRIMITIVES.contains(plain))) {
      throw new InvalidBundleException(
          "the @Tag on "
              + where(component)
              + " must be on a String, UUID, whole number or enum, or a collection of them");
    }
  }

  private static String where(RecordComponent component) {
    return component.getDeclaringRecord().getSimpleName() + "." + component.getName();
  }

  Set<String> keys() {
    return components.stream().map(Tagged::key).collect(Collectors.toUnmodifiableSet());
  }

  /** What the first component that holds a text is called in JSON, or null. */
  @Nullable String firstText() {
    return components.stream()
        .filter(Tagged::isText)
        .findFirst()
        .map(Tagged::property)
        .orElse(null);
  }

  /** The value of that component in a payload, or null. */
  @Nullable String firstText(Object payload) {
    for (var tagged : components) {
      if (tagged.isText()) {
        var value = values(tagged, payload).iterator().next();
        return value == null ? null : value.toString();
      }
    }
    return null;
  }

  /**
   * The tags of a payload, {@code key:value}.
   *
   * @throws IllegalArgumentException if one breaks the rule for tags
   */
  List<String> of(Object payload) {
    if (components.isEmpty()) {
      return List.of();
    }
    var tags = new LinkedHashSet<String>();
    for (var tagged : components) {
      for (var value : values(tagged, payload)) {
        if (value != null) {
          tags.add(checked(tagged.key() + ":" + value));
        }
      }
    }
    if (tags.size() > Names.TAGS_MAX) {
      throw new IllegalArgumentException(
          tags.size() + " tags; an event may have " + Names.TAGS_MAX);
    }
    return List.copyOf(tags);
  }

  private static Iterable<?> values(Tagged tagged, Object payload) {
    Object value;
    try {
      value = (Object) tagged.accessor().invokeExact(payload);
    } catch (Throwable failure) {
      throw new IllegalArgumentException("cannot read " + where(tagged.component()), failure);
    }
    return value instanceof Collection<?> many ? many : Arrays.asList(value);
  }

  private static String checked(String tag) {
    try {
      return Names.checkTag("", tag);
    } catch (EventoException broken) {
      throw new IllegalArgumentException("the tag " + tag + " " + broken.detail(), broken);
    }
  }
}
