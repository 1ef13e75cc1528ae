package io.evento.protocol;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.core.exc.StreamReadException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.databind.type.TypeFactory;
import com.fasterxml.jackson.databind.util.LRUMap;
import com.fasterxml.jackson.databind.util.LookupCache;
import java.io.IOException;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Messages to text and back. Thread-safe. */
public final class Codec {
  private static final Pattern BETWEEN_WORDS = Pattern.compile("(?<=[a-z])(?=[A-Z])");

  /** Kinds by class, as they stand in the field {@code t}. */
  private static final Map<Class<?>, String> KINDS = kinds();

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          // Names in payloads are the users': remembering them for ever would be a leak.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder().maxNestingDepth(200).maxStringLength(4 << 20).build())
          .build();

  private static final ObjectMapper MAPPER =
      strict(
          JsonMapper.builder(FACTORY)
              .typeFactory(ownTypes())
              .serializationInclusion(JsonInclude.Include.NON_NULL)
              .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
              .addModule(new SimpleModule("ids").addDeserializer(UUID.class, new UuidReader())));

  /** Of bodies, whose fields are all known and have values. */
  private static final ObjectMapper BODIES =
      MAPPER
          .copy()
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .registerModule(new SimpleModule("nulls").setDeserializerModifier(new NoNulls()));

  private static final Map<String, ObjectReader> READERS = readers(MAPPER.reader());

  /** Of what comes from outside. */
  private static final Map<String, ObjectReader> RECEIVERS =
      readers(MAPPER.reader().with(StreamReadFeature.STRICT_DUPLICATE_DETECTION));

  private Codec() {}

  /**
   * Types that are remembered with their mapper. The ones of all mappers would hold classes of an
   * application after it has ended, where Jackson is its server's.
   */
  public static TypeFactory ownTypes() {
    LookupCache<Object, JavaType> cache = new LRUMap<>(16, 200);
    return TypeFactory.defaultInstance().withCache(cache);
  }

  /**
   * Takes nothing for what it is not: no text for a number, no fraction for a whole number, no
   * number for a text, no empty text for null, no null for an element of a list.
   */
  private static ObjectMapper strict(JsonMapper.Builder mapper) {
    return mapper
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
        .defaultSetterInfo(JsonSetter.Value.forContentNulls(Nulls.FAIL))
        .withCoercionConfigDefaults(
            all -> {
              for (var shape : CoercionInputShape.values()) {
                all.setCoercion(shape, CoercionAction.Fail);
              }
            })
        // A whole number is a number.
        .withCoercionConfig(
            LogicalType.Float,
            numbers -> numbers.setCoercion(CoercionInputShape.Integer, CoercionAction.TryConvert))
        .build();
  }

  private static Map<Class<?>, String> kinds() {
    var kinds = new LinkedHashMap<Class<?>, String>();
    for (var group : Message.class.getPermittedSubclasses()) {
      for (var kind : group.getPermittedSubclasses()) {
        var name =
            BETWEEN_WORDS.matcher(kind.getSimpleName()).replaceAll("-").toLowerCase(Locale.ROOT);
        // Fault is not called Error in Java, where that name is taken.
        kinds.put(kind, name.equals("fault") ? "error" : name);
      }
    }
    return kinds;
  }

  /** All kinds, as they stand in the field {@code t}. */
  public static Collection<String> kindNames() {
    return Collections.unmodifiableCollection(KINDS.values());
  }

  private static Map<String, ObjectReader> readers(ObjectReader any) {
    var readers = new HashMap<String, ObjectReader>();
    KINDS.forEach((kind, name) -> readers.put(name, any.forType(kind)));
    return readers;
  }

  /** One line of text, without the line feed. */
  public static String write(Message message) {
    var kind = KINDS.get(message.getClass());
    var fields = text(message);
    return fields.length() == 2
        ? "{\"t\":\"" + kind + "\"}"
        : "{\"t\":\"" + kind + "\"," + fields.substring(1);
  }

  /**
   * @param line one message
   * @throws EventoException {@code invalid-request} if it is not a well-formed message of a known
   *     kind
   */
  public static Message read(String line) {
    return read(READERS, line);
  }

  private static Message read(Map<String, ObjectReader> readers, String line) {
    var kind = field(line, "t");
    var reader = kind == null ? null : readers.get(kind);
    if (reader == null) {
      throw EventoException.invalid("/t", "must be one of " + String.join(", ", KINDS.values()));
    }
    return read(reader, line);
  }

  /**
   * The same for what comes from outside: refuses besides what JSON alone would let pass, names
   * that are there twice and text that UTF-8 cannot say.
   *
   * @throws EventoException {@code invalid-request} naming the field
   */
  public static Message receive(String line) {
    JsonText.checkUnicode(line);
    return read(RECEIVERS, line);
  }

  /**
   * Any value of the protocol, such as a {@link Receipt}, as JSON text that every encoding can say:
   * one text that cannot be encoded would end the session, and with it all that waits there.
   */
  public static String text(Object value) {
    try {
      return Unicode.escaped(MAPPER.writeValueAsString(value));
    } catch (JsonProcessingException broken) {
      throw new IllegalStateException("cannot write " + value.getClass(), broken);
    }
  }

  /**
   * The inverse of {@link #text}.
   *
   * @throws EventoException {@code invalid-request} naming the field
   */
  public static <T> T read(Class<T> type, String text) {
    return read(MAPPER.readerFor(type), text);
  }

  /**
   * Reads a body: a field that is not of the type, or is null, is refused.
   *
   * @param body as {@link JsonText#check} let it pass
   * @throws EventoException {@code invalid-request} naming the field
   */
  public static <T> T readBody(Class<T> type, Json body) {
    return read(BODIES.readerFor(type), body.text());
  }

  private static <T> T read(ObjectReader reader, String text) {
    try {
      T value = reader.withAttribute(Json.SOURCE, text).readValue(text);
      if (value == null) {
        throw EventoException.invalid("", "must be a JSON object");
      }
      return value;
    } catch (JsonMappingException unfit) {
      for (Throwable cause = unfit; cause != null; cause = cause.getCause()) {
        if (cause instanceof EventoException told) {
          throw told;
        }
        // A number that does not fit is well-formed.
        if (cause instanceof StreamReadException malformed
            && !(cause instanceof InputCoercionException)) {
          throw JsonText.malformed(malformed);
        }
      }
      throw EventoException.invalid(
          pointer(unfit),
          unfit instanceof UnrecognizedPropertyException
              ? "is no field that is known here"
              : "has the wrong type or is malformed");
    } catch (JsonProcessingException malformed) {
      throw JsonText.malformed(malformed);
    } catch (IOException impossible) {
      throw new IllegalStateException("a string cannot fail to be read", impossible);
    }
  }

  /**
   * A text property at the top level of a JSON object.
   *
   * @return null if the text is no well-formed object up to that property, or has no such property
   *     of type string
   */
  public static @Nullable String field(String json, String name) {
    try (var parser = FACTORY.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        return null;
      }
      for (var field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
        var value = parser.nextToken();
        if (field.equals(name)) {
          return value == JsonToken.VALUE_STRING ? parser.getText() : null;
        }
        parser.skipChildren();
      }
      return null;
    } catch (IOException malformed) {
      return null;
    }
  }

  /** A parser for rooms that look into payloads token by token. */
  public static JsonParser parser(String json) throws IOException {
    return FACTORY.createParser(json);
  }

  private static String pointer(JsonMappingException unfit) {
    var pointer = new StringBuilder();
    for (var step : unfit.getPath()) {
      var name = step.getFieldName();
      pointer
          .append('/')
          .append(name == null ? step.getIndex() : name.replace("~", "~0").replace("/", "~1"));
    }
    return pointer.toString();
  }

  /** Reads UUIDs in their one form of 36 characters; Jackson's own reader knows others. */
  private static final class UuidReader extends StdScalarDeserializer<UUID> {
    private static final long serialVersionUID = 1L;
    private static final int LENGTH = 36;

    UuidReader() {
      super(UUID.class);
    }

    @Override
    public UUID deserialize(JsonParser from, DeserializationContext context) throws IOException {
      if (from.currentToken() != JsonToken.VALUE_STRING) {
        return (UUID) context.handleUnexpectedToken(UUID.class, from);
      }
      var text = from.getText();
      try {
        if (text.length() == LENGTH) {
          return UUID.fromString(text);
        }
      } catch (IllegalArgumentException malformed) {
        // Said below.
      }
      return (UUID) context.handleWeirdStringValue(UUID.class, text, "no UUID");
    }
  }
}
