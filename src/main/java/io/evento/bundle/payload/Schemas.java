package io.evento.bundle.payload;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.bundle.InvalidBundleException;
import io.evento.protocol.Json;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Writes JSON Schema (2020-12) for a type. Records become objects; each nested one stands once, in
 * {@code $defs}, so that records may contain themselves. One instance per schema.
 */
public final class Schemas {
  private static final Set<Class<?>> WHOLE =
      Set.of(Long.class, Integer.class, Short.class, Byte.class, BigInteger.class);
  private static final Set<Class<?>> REAL = Set.of(Float.class, Double.class, BigDecimal.class);

  private final PayloadMapper mapper;
  private final Map<Class<?>, String> names = new HashMap<>();
  private final ObjectNode definitions = JsonNodeFactory.instance.objectNode();

  public Schemas(PayloadMapper mapper) {
    this.mapper = mapper;
  }

  /**
   * @throws InvalidBundleException if something in the type cannot travel as JSON
   */
  public Json of(Type root) {
    ObjectNode schema;
    if (root instanceof Class<?> type && type.isRecord()) {
      names.put(type, "#");
      schema = object(type);
    } else {
      schema = schema(root, root.getTypeName());
    }
    if (!definitions.isEmpty()) {
      schema.set("$defs", definitions);
    }
    return mapper.write(schema);
  }

  /** Names the shape of a state: another shape has another name. */
  public static String fingerprint(Json schema) {
    try {
      var digest =
          MessageDigest.getInstance("SHA-256")
              .digest(schema.text().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }

  private ObjectNode object(Class<?> type) {
    var schema = node("object");
    var properties = schema.putObject("properties");
    var required = JsonNodeFactory.instance.arrayNode();
    for (var component : type.getRecordComponents()) {
      var given = component.getAccessor().getAnnotation(JsonProperty.class);
      var name = given == null || given.value().isEmpty() ? component.getName() : given.value();
      var where = type.getSimpleName() + "." + component.getName();
      properties.set(name, schema(component.getGenericType(), where));
      if (component.getType().isPrimitive()) {
        required.add(name);
      }
    }
    if (!required.isEmpty()) {
      schema.set("required", required);
    }
    return schema;
  }

  private ObjectNode schema(Type type, String where) {
    if (type instanceof Class<?> plain) {
      return ofClass(plain, where);
    }
    if (type instanceof GenericArrayType array) {
      return array(array.getGenericComponentType(), where);
    }
    if (type instanceof WildcardType wildcard) {
      return schema(wildcard.getUpperBounds()[0], where);
    }
    if (type instanceof TypeVariable<?> variable) {
      return schema(variable.getBounds()[0], where);
    }
    var generic = (ParameterizedType) type;
    var raw = (Class<?>) generic.getRawType();
    var arguments = generic.getActualTypeArguments();
    if (Collection.class.isAssignableFrom(raw) && arguments.length == 1) {
      return array(arguments[0], where);
    }
    if (Map.class.isAssignableFrom(raw) && arguments.length == 2) {
      var map = node("object");
      map.set("additionalProperties", schema(arguments[1], where));
      return map;
    }
    return ofClass(raw, where);
  }

  private ObjectNode ofClass(Class<?> type, String where) {
    if (type == boolean.class || type == Boolean.class) {
      return node("boolean");
    }
    if (type == int.class || type == long.class || type == short.class || type == byte.class) {
      return node("integer");
    }
    if (type == float.class || type == double.class) {
      return node("number");
    }
    if (WHOLE.contains(type)) {
      return node("integer");
    }
    if (REAL.contains(type)) {
      return node("number");
    }
    if (CharSequence.class.isAssignableFrom(type)
        || type == char.class
        || type == Character.class) {
      return node("string");
    }
    if (type == UUID.class) {
      return node("string").put("format", "uuid");
    }
    if (TimeModule.types().contains(type)) {
      var format = TimeModule.format(type);
      return format.isEmpty() ? node("string") : node("string").put("format", format);
    }
    if (type == byte[].class) {
      return node("string").put("contentEncoding", "base64");
    }
    if (type.isArray()) {
      return array(type.getComponentType(), where);
    }
    if (type.isEnum()) {
      return constants(type);
    }
    if (type.isRecord()) {
      return reference(type);
    }
    return other(type, where);
  }

  private ObjectNode other(Class<?> type, String where) {
    var anything = JsonNodeFactory.instance.objectNode();
    if (type == Object.class
        || JsonNode.class.isAssignableFrom(type)
        || type.isAnnotationPresent(JsonTypeInfo.class)
        || type == Collection.class
        || type == Map.class
        || type == Set.class
        || type == java.util.List.class) {
      return anything;
    }
    if (type == Optional.class) {
      throw new InvalidBundleException(
          where + " is an Optional, which JSON has no word for: make it a @Nullable component");
    }
    if (type.getPackageName().startsWith("java.time")
        || type.isInterface()
        || Modifier.isAbstract(type.getModifiers())
        || !readable(type)) {
      throw new InvalidBundleException(
          where
              + " is a "
              + type.getName()
              + ", which cannot be read back from JSON: use a record, an enum, a string, a number, a"
              + " list or a map, or tell the subtypes apart with Jackson's @JsonTypeInfo");
    }
    return anything;
  }

  private boolean readable(Class<?> type) {
    var jackson = mapper.jackson();
    try {
      // Finding the reader is what a first message would do; better now than then.
      jackson.readerFor(type).readValue("null");
      return !type.getPackageName().startsWith("java.")
          || type.getPackageName().startsWith("java.net")
          || type.getPackageName().startsWith("java.util");
    } catch (java.io.IOException | IllegalArgumentException unreadable) {
      return false;
    }
  }

  private ObjectNode array(Type items, String where) {
    var array = node("array");
    array.set("items", schema(items, where));
    return array;
  }

  private ObjectNode constants(Class<?> type) {
    var schema = JsonNodeFactory.instance.objectNode();
    var values = schema.putArray("enum");
    for (var constant : type.getEnumConstants()) {
      values.add((JsonNode) mapper.jackson().valueToTree(constant));
    }
    return schema;
  }

  private ObjectNode reference(Class<?> type) {
    var name = names.get(type);
    if (name == null) {
      name = "#/$defs/" + unused(type.getSimpleName());
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

  private static ObjectNode node(String type) {
    return JsonNodeFactory.instance.objectNode().put("type", type);
  }
}
