package io.evento.bundle.payload;

import com.fasterxml.jackson.annotation.JacksonAnnotationsInside;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import io.evento.bundle.api.InvalidBundleException;
import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What a record's components are called in JSON. The mapper alone knows: a component may be renamed
 * by an annotation of its own or by a naming strategy of its class.
 */
final class JsonNames {
  /** Annotations of Jackson that rename and describe, and leave what is written readable. */
  private static final Set<String> HARMLESS =
      Set.of(
          "JsonProperty",
          "JsonAlias",
          "JsonIgnoreProperties",
          "JsonIgnore", // a component that is left out is refused by its name
          "JsonPropertyOrder",
          "JsonNaming",
          "JsonPropertyDescription",
          "JsonClassDescription");

  private final Map<String, String> written;
  private final Map<String, String> read;

  private JsonNames(Map<String, String> written, Map<String, String> read) {
    this.written = written;
    this.read = read;
  }

  static JsonNames of(JavaType type, ObjectMapper jackson) {
    return new JsonNames(
        names(
            jackson.getSerializationConfig().introspect(type).findProperties(),
            BeanPropertyDefinition::couldSerialize),
        names(
            jackson.getDeserializationConfig().introspect(type).findProperties(),
            BeanPropertyDefinition::couldDeserialize));
  }

  private static Map<String, String> names(
      List<BeanPropertyDefinition> properties, Predicate<BeanPropertyDefinition> isOne) {
    var names = new HashMap<String, String>();
    for (var property : properties) {
      if (isOne.test(property)) {
        names.put(property.getInternalName(), property.getName());
      }
    }
    return names;
  }

  /** The name under which a component is written; null if it is not. */
  @Nullable String written(String component) {
    return written.get(component);
  }

  /** The name under which a component is read; null if it is not. */
  @Nullable String read(String component) {
    return read.get(component);
  }

  /** The component with this name in JSON, else the component that is called so; null for none. */
  @Nullable String componentOf(String name) {
    for (var entry : written.entrySet()) {
      if (entry.getValue().equals(name)) {
        return entry.getKey();
      }
    }
    return written.containsKey(name) ? name : null;
  }

  /**
   * Whether Jackson was told to write or read this record in another way than by its components, so
   * that only a value can tell whether it comes back.
   */
  static boolean isCustomized(Class<?> record) {
    var places = new ArrayList<AnnotatedElement>();
    for (var type = record; type != null && type != Object.class; type = type.getSuperclass()) {
      collect(type, places);
    }
    return places.stream().anyMatch(JsonNames::isCustomized);
  }

  private static void collect(Class<?> type, List<AnnotatedElement> places) {
    places.add(type);
    places.addAll(Arrays.asList(type.getDeclaredFields()));
    places.addAll(Arrays.asList(type.getDeclaredMethods()));
    for (var constructor : type.getDeclaredConstructors()) {
      places.add(constructor);
      places.addAll(Arrays.asList(constructor.getParameters()));
    }
    for (var parent : type.getInterfaces()) {
      collect(parent, places);
    }
  }

  static boolean isCustomized(AnnotatedElement place) {
    return Arrays.stream(place.getAnnotations()).anyMatch(JsonNames::isCustom);
  }

  private static boolean isCustom(Annotation given) {
    var type = given.annotationType();
    if (type.isAnnotationPresent(JacksonAnnotationsInside.class)) {
      return true;
    }
    return type.getPackageName().startsWith("com.fasterxml.jackson")
        && !HARMLESS.contains(type.getSimpleName());
  }

  /**
   * @throws InvalidBundleException if what is written under one name would not be read under it
   */
  static void check(String where, @Nullable String written, @Nullable String read) {
    if (written == null || !written.equals(read)) {
      throw new InvalidBundleException(
          where
              + (written == null
                  ? " is not written to JSON"
                  : read == null
                      ? " is not read from JSON"
                      : " is written to JSON as " + written + " and read as " + read)
              + ", so its value would be lost: take the annotation away that says so");
    }
  }
}
