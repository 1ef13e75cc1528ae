package io.evento.bundle.payload;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.type.LogicalType;
import io.evento.bundle.api.ValueMapper;
import io.evento.bundle.personal.PersonalValues;
import io.evento.bundle.personal.SubjectKeys;
import io.evento.bundle.personal.Subjects;
import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The one mapper of payloads, with its rules. Thread-safe. */
public final class PayloadMapper implements ValueMapper {
  /** In the place of a type's name: whoever reads a result may do so into a type of his own. */
  private static final String RESULT = "result";

  private final ObjectMapper mapper = mapper();
  private final SubjectKeys keys;
  private final RequestRules requestRules = new RequestRules(mapper);
  private final Map<Class<?>, PayloadType> types = new ConcurrentHashMap<>();
  private final Map<Class<?>, PersonalValues> results = new ConcurrentHashMap<>();
  private volatile boolean hasPersonalTypes;

  /** Of whoever reads and writes nothing personal. */
  public PayloadMapper() {
    this(SubjectKeys.NONE);
  }

  /**
   * @param keys by which personal values are read and written
   */
  public PayloadMapper(SubjectKeys keys) {
    this.keys = keys;
  }

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
        .typeFactory(Codec.ownTypes())
        .addModule(new TimeModule())
        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
        .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
        // Where no component says what a number is, it stays as it was written, its scale too.
        .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
        .nodeFactory(JsonNodeFactory.withExactBigDecimals(true))
        .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
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

  RequestRules requestRules() {
    return requestRules;
  }

  SubjectKeys keys() {
    return keys;
  }

  /** Has the keys fetched that payloads which are about to be read need, all with one question. */
  public void prepare(Collection<Json> payloads) {
    if (!hasPersonalTypes) {
      return;
    }
    var subjects = new LinkedHashSet<String>();
    payloads.forEach(payload -> subjects.addAll(Subjects.in(payload)));
    if (!subjects.isEmpty()) {
      keys.prepare(subjects);
    }
  }

  /** Whether a type that was met so far has personal values. */
  public boolean hasPersonalTypes() {
    return hasPersonalTypes;
  }

  /** The payload type of that name which was met so far, or null. */
  public @Nullable PayloadType named(String name) {
    for (var type : types.values()) {
      if (type.name().equals(name)) {
        return type;
      }
    }
    return null;
  }

  /**
   * Writes what a command's handler gives to its caller. It is kept to answer repeats, so what is
   * personal in it is encrypted.
   *
   * @param aggregate that decided; null for none
   * @throws UnwritablePayloadException as {@link #write(Object)}
   */
  public Json writeResult(Object value, @Nullable String aggregate) {
    return result(value.getClass()).seal(write(value), aggregate);
  }

  /** Reads what {@link #writeResult} wrote. */
  public <T> @Nullable T readResult(Class<T> type, Json json) {
    return read(type, result(type).open(json, null));
  }

  /** The same in the clear, for whoever does not know yet what it will be read as. */
  public Json openResult(Json json) {
    return new PersonalValues(RESULT, List.of(), keys).openFormer(json);
  }

  private PersonalValues result(Class<?> type) {
    if (!type.isRecord()) {
      return new PersonalValues(RESULT, List.of(), keys);
    }
    var known = results.get(type);
    if (known != null) {
      return known;
    }
    // Not computed within the map: looking at the components may come back here for another type.
    var made = new PersonalValues(RESULT, PersonalComponents.of(type, this), keys);
    var before = results.putIfAbsent(type, made);
    return before == null ? made : before;
  }

  /**
   * The payload type of a class.
   *
   * @throws io.evento.bundle.api.InvalidBundleException if the class cannot be a payload
   */
  public PayloadType typeOf(Class<?> type) {
    var known = types.get(type);
    if (known != null) {
      return known;
    }
    var made = PayloadType.of(type, this);
    if (!made.personal().isEmpty()) {
      hasPersonalTypes = true;
    }
    var sooner = types.putIfAbsent(type, made);
    return sooner == null ? made : sooner;
  }

  /**
   * Writes what others read: a view, the value of an answer, metadata.
   *
   * @throws UnwritablePayloadException if Jackson cannot write it, or no reader could take what it
   *     wrote
   */
  @Override
  public Json write(@Nullable Object value) {
    return write(value, value == null ? "null" : "a " + value.getClass().getSimpleName());
  }

  /**
   * The same.
   *
   * @param what the value is, for the message
   * @throws UnwritablePayloadException as {@link #write(Object)}
   */
  public Json write(@Nullable Object value, String what) {
    return write(mapper.writer(), value, what);
  }

  static Json write(ObjectWriter writer, @Nullable Object value, String what) {
    String text;
    try {
      text = writer.writeValueAsString(value);
    } catch (JsonMappingException unfit) {
      throw new UnwritablePayloadException(
          what,
          pointer(unfit),
          "must be something that JSON can say: " + unfit.getOriginalMessage());
    } catch (JsonProcessingException unfit) {
      throw new UnwritablePayloadException(
          what, "", "must be something that JSON can say: " + unfit.getOriginalMessage());
    }
    JsonText.check(text, what);
    return new Json(text);
  }

  /**
   * @throws EventoException {@code invalid-request} that points to the field
   */
  @Override
  public <T> @Nullable T read(Class<T> type, Json json) {
    return read(mapper.readerFor(type), json);
  }

  /**
   * Where something stands in the JSON of a record.
   *
   * @param pointer a JSON pointer, whose parts name components as Java or as JSON calls them
   * @return the pointer in the words of JSON; null if there is no such component
   */
  public @Nullable String pointer(Class<?> record, String pointer) {
    var found = new StringBuilder();
    var type = mapper.constructType(record);
    for (var part : pointer.substring(1).split("/", -1)) {
      var name = part.replace("~1", "/").replace("~0", "~");
      if (type.getRawClass().isRecord()) {
        var json = JsonNames.of(type, mapper);
        var component = json.componentOf(name);
        if (component == null) {
          return null;
        }
        name = String.valueOf(json.written(component));
        type = component(type, component);
      } else if (Schemas.isScalar(type.getRawClass())) {
        return null;
      } else {
        type =
            type.getContentType() == null
                ? mapper.constructType(Object.class)
                : type.getContentType();
      }
      found.append('/').append(name.replace("~", "~0").replace("/", "~1"));
    }
    return found.toString();
  }

  private JavaType component(JavaType record, String name) {
    for (var component : record.getRawClass().getRecordComponents()) {
      if (component.getName().equals(name)) {
        return mapper
            .getTypeFactory()
            .resolveMemberType(component.getGenericType(), record.getBindings());
      }
    }
    // A property that is no component, such as one of a method: what is in it is not known.
    return mapper.constructType(Object.class);
  }

  /** A JSON object as a map, keys in order. */
  public Map<String, Object> readMap(@Nullable Json json) {
    if (json == null || json.text().equals("{}") || json.text().equals("null")) {
      return Map.of();
    }
    var reader = mapper.readerForMapOf(Object.class);
    Map<String, Object> map;
    try {
      map = read(reader, json);
    } catch (EventoException unreadable) {
      // Metadata fails nobody for a number that no decimal can hold, such as 1E+99999999999.
      map = read(reader.without(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS), json);
    }
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
    if (refusal instanceof NullPointerException) {
      var missing = Kotlin.missing(refusal);
      if (missing != null) {
        return EventoException.invalid(pointer(unfit) + "/" + missing, "is required");
      }
    }
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
