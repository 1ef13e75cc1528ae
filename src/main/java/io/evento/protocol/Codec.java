package io.evento.protocol;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Messages to text and back. Thread-safe. */
public final class Codec {
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
      new ObjectMapper(FACTORY)
          .setSerializationInclusion(JsonInclude.Include.NON_NULL)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private static final Map<String, ObjectReader> READERS = readers();

  private Codec() {}

  private static Map<Class<?>, String> kinds() {
    var kinds = new LinkedHashMap<Class<?>, String>();
    for (var kind : Message.class.getPermittedSubclasses()) {
      var name = kind.getSimpleName().toLowerCase(java.util.Locale.ROOT);
      // Fault is not called Error in Java, where that name is taken.
      kinds.put(kind, name.equals("fault") ? "error" : name);
    }
    return kinds;
  }

  private static Map<String, ObjectReader> readers() {
    var readers = new HashMap<String, ObjectReader>();
    KINDS.forEach((kind, name) -> readers.put(name, MAPPER.readerFor(kind)));
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
    var kind = field(line, "t");
    var reader = kind == null ? null : READERS.get(kind);
    if (reader == null) {
      throw EventoException.invalid("/t", "must be one of " + String.join(", ", KINDS.values()));
    }
    return read(reader, line);
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
      }
      throw EventoException.invalid(pointer(unfit), "has the wrong type or is malformed");
    } catch (JsonProcessingException malformed) {
      throw EventoException.invalid("", "must be well-formed JSON: " + place(malformed));
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
      pointer
          .append('/')
          .append(step.getFieldName() == null ? step.getIndex() : step.getFieldName());
    }
    return pointer.toString();
  }

  private static String place(JsonProcessingException malformed) {
    var at = malformed.getLocation();
    return at == null
        ? "cannot be parsed"
        : "error at line " + at.getLineNr() + ", column " + at.getColumnNr();
  }
}
