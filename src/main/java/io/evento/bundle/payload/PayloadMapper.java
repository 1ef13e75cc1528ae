package io.evento.bundle.payload;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The one mapper of payloads, with its rules. Thread-safe. */
public final class PayloadMapper {
  private final ObjectMapper mapper = mapper();
  private final Map<Class<?>, PayloadType> types = new ConcurrentHashMap<>();

  private static ObjectMapper mapper() {
    var factory =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(200)
                    .maxStringLength(4 << 20)
                    .build())
            .build();
    return JsonMapper.builder(factory)
        .addModule(new TimeModule())
        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
        .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
        // "500" is no amount: a caller who mixes them up should hear of it.
        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
        .withCoercionConfig(
            LogicalType.Textual,
            text -> {
              text.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail);
              text.setCoercion(CoercionInputShape.Float, CoercionAction.Fail);
              text.setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail);
            })
        .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
        .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
        .build();
  }

  ObjectMapper jackson() {
    return mapper;
  }

  /**
   * The payload type of a class.
   *
   * @throws io.evento.bundle.InvalidBundleException if the class cannot be a payload
   */
  public PayloadType typeOf(Class<?> type) {
    var known = types.get(type);
    if (known == null) {
      known = PayloadType.of(type, this);
      types.putIfAbsent(type, known);
    }
    return known;
  }

  /**
   * @throws IllegalArgumentException if Jackson cannot write it
   */
  public Json write(@Nullable Object value) {
    try {
      return new Json(mapper.writeValueAsString(value));
    } catch (JsonProcessingException unfit) {
      throw new IllegalArgumentException(
          (value == null ? "null" : value.getClass().getName())
              + " cannot be written as JSON: "
              + unfit.getOriginalMessage(),
          unfit);
    }
  }

  /**
   * @throws EventoException {@code invalid-request} that points to the field
   */
  public <T> @Nullable T read(Class<T> type, Json json) {
    return read(mapper.readerFor(type), json);
  }

  /** A JSON object as a map, keys in order. */
  public Map<String, Object> readMap(@Nullable Json json) {
    if (json == null || json.text().equals("{}") || json.text().equals("null")) {
      return Map.of();
    }
    Map<String, Object> map = read(mapper.readerForMapOf(Object.class), json);
    return map == null ? Map.of() : map;
  }

  static <T> @Nullable T read(ObjectReader reader, Json json) {
    try {
      return reader.readValue(json.text());
    } catch (JsonMappingException unfit) {
      throw told(unfit);
    } catch (JsonProcessingException malformed) {
      throw EventoException.invalid("", "must be well-formed JSON");
    }
  }

  private static EventoException told(JsonMappingException unfit) {
    for (Throwable cause = unfit.getCause(); cause != null; cause = cause.getCause()) {
      if (cause instanceof EventoException itself) {
        return itself;
      }
    }
    var refusal = unfit instanceof ValueInstantiationException ? unfit.getCause() : null;
    if (refusal instanceof IllegalArgumentException && refusal.getMessage() != null) {
      return EventoException.invalid(pointer(unfit), refusal.getMessage());
    }
    return EventoException.invalid(pointer(unfit), rule(unfit));
  }

  /** Jackson's own words name Java classes, which are nobody's business on the wire. */
  private static String rule(JsonMappingException unfit) {
    var said = unfit.getOriginalMessage();
    if (said != null && said.startsWith("Cannot map `null` into type")) {
      return "is required";
    }
    return unfit instanceof com.fasterxml.jackson.databind.exc.MismatchedInputException mismatched
            && mismatched.getTargetType() != null
        ? "must be " + PayloadType.wanted(mismatched.getTargetType())
        : "has the wrong type or is malformed";
  }

  private static String pointer(JsonMappingException unfit) {
    var pointer = new StringBuilder();
    for (var step : unfit.getPath()) {
      var name = step.getFieldName() == null ? "" + step.getIndex() : step.getFieldName();
      pointer.append('/').append(name.replace("~", "~0").replace("/", "~1"));
    }
    return pointer.toString();
  }
}
