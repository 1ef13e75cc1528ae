package io.evento.bundle.payload;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Tag;
import io.evento.bundle.personal.Personal;
import io.evento.bundle.personal.PersonalValues.Part;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds the personal components of a record, at any depth, and refuses those that could not be kept
 * from others: an annotation that has no effect would be worse than none.
 */
final class PersonalComponents {
  private static final String EACH = "";
  private static final String STANDARD = "[erased]";
  private static final Set<Class<?>> IDS =
      Set.of(
          String.class,
          UUID.class,
          int.class,
          Integer.class,
          long.class,
          Long.class,
          short.class,
          Short.class);

  private final PayloadMapper mapper;
  private final Class<?> root;
  private final List<Part> parts = new ArrayList<>();

  private PersonalComponents(PayloadMapper mapper, Class<?> root) {
    this.mapper = mapper;
    this.root = root;
  }

  /**
   * @throws InvalidBundleException if one breaks a rule
   */
  static List<Part> of(Class<?> record, PayloadMapper mapper) {
    var components = new PersonalComponents(mapper, record);
    components.look(mapper.jackson().constructType(record), List.of(), List.of());
    components.checkSubjects();
    return List.copyOf(components.parts);
  }

  /**
   * @param outer the records that this one is in
   */
  private void look(JavaType record, List<String> path, List<JavaType> outer) {
    var inner = new ArrayList<>(outer);
    inner.add(record);
    var names = JsonNames.of(record, mapper.jackson());
    for (var component : record.getRawClass().getRecordComponents()) {
      var type =
          mapper
              .jackson()
              .getTypeFactory()
              .resolveMemberType(component.getGenericType(), record.getBindings());
      var name = names.written(component.getName());
      var personal = Marks.of(component, Personal.class);
      if (name == null) {
        if (personal != null) {
          throw broken(component, "it is not written to JSON under a name of its own");
        }
        continue;
      }
      var at = new ArrayList<>(path);
      at.add(name);
      if (personal == null) {
        lookInto(type, at, inner, where(component));
      } else {
        refuseWithin(type, component);
        parts.add(part(component, personal, type, at));
      }
    }
  }

  private void lookInto(JavaType type, List<String> path, List<JavaType> outer, String where) {
    var raw = type.getRawClass();
    if (type.getContentType() != null) {
      var at = new ArrayList<>(path);
      at.add(EACH);
      lookInto(type.getContentType(), at, outer, where);
    } else if (raw.isRecord() && !outer.contains(type)) {
      look(type, path, outer);
    } else if (!Schemas.isScalar(raw) && hides(type, new HashSet<>())) {
      throw new InvalidBundleException(
          where
              + (raw.isRecord()
                  ? " contains itself, with a @Personal component in it: its places have no end"
                  : " is a "
                      + raw.getSimpleName()
                      + ", of which only the value says what is in it, with a @Personal component")
              + "; put @Personal on "
              + where
              + " itself");
    }
  }

  /** Whether a personal component is in it, or in a class that may stand for it. */
  private boolean hides(JavaType type, Set<JavaType> seen) {
    var raw = type.getRawClass();
    if (type.getContentType() != null) {
      return hides(type.getContentType(), seen);
    }
    if (Schemas.isScalar(raw) || raw.getPackageName().startsWith("java.") || !seen.add(type)) {
      return false;
    }
    if (raw.isRecord()) {
      return Arrays.stream(raw.getRecordComponents())
          .anyMatch(
              component ->
                  Marks.has(component, Personal.class)
                      || hides(
                          mapper
                              .jackson()
                              .getTypeFactory()
                              .resolveMemberType(component.getGenericType(), type.getBindings()),
                          seen));
    }
    return subtypes(raw).anyMatch(each -> hides(mapper.jackson().constructType(each), seen))
        || properties(type).anyMatch(property -> hides(property, seen));
  }

  private Stream<JavaType> properties(JavaType type) {
    try {
      return mapper.jackson().getSerializationConfig().introspect(type).findProperties().stream()
          .map(BeanPropertyDefinition::getPrimaryType);
    } catch (IllegalArgumentException unreadable) {
      // Of a class that Jackson cannot make sense of nothing is written either.
      return Stream.empty();
    }
  }

  private static Stream<Class<?>> subtypes(Class<?> type) {
    var named = type.getAnnotation(JsonSubTypes.class);
    return Stream.concat(
        type.isSealed() ? Arrays.stream(type.getPermittedSubclasses()) : Stream.empty(),
        named == null
            ? Stream.empty()
            : Arrays.stream(named.value()).<Class<?>>map(JsonSubTypes.Type::value));
  }

  private void refuseWithin(JavaType type, RecordComponent component) {
    if (hides(type, new HashSet<>())) {
      throw broken(
          component, "something in it is too: leave the annotation on one of them, the outer one");
    }
  }

  private Part part(
      RecordComponent component, Personal personal, JavaType type, List<String> path) {
    if (Marks.has(component, AggregateId.class)) {
      throw broken(component, "it is the @AggregateId, by which streams are found and named");
    }
    if (Marks.has(component, Tag.class)) {
      throw broken(component, "it is a @Tag, which is kept in the clear for events to be found by");
    }
    return new Part(
        List.copyOf(path), subject(component, personal), erased(component, personal, type));
  }

  private @Nullable List<String> subject(RecordComponent component, Personal personal) {
    var said = personal.subject();
    if (said.equals(Personal.AGGREGATE)) {
      return null;
    }
    var pointer = said.startsWith("/") ? mapper.pointer(root, said) : null;
    if (pointer == null) {
      throw broken(
          component,
          "its subject \""
              + said
              + "\" must be "
              + Personal.AGGREGATE
              + " or a pointer to a component of "
              + root.getSimpleName()
              + ", such as \"/ownerId\"");
    }
    var path = Part.steps(pointer);
    var type = typeAt(path);
    if (type == null || !IDS.contains(type)) {
      throw broken(
          component, "its subject \"" + said + "\" must be a String, a UUID or a whole number");
    }
    return path;
  }

  private @Nullable Class<?> typeAt(List<String> path) {
    var type = mapper.jackson().constructType(root);
    for (var step : path) {
      if (!type.getRawClass().isRecord()) {
        return null;
      }
      var name = JsonNames.of(type, mapper.jackson()).componentOf(step);
      JavaType next = null;
      for (var component : type.getRawClass().getRecordComponents()) {
        if (component.getName().equals(name)) {
          next =
              mapper
                  .jackson()
                  .getTypeFactory()
                  .resolveMemberType(component.getGenericType(), type.getBindings());
        }
      }
      if (next == null) {
        return null;
      }
      type = next;
    }
    return type.getRawClass();
  }

  private String erased(RecordComponent component, Personal personal, JavaType type) {
    var said = personal.erased();
    var raw = type.getRawClass();
    if (raw == String.class || raw == CharSequence.class) {
      return mapper.write(said).text();
    }
    if (said.equals(STANDARD) && !raw.isPrimitive()) {
      return "null";
    }
    // As it would be told in JSON; else as a text, for a date or a constant.
    for (var json : List.of(said, mapper.write(said).text())) {
      try {
        if (mapper.jackson().readerFor(type).readValue(json) != null) {
          return json;
        }
      } catch (JsonProcessingException | IllegalArgumentException other) {
        // The next one may do.
      }
    }
    throw broken(
        component,
        "its erased = \""
            + said
            + "\" must be readable as a "
            + raw.getSimpleName()
            + ", as it is read in the place of the value once the subject is erased");
  }

  /** Who a value is about must be known to find the key by. */
  private void checkSubjects() {
    for (var part : parts) {
      var subject = part.subject();
      for (var other : parts) {
        if (subject != null && other.covers(subject)) {
          throw new InvalidBundleException(
              other.pointer()
                  + " of "
                  + root.getSimpleName()
                  + " cannot be @Personal: it says who the subject of "
                  + part.pointer()
                  + " is, by which the key is found");
        }
      }
    }
  }

  private InvalidBundleException broken(RecordComponent component, String rule) {
    return new InvalidBundleException(where(component) + " cannot be @Personal: " + rule);
  }

  private static String where(RecordComponent component) {
    return component.getDeclaringRecord().getSimpleName() + "." + component.getName();
  }
}
