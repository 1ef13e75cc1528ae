package io.evento.bundle.payload;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import com.fasterxml.jackson.databind.annotation.JsonTypeIdResolver;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.personal.Personal;
import io.evento.protocol.Json;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes JSON Schema (2020-12) for a type, and refuses what cannot be read back from its JSON, at
 * any depth. Records become objects; each nested one stands once, in {@code $defs}, so that records
 * may contain themselves. One instance per schema.
 */
public final class Schemas {
  private static final Set<Class<?>> WHOLE =
      Set.of(Long.class, Integer.class, Short.class, Byte.class, BigInteger.class);
  private static final Set<Class<?>> REAL = Set.of(Float.class, Double.class, BigDecimal.class);

  /** Keyword of what is encrypted; the server looks for it. */
  private static final String PERSONAL = "x-evento-personal";

  /** Arguments of arguments; more are met only where a record contains itself without end. */
  private static final int ARGUMENTS_MAX = 20;

  private final PayloadMapper mapper;
  private final ObjectMapper jackson;
  private final Map<JavaType, String> names = new HashMap<>();
  private final ObjectNode definitions = JsonNodeFactory.instance.objectNode();

  /**
   * Classes that are no records, of which the schema tells nothing, but which are looked through.
   */
  private final Set<JavaType> lookedThrough = new HashSet<>();

  /** What the schema does not tell and yet is another shape: the classes in use. */
  private final List<String> classes = new ArrayList<>();

  private boolean isReadByUs;
  private boolean isRequest;
  private boolean isCertain = true;

  public Schemas(PayloadMapper mapper) {
    this.mapper = mapper;
    this.jackson = mapper.jackson();
  }

  /**
   * The schema of something that is written here and read by others, such as a view.
   *
   * @throws InvalidBundleException if something in the type cannot travel as JSON
   */
  public Json of(Type root) {
    var type = jackson.constructType(root);
    ObjectNode schema;
    if (type.getRawClass().isRecord()) {
      names.put(type, "#");
      schema = object(type);
    } else {
      schema = schema(type, root.getTypeName());
    }
    if (!definitions.isEmpty()) {
      schema.set("$defs", definitions);
    }
    return mapper.write(schema);
  }

  /**
   * The schema of a record that is read back here.
   *
   * @throws InvalidBundleException if something in it would not be read back as it was written
   */
  Json ofPayload(Class<?> record) {
    isReadByUs = true;
    return of(record);
  }

  /** The schema of a record by which something is asked here; see {@link RequestRules}. */
  Json ofRequest(Class<?> record) {
    isRequest = true;
    return ofPayload(record);
  }

  /**
   * Whether each value of the type comes back from its JSON, as far as types can tell. Else it
   * holds something, such as an {@code Object}, of which only the value can tell.
   */
  boolean isCertain() {
    return isCertain;
  }

  /**
   * The classes in use and how they are made of each other, in the order in which they were met.
   */
  List<String> classes() {
    return List.copyOf(classes);
  }

  /** Names the shape of a state: another shape has another name. */
  public static String fingerprint(Json shape) {
    try {
      var digest =
          MessageDigest.getInstance("SHA-256")
              .digest(shape.text().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }

  private ObjectNode object(JavaType type) {
    var schema = node("object");
    var properties = schema.putObject("properties");
    var required = JsonNodeFactory.instance.arrayNode();
    var record = type.getRawClass();
    var json = JsonNames.of(type, jackson);
    var isTranslated = isTranslated(record);
    if (JsonNames.isCustomized(record)) {
      isCertain = false;
    }
    for (var component : record.getRecordComponents()) {
      var where = record.getSimpleName() + "." + component.getName();
      var member =
          jackson
              .getTypeFactory()
              .resolveMemberType(component.getGenericType(), type.getBindings());
      classes.add(where + ":" + told(member));
      var name = json.written(component.getName());
      if (isReadByUs && !isTranslated) {
        JsonNames.check(where, name, json.read(component.getName()));
      }
      var known = isToldOtherwise(component) ? anythingCustomized() : schema(member, where);
      if (name != null) {
        tellPersonal(component, known);
        properties.set(name, known);
        if (isRequest && !JsonNames.isCustomized(record)
            ? RequestRules.isRequired(component)
            : component.getType().isPrimitive()) {
          required.add(name);
        }
      }
    }
    if (!required.isEmpty()) {
      schema.set("required", required);
    }
    if (isRequest && !JsonNames.isCustomized(record) && !RequestRules.toleratesUnknown(record)) {
      schema.put("additionalProperties", false);
    }
    return schema;
  }

  /** Says to whoever reads the schema that the value is encrypted, and by whose key. */
  private static void tellPersonal(RecordComponent component, ObjectNode known) {
    var personal = Marks.of(component, Personal.class);
    if (personal != null) {
      known.putObject(PERSONAL).put("subject", personal.subject());
    }
  }

  /** Whether all of a record is written or read in a way of its own. */
  private static boolean isTranslated(Class<?> record) {
    return record.isAnnotationPresent(JsonSerialize.class)
        || record.isAnnotationPresent(JsonDeserialize.class)
        || Stream.of(
                Arrays.stream(record.getDeclaredMethods()),
                Arrays.stream(record.getDeclaredFields()),
                Arrays.stream(record.getDeclaredConstructors()))
            .flatMap(places -> places)
            .anyMatch(
                place ->
                    place.isAnnotationPresent(JsonValue.class)
                        || place.isAnnotationPresent(JsonCreator.class));
  }

  /** Whether the author says how this component is written and read. */
  private static boolean isToldOtherwise(RecordComponent component) {
    var accessor = component.getAccessor();
    return accessor.isAnnotationPresent(JsonTypeInfo.class)
        || accessor.isAnnotationPresent(JsonDeserialize.class);
  }

  private ObjectNode anythingCustomized() {
    isCertain = false;
    return JsonNodeFactory.instance.objectNode();
  }

  private ObjectNode schema(JavaType type, String where) {
    var raw = type.getRawClass();
    if (raw == byte[].class) {
      return node("string").put("contentEncoding", "base64");
    }
    if (raw == char[].class) {
      return node("string");
    }
    if (type.isArrayType() || (type.isCollectionLikeType() && isKnown(raw))) {
      var array = node("array");
      array.set("items", schema(type.getContentType(), where));
      return array;
    }
    if (type.isMapLikeType() && isKnown(raw)) {
      if (!MapKeys.check(type.getKeyType(), where)) {
        isCertain = false;
      }
      if (type.getKeyType().isEnumType()) {
        checkConstants(type.getKeyType().getRawClass(), where);
      }
      var map = node("object");
      map.set("additionalProperties", schema(type.getContentType(), where));
      return map;
    }
    return scalar(raw)
        .orElseGet(
            () ->
                raw.isEnum()
                    ? constants(raw, where)
                    : raw.isRecord() ? reference(type) : other(type, where));
  }

  /** Whether it is a collection or map, and no class of somebody's own that behaves as one. */
  private static boolean isKnown(Class<?> type) {
    return Collection.class.isAssignableFrom(type) || Map.class.isAssignableFrom(type);
  }

  /** Whether nothing can be inside of it. */
  static boolean isScalar(Class<?> type) {
    return type.isEnum() || scalar(type).isPresent();
  }

  private static Optional<ObjectNode> scalar(Class<?> type) {
    if (type == boolean.class || type == Boolean.class) {
      return Optional.of(node("boolean"));
    }
    if (type == int.class || type == long.class || type == short.class || type == byte.class) {
      return Optional.of(node("integer"));
    }
    if (type == float.class || type == double.class) {
      return Optional.of(node("number"));
    }
    if (WHOLE.contains(type)) {
      return Optional.of(node("integer"));
    }
    if (REAL.contains(type)) {
      return Optional.of(node("number"));
    }
    if (type == String.class || type == char.class || type == Character.class) {
      return Optional.of(node("string"));
    }
    if (type == UUID.class) {
      return Optional.of(node("string").put("format", "uuid"));
    }
    if (TimeModule.types().contains(type)) {
      var format = TimeModule.format(type);
      return Optional.of(format.isEmpty() ? node("string") : node("string").put("format", format));
    }
    return Optional.empty();
  }

  private ObjectNode other(JavaType type, String where) {
    isCertain = false;
    var raw = type.getRawClass();
    if (raw == CharSequence.class) {
      return node("string");
    }
    var anything = JsonNodeFactory.instance.objectNode();
    if (raw == Object.class || JsonNode.class.isAssignableFrom(raw)) {
      return anything;
    }
    if (raw.isAnnotationPresent(JsonTypeInfo.class)) {
      lookThroughSubtypes(type, where);
      return anything;
    }
    if (raw == Optional.class) {
      throw new InvalidBundleException(
          where + " is an Optional, which JSON has no word for: make it a @Nullable component");
    }
    var isAbstract = raw.isInterface() || Modifier.isAbstract(raw.getModifiers());
    if (!isAbstract && isReadByUs) {
      lookThrough(type);
    }
    if (raw.getPackageName().startsWith("java.time")
        || isAbstract
        || !readable(type)
        || (isReadByUs && !isComparable(raw))) {
      throw new InvalidBundleException(
          where
              + " is a "
              + raw.getName()
              + ", which cannot be read back from JSON: use a record, an enum, a string, a number, a"
              + " list or a map, or tell the subtypes apart with Jackson's @JsonTypeInfo");
    }
    return anything;
  }

  /** Whether two values of the class can be the same: one without equals is never read back. */
  private static boolean isComparable(Class<?> type) {
    try {
      return type.getMethod("equals", Object.class).getDeclaringClass() != Object.class;
    } catch (NoSuchMethodException impossible) {
      throw new IllegalStateException("every class has equals", impossible);
    }
  }

  private boolean readable(JavaType type) {
    try {
      // Finding the reader is what a first message would do; better now than then.
      jackson.readerFor(type).readValue("null");
      var home = type.getRawClass().getPackageName();
      return !home.startsWith("java.")
          || home.startsWith("java.net")
          || home.startsWith("java.util");
    } catch (java.io.IOException | IllegalArgumentException unreadable) {
      return false;
    }
  }

  /** A class that is no record: what is in it is not told, but has to be readable all the same. */
  private void lookThrough(JavaType type) {
    var raw = type.getRawClass();
    if (raw.getPackageName().startsWith("java.") || !lookedThrough.add(type)) {
      return;
    }
    for (var property : jackson.getSerializationConfig().introspect(type).findProperties()) {
      if (property.couldSerialize()) {
        var where = raw.getSimpleName() + "." + property.getInternalName();
        classes.add(where + ":" + told(property.getPrimaryType()));
        schema(property.getPrimaryType(), where);
      }
    }
  }

  private void lookThroughSubtypes(JavaType type, String where) {
    if (!lookedThrough.add(type)) {
      return;
    }
    var raw = type.getRawClass();
    var config = jackson.getSerializationConfig();
    var base = config.introspectClassAnnotations(type).getClassInfo();
    var named = new LinkedHashMap<Class<?>, String>();
    for (var subtype :
        jackson.getSubtypeResolver().collectAndResolveSubtypesByClass(config, base)) {
      named.put(subtype.getType(), String.valueOf(subtype.getName()));
    }
    for (var permitted : permitted(raw)) {
      if (isReadByUs && isToldByName(raw) && !named.containsKey(permitted)) {
        throw new InvalidBundleException(
            where
                + " is a "
                + raw.getSimpleName()
                + ", which permits "
                + permitted.getSimpleName()
                + ", but none could be read back from JSON: name it in @JsonSubTypes of "
                + raw.getSimpleName());
      }
      named.putIfAbsent(permitted, "");
    }
    named.remove(raw);
    named.forEach(
        (subtype, name) -> {
          var known = jackson.constructType(subtype);
          classes.add(where + "=" + name + ":" + told(known));
          // Of a record nothing more is told here, but each of its components is looked at.
          if (subtype.isRecord() && lookedThrough.add(known)) {
            object(known);
          }
        });
  }

  /** Whether a subtype is known only by a name that somebody has to tell. */
  private static boolean isToldByName(Class<?> type) {
    var use = type.getAnnotation(JsonTypeInfo.class).use();
    return (use == JsonTypeInfo.Id.NAME || use == JsonTypeInfo.Id.SIMPLE_NAME)
        && !type.isAnnotationPresent(JsonTypeIdResolver.class);
  }

  /** What a value of a sealed type can be, down to the classes that permit no others. */
  private static List<Class<?>> permitted(Class<?> type) {
    return type.isSealed()
        ? Arrays.stream(type.getPermittedSubclasses())
            .flatMap(each -> permitted(each).stream())
            .toList()
        : List.of(type);
  }

  private ObjectNode constants(Class<?> type, String where) {
    checkConstants(type, where);
    var schema = JsonNodeFactory.instance.objectNode();
    var values = schema.putArray("enum");
    for (var constant : type.getEnumConstants()) {
      values.add((JsonNode) jackson.valueToTree(constant));
    }
    return schema;
  }

  /** All constants there are, written and read back, as values and as keys. */
  private void checkConstants(Class<?> type, String where) {
    var asKeys = jackson.getTypeFactory().constructMapType(Map.class, type, Boolean.class);
    for (var constant : type.getEnumConstants()) {
      try {
        var value = jackson.readerFor(type).readValue(jackson.writeValueAsString(constant));
        var key = jackson.writeValueAsString(Map.of(constant, true));
        Map<?, ?> keys = jackson.readerFor(asKeys).readValue(key);
        if (value == constant && keys.containsKey(constant)) {
          continue;
        }
      } catch (java.io.IOException | IllegalArgumentException unreadable) {
        // Told below, as one that comes back as another.
      }
      throw new InvalidBundleException(
          where
              + " is a "
              + type.getSimpleName()
              + ", whose constant "
              + constant
              + " cannot be read back from JSON: give each constant a text of its own");
    }
  }

  private ObjectNode reference(JavaType type) {
    var name = names.get(type);
    if (name == null) {
      if (arguments(type) > ARGUMENTS_MAX) {
        throw new InvalidBundleException(
            type.getRawClass().getName()
                + " contains itself with ever longer arguments, so that its shape has no end");
      }
      name = "#/$defs/" + unused(type.getRawClass().getSimpleName());
      names.put(type, name);
      // The name is known before its body is written, which is what ends a recursion.
      definitions.set(name.substring("#/$defs/".length()), object(type));
    }
    return JsonNodeFactory.instance.objectNode().put("$ref", name);
  }

  private String unused(String wish) {
    var name = wish;
    for (var i = 2; names.containsValue("#/$defs/" + name); i++) {
      name = wish + i;
    }
    return name;
  }

  private static int arguments(JavaType type) {
    return 1
        + type.getBindings().getTypeParameters().stream()
            .mapToInt(Schemas::arguments)
            .max()
            .orElse(0);
  }

  /** A class and its arguments; packages may change without another shape. */
  private static String told(JavaType type) {
    var arguments = type.getBindings().getTypeParameters();
    var name = type.getRawClass().getSimpleName();
    return arguments.isEmpty()
        ? name
        : arguments.stream().map(Schemas::told).collect(Collectors.joining(",", name + "<", ">"));
  }

  private static ObjectNode node(String type) {
    return JsonNodeFactory.instance.objectNode().put("type", type);
  }
}
