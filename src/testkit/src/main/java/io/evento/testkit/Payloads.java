package io.evento.testkit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.PayloadType;
import io.evento.bundle.payload.UnwritablePayloadException;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Payloads on their way through JSON, which is where they are checked, compared and shown. */
final class Payloads {
  /** Numbers stay as they are written: 1.10 is not 1.1, as a component would not be the same. */
  private static final ObjectMapper TREES =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .nodeFactory(JsonNodeFactory.withExactBigDecimals(true))
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private static final int LINE_MAX = 100;

  private final KeysInMemory keys = new KeysInMemory();
  private final PayloadMapper mapper = new PayloadMapper(keys);
  private final Set<Check> checks = EnumSet.allOf(Check.class);

  /**
   * A payload as JSON, of some version of its shape. What is personal in it is in the clear, to be
   * compared and shown; it is encrypted where handlers are called.
   */
  record Named(String type, int version, Json json) {
    static List<String> shown(List<Named> all) {
      return all.stream().map(one -> show(one.type, one.json)).toList();
    }

    /** In any order. */
    static boolean areSame(List<Named> some, List<Named> others) {
      var left = new ArrayList<>(others);
      for (var one : some) {
        var same = left.stream().filter(one::isSameAs).findFirst();
        if (same.isEmpty()) {
          return false;
        }
        left.remove(same.get());
      }
      return left.isEmpty();
    }

    boolean isSameAs(Named other) {
      return type.equals(other.type) && version == other.version && same(json, other.json);
    }
  }

  PayloadMapper mapper() {
    return mapper;
  }

  void leaveOut(Check... left) {
    checks.removeAll(List.of(left));
  }

  boolean checks(Check check) {
    return checks.contains(check);
  }

  /**
   * @throws AssertionError if the component under test has nothing to do with that type
   */
  PayloadType known(String name) {
    var type = mapper.named(name);
    if (type == null) {
      throw new AssertionError("what is tested here knows no payload " + name);
    }
    return type;
  }

  PayloadType typeOf(Object payload) {
    return mapper.typeOf(payload.getClass());
  }

  /**
   * @param payload a record, or a {@link Stored} one
   * @throws AssertionError if the payload is another one when it comes back
   */
  Named write(Object payload) {
    if (payload instanceof Stored stored) {
      return stored.named();
    }
    var type = typeOf(payload);
    var json = written(type, payload);
    if (checks(Check.ROUND_TRIP)) {
      checkRoundTrip(type, payload, json);
    }
    return new Named(type.name(), type.version(), json);
  }

  /** What cannot be written would be refused by a running bundle too, whatever is left out. */
  private static Json written(PayloadType type, Object payload) {
    try {
      return type.writePlain(payload);
    } catch (UnwritablePayloadException unfit) {
      throw new AssertionError(unfit.getMessage() + "\n  " + payload, unfit);
    }
  }

  /** From now on nothing personal of this subject can be read. */
  void erase(String subject) {
    keys.erase(subject);
  }

  /**
   * A payload as it was stored, before anybody was erased.
   *
   * @param aggregate id of the aggregate that it is of; null for none
   */
  Json stored(Named payload, @Nullable String aggregate) {
    var type = mapper.named(payload.type);
    return type == null || type.version() != payload.version
        ? payload.json
        : keys.beforeErasures(() -> type.personal().seal(payload.json, aggregate));
  }

  /** A payload that a handler gave, to be compared. */
  Named given(String name, int version, Json json, @Nullable String aggregate) {
    var type = mapper.named(name);
    return new Named(name, version, type == null ? json : type.personal().open(json, aggregate));
  }

  /** The same of the value for the caller. */
  @Nullable Json opened(@Nullable Json value) {
    return value == null ? null : mapper.openResult(value);
  }

  /** What an event can be found by. */
  List<String> tags(Object event) {
    if (event instanceof Stored stored) {
      return known(stored.type()).tags(stored.read(this));
    }
    return typeOf(event).tags(event);
  }

  Json value(@Nullable Object value) {
    return mapper.write(value);
  }

  private static void checkRoundTrip(PayloadType type, Object payload, Json json) {
    Object back;
    try {
      back = type.read(json);
    } catch (EventoException unreadable) {
      throw new AssertionError(
          type.name()
              + " cannot be read back from its own JSON: "
              + unreadable.detail()
              + "\n"
              + show(type.name(), json),
          unreadable);
    }
    if (!back.equals(payload)) {
      throw new AssertionError(
          type.name()
              + " is another one after it was written as JSON and read back:\n  before "
              + payload
              + "\n  JSON   "
              + json
              + "\n  after  "
              + back
              + "\nGive it components that JSON keeps and equals compares (no arrays), or leave out"
              + " Check.ROUND_TRIP.");
    }
  }

  static boolean same(Json one, Json other) {
    return tree(one).equals(Payloads::compare, tree(other));
  }

  /** Zero if they are the same; asked of leaves only. */
  private static int compare(JsonNode one, JsonNode other) {
    var isSame =
        one.isBigDecimal() && other.isBigDecimal()
            ? one.decimalValue().equals(other.decimalValue())
            : one.equals(other);
    return isSame ? 0 : 1;
  }

  static JsonNode tree(Json json) {
    try {
      return TREES.readTree(json.text());
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("what was written is no JSON: " + json, impossible);
    }
  }

  /** On one line while it is short. */
  static String show(String name, Json json) {
    var line = name + " " + json.text();
    return line.length() <= LINE_MAX ? line : name + " " + tree(json).toPrettyString();
  }
}
