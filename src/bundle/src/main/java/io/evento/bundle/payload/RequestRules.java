package io.evento.bundle.payload;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyName;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.hint.NearMiss;
import java.lang.annotation.Annotation;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a command or query must be, beside what each payload must: it has no field that its record
 * does not know, as that is a slip of whoever wrote it, and each component has a value, unless it
 * is marked {@code @Nullable}. Events and states are not held to it, as they were stored by others.
 * Thread-safe.
 *
 * <p>A record with {@link JsonIgnoreProperties#ignoreUnknown} takes what it does not know. Any
 * annotation called {@code Nullable} counts that is kept at run time.
 */
final class RequestRules {
  private final ObjectMapper jackson;
  private final Map<JavaType, Rules> rules = new ConcurrentHashMap<>();

  RequestRules(ObjectMapper jackson) {
    this.jackson = jackson;
  }

  /**
   * Of one record.
   *
   * @param known fields that may be there; null for any
   * @param required fields that must be there and not be null, with the other names that they have
   * @param accessors of the components, by field
   * @param nested types of the fields that are looked into
   */
  private record Rules(
      @Nullable Set<String> known,
      Map<String, Set<String>> required,
      Map<String, MethodHandle> accessors,
      Map<String, JavaType> nested) {}

  /**
   * Reads a payload under the rules. A component that its constructor gives a value to has one,
   * whatever the JSON says.
   *
   * @param reader makes the record
   * @throws EventoException {@code invalid-request} that points to the first field that breaks a
   *     rule
   */
  Object read(Class<?> record, Json json, Function<Json, Object> reader) {
    var type = jackson.constructType(record);
    var tree = tree(json);
    if (tree != null) {
      check(type, tree, "", false);
    }
    Object payload;
    try {
      payload = reader.apply(json);
    } catch (EventoException refused) {
      if (tree != null) {
        // A constructor that meets a null says nothing that helps.
        check(type, tree, "", true);
      }
      throw refused;
    }
    checkValue(type, payload, "");
    return payload;
  }

  private @Nullable JsonNode tree(Json json) {
    try {
      return jackson.readTree(json.text());
    } catch (JsonProcessingException malformed) {
      // Whoever reads it says so.
      return null;
    }
  }

  private void checkValue(JavaType type, @Nullable Object value, String pointer) {
    if (value instanceof Collection<?> elements && type.getContentType() != null) {
      var at = 0;
      for (var element : elements) {
        checkValue(type.getContentType(), element, pointer + "/" + at++);
      }
    } else if (value instanceof Object[] elements && type.isArrayType()) {
      for (var i = 0; i < elements.length; i++) {
        checkValue(type.getContentType(), elements[i], pointer + "/" + i);
      }
    } else if (value instanceof Map<?, ?> entries && type.isMapLikeType()) {
      entries.forEach(
          (key, element) ->
              checkValue(type.getContentType(), element, at(pointer, String.valueOf(key))));
    } else if (value != null && type.getRawClass().isRecord()) {
      var rule = rules.computeIfAbsent(type, this::rules);
      rule.accessors()
          .forEach(
              (field, accessor) -> {
                var component = get(accessor, value);
                if (component == null && rule.required().containsKey(field)) {
                  throw EventoException.invalid(at(pointer, field), "is required");
                }
                var nested = rule.nested().get(field);
                if (nested != null) {
                  checkValue(nested, component, at(pointer, field));
                }
              });
    }
  }

  private static @Nullable Object get(MethodHandle accessor, Object record) {
    try {
      return (Object) accessor.invokeExact(record);
    } catch (Throwable failure) {
      throw new IllegalStateException("a component cannot be read", failure);
    }
  }

  /**
   * @param isRequiredChecked else only what is not known is looked for
   */
  private void check(JavaType type, JsonNode value, String pointer, boolean isRequiredChecked) {
    if (type.getRawClass().isRecord()) {
      if (value.isObject()) {
        checkRecord(type, value, pointer, isRequiredChecked);
      }
    } else if (type.isArrayType() || type.isCollectionLikeType()) {
      for (var i = 0; i < value.size(); i++) {
        check(type.getContentType(), value.path(i), pointer + "/" + i, isRequiredChecked);
      }
    } else if (type.isMapLikeType()) {
      value
          .properties()
          .forEach(
              entry ->
                  check(
                      type.getContentType(),
                      entry.getValue(),
                      at(pointer, entry.getKey()),
                      isRequiredChecked));
    }
  }

  private void checkRecord(
      JavaType type, JsonNode value, String pointer, boolean isRequiredChecked) {
    var rule = rules.computeIfAbsent(type, this::rules);
    var known = rule.known();
    if (known != null) {
      value
          .fieldNames()
          .forEachRemaining(
              field -> {
                if (!known.contains(field)) {
                  throw EventoException.invalid(
                      at(pointer, field), "is not known" + NearMiss.hint(field, known));
                }
              });
    }
    rule.required()
        .forEach(
            (field, aliases) -> {
              if (isRequiredChecked
                  && !value.hasNonNull(field)
                  && aliases.stream().noneMatch(value::hasNonNull)) {
                throw EventoException.invalid(at(pointer, field), "is required");
              }
            });
    rule.nested()
        .forEach(
            (field, nested) ->
                check(nested, value.path(field), at(pointer, field), isRequiredChecked));
  }

  private static String at(String pointer, String field) {
    return pointer + "/" + field.replace("~", "~0").replace("/", "~1");
  }

  private Rules rules(JavaType type) {
    var record = type.getRawClass();
    if (JsonNames.isCustomized(record)) {
      return new Rules(null, Map.of(), Map.of(), Map.of());
    }
    var names = JsonNames.of(type, jackson);
    var aliases = aliases(type);
    var required = new LinkedHashMap<String, Set<String>>();
    var accessors = new LinkedHashMap<String, MethodHandle>();
    var nested = new LinkedHashMap<String, JavaType>();
    for (var component : record.getRecordComponents()) {
      var name = names.read(component.getName());
      if (name == null) {
        continue;
      }
      if (isRequired(component)) {
        required.put(name, aliases.getOrDefault(name, Set.of()));
      }
      accessors.put(name, PayloadType.accessor(component));
      nested.put(
          name,
          jackson
              .getTypeFactory()
              .resolveMemberType(component.getGenericType(), type.getBindings()));
    }
    return new Rules(toleratesUnknown(record) ? null : known(type), required, accessors, nested);
  }

  private Map<String, Set<String>> aliases(JavaType type) {
    var aliases = new HashMap<String, Set<String>>();
    for (var property : jackson.getDeserializationConfig().introspect(type).findProperties()) {
      aliases.put(
          property.getName(),
          property.findAliases().stream()
              .map(PropertyName::getSimpleName)
              .collect(Collectors.toSet()));
    }
    return aliases;
  }

  /** What is read, under any name; and what is written beside, such as by a method that counts. */
  private Set<String> known(JavaType type) {
    var known = new HashSet<String>();
    aliases(type)
        .forEach(
            (name, others) -> {
              known.add(name);
              known.addAll(others);
            });
    for (var property : jackson.getSerializationConfig().introspect(type).findProperties()) {
      known.add(property.getName());
    }
    return known;
  }

  /** Whether its author says that it takes what it does not know. */
  static boolean toleratesUnknown(Class<?> record) {
    var said = record.getAnnotation(JsonIgnoreProperties.class);
    return said != null && said.ignoreUnknown();
  }

  /** Whether a component must have a value. Of Kotlin's classes only Kotlin knows, and checks. */
  static boolean isRequired(RecordComponent component) {
    var record = component.getDeclaringRecord();
    if (component.getType().isPrimitive()) {
      return true;
    }
    return !Kotlin.isSourceOf(record) && !isNullable(component);
  }

  private static boolean isNullable(RecordComponent component) {
    var places = new ArrayList<AnnotatedElement>();
    places.add(component);
    places.add(component.getAnnotatedType());
    places.add(component.getAccessor());
    places.add(component.getAccessor().getAnnotatedReturnType());
    try {
      places.add(component.getDeclaringRecord().getDeclaredField(component.getName()));
    } catch (NoSuchFieldException impossible) {
      throw new IllegalStateException("each component has its field", impossible);
    }
    for (var constructor : component.getDeclaringRecord().getDeclaredConstructors()) {
      for (var parameter : constructor.getParameters()) {
        if (parameter.getName().equals(component.getName())) {
          places.add(parameter);
        }
      }
    }
    return places.stream()
        .flatMap(place -> Arrays.stream(place.getAnnotations()))
        .map(Annotation::annotationType)
        .anyMatch(type -> type.getSimpleName().equals("Nullable"));
  }
}
