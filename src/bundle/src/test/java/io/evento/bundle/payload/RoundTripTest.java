package io.evento.bundle.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.api.Upcaster;
import io.evento.protocol.Json;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.Period;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written is read back: random values of all types there are, and those that are not. */
@NullUnmarked
class RoundTripTest {
  enum Color {
    RED,
    BLUE {
      @Override
      public String toString() {
        return "blue";
      }
    }
  }

  record Numbers(
      byte b,
      short s,
      int i,
      long l,
      float f,
      double d,
      Byte bigB,
      Short bigS,
      Integer bigI,
      Long bigL,
      Float bigF,
      Double bigD,
      BigInteger whole,
      BigDecimal decimal) {}

  record Times(
      Instant instant,
      OffsetDateTime offset,
      ZonedDateTime zoned,
      LocalDateTime local,
      LocalDate date,
      LocalTime time,
      Duration duration,
      Period period) {}

  record Texts(
      String text, char letter, Character bigLetter, UUID id, boolean yes, Boolean bigYes) {}

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
  @JsonSubTypes({@JsonSubTypes.Type(Circle.class), @JsonSubTypes.Type(Square.class)})
  sealed interface Figure permits Circle, Square {}

  record Circle(double radius) implements Figure {}

  record Square(BigDecimal side, Figure inside) implements Figure {}

  record Pair<A, B>(A left, B right) {}

  record Everything(
      Numbers numbers,
      Times times,
      Texts texts,
      Color color,
      Figure figure,
      List<Texts> list,
      Set<BigDecimal> set,
      Map<String, Numbers> byText,
      Map<Color, List<Instant>> byColor,
      Map<Long, Pair<BigDecimal, String>> byLong,
      Pair<Color, Pair<List<BigInteger>, Texts>> pair,
      int[] ints,
      byte[] bytes,
      String[] strings,
      Object open,
      Map<String, Object> openByName,
      JsonNode tree) {}

  @PayloadVersion(2)
  record Lifted(Everything all) {
    @Upcaster(from = 1)
    static ObjectNode asItIs(ObjectNode old) {
      return old;
    }
  }

  private static final class Chance {
    final Random random;

    Chance(long seed) {
      random = new Random(seed);
    }

    <T> T perhaps(Supplier<T> value) {
      return random.nextInt(5) == 0 ? null : value.get();
    }

    <T> List<T> some(Supplier<T> value) {
      return Stream.generate(value).limit(random.nextInt(4)).toList();
    }

    BigDecimal decimal() {
      var scale =
          switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> random.nextInt(40) - 20;
            case 2 -> random.nextInt();
            default -> 2;
          };
      return new BigDecimal(whole(), Math.max(-1_000_000_000, Math.min(1_000_000_000, scale)));
    }

    BigInteger whole() {
      var size = new BigInteger(random.nextInt(200), random);
      return random.nextBoolean() ? size.negate() : size;
    }

    /** Well-formed, of every kind of character. */
    String text() {
      var text = new StringBuilder();
      for (var i = random.nextInt(8); i > 0; i--) {
        var kind = random.nextInt(6);
        var point =
            kind == 0
                ? random.nextInt(0x20)
                : kind == 1
                    ? "\"\\/\u2028\u2029\u007f\ufeff\uffff~".charAt(random.nextInt(9))
                    : kind == 2 ? 0x10000 + random.nextInt(0x100000) : random.nextInt(0xD800);
        text.appendCodePoint(point);
      }
      return text.toString();
    }

    /** Any code units, half pairs too. */
    String units() {
      var text = new StringBuilder();
      for (var i = 1 + random.nextInt(4); i > 0; i--) {
        text.append((char) (random.nextBoolean() ? 0xD800 + random.nextInt(0x800) : 'a'));
      }
      return text.toString();
    }

    Instant instant() {
      return Instant.ofEpochSecond(random.nextInt() * 60L, random.nextInt(1_000_000_000));
    }

    OffsetDateTime offset() {
      return instant().atOffset(ZoneOffset.ofTotalSeconds(random.nextInt(64_800) - 32_400));
    }

    double real() {
      return switch (random.nextInt(3)) {
        case 0 -> Double.longBitsToDouble(random.nextLong());
        case 1 -> random.nextInt();
        default -> random.nextDouble();
      };
    }

    Numbers numbers() {
      return new Numbers(
          (byte) random.nextInt(),
          (short) random.nextInt(),
          random.nextInt(),
          random.nextLong(),
          Float.intBitsToFloat(random.nextInt()),
          real(),
          perhaps(() -> (byte) random.nextInt()),
          perhaps(() -> (short) random.nextInt()),
          perhaps(random::nextInt),
          perhaps(random::nextLong),
          perhaps(random::nextFloat),
          perhaps(this::real),
          perhaps(this::whole),
          perhaps(this::decimal));
    }

    Times times() {
      return new Times(
          perhaps(this::instant),
          perhaps(this::offset),
          perhaps(() -> offset().atZoneSameInstant(java.time.ZoneId.of("Europe/Zurich"))),
          perhaps(() -> offset().toLocalDateTime()),
          perhaps(() -> offset().toLocalDate()),
          perhaps(() -> offset().toLocalTime()),
          perhaps(() -> Duration.ofSeconds(random.nextLong() >> 8, random.nextInt(1_000_000_000))),
          perhaps(() -> Period.of(random.nextInt(99), -random.nextInt(99), random.nextInt(99))));
    }

    Texts texts() {
      return new Texts(
          perhaps(this::text),
          (char) random.nextInt(0xD800),
          perhaps(() -> (char) random.nextInt(0xD800)),
          perhaps(() -> new UUID(random.nextLong(), random.nextLong())),
          random.nextBoolean(),
          perhaps(random::nextBoolean));
    }

    Figure figure() {
      return random.nextBoolean()
          ? new Circle(random.nextDouble())
          : new Square(decimal(), perhaps(this::figure));
    }

    Color color() {
      return Color.values()[random.nextInt(2)];
    }

    Object open() {
      return switch (random.nextInt(7)) {
        case 0 -> decimal();
        case 1 -> whole();
        case 2 -> text();
        case 3 -> random.nextBoolean();
        case 4 -> random.nextLong();
        case 5 -> some(this::open);
        default -> Map.of(text(), decimal());
      };
    }

    <K, V> Map<K, V> map(Supplier<K> key, Supplier<V> value) {
      var map = new HashMap<K, V>();
      some(key).forEach(each -> map.put(each, value.get()));
      return map;
    }

    JsonNode tree() {
      var tree = JsonNodeFactory.withExactBigDecimals(true).objectNode();
      some(this::text).forEach(name -> tree.put(name, decimal()));
      tree.putArray("l").add(random.nextLong()).add(random.nextDouble()).addNull();
      return tree;
    }

    Everything everything() {
      return new Everything(
          perhaps(this::numbers),
          perhaps(this::times),
          perhaps(this::texts),
          perhaps(this::color),
          perhaps(this::figure),
          perhaps(() -> some(this::texts)),
          perhaps(() -> new LinkedHashSet<>(some(this::decimal))),
          perhaps(() -> map(this::text, this::numbers)),
          perhaps(() -> map(this::color, () -> some(this::instant))),
          perhaps(() -> map(random::nextLong, () -> new Pair<>(decimal(), text()))),
          perhaps(() -> new Pair<>(color(), new Pair<>(some(this::whole), texts()))),
          perhaps(() -> random.ints(3).toArray()),
          perhaps(() -> text().getBytes(StandardCharsets.UTF_8)),
          perhaps(() -> some(this::text).toArray(String[]::new)),
          perhaps(this::open),
          perhaps(() -> map(this::text, this::open)),
          perhaps(this::tree));
    }
  }

  private static final PayloadMapper MAPPER = new PayloadMapper();

  @RepeatedTest(10)
  void random_values_are_read_back_as_they_were_and_through_upcasters_too() {
    var seed = new Random().nextLong();
    var chance = new Chance(seed);
    var type = MAPPER.typeOf(Everything.class);
    var lifted = MAPPER.typeOf(Lifted.class);
    for (var i = 0; i < 20; i++) {
      var written = chance.everything();
      var read = type.read(type.write(written));
      assertThat(Sameness.difference(written, read))
          .as("seed %d, value %d: %s", seed, i, written)
          .isNull();
      var old = new Json("{\"all\":" + type.write(written) + "}");
      assertThat(Sameness.difference(new Lifted(written), lifted.read(old, 1)))
          .as("lifted, seed %d, value %d: %s", seed, i, written)
          .isNull();
    }
  }

  @RepeatedTest(10)
  void text_is_read_back_as_it_was_or_refused_where_utf_8_cannot_say_it() {
    var seed = new Random().nextLong();
    var chance = new Chance(seed);
    var type = MAPPER.typeOf(Texts.class);
    for (var i = 0; i < 200; i++) {
      var written = new Texts(chance.units(), 'a', null, null, true, null);
      var bytes = written.text().getBytes(StandardCharsets.UTF_8);
      var isSayable = new String(bytes, StandardCharsets.UTF_8).equals(written.text());
      try {
        var json = type.write(written);
        var overTheWire =
            new String(json.text().getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
        assertThat(type.read(new Json(overTheWire))).as("seed %d", seed).isEqualTo(written);
        assertThat(isSayable).as("seed %d", seed).isTrue();
      } catch (UnwritablePayloadException refused) {
        assertThat(isSayable).as("seed %d, %s", seed, refused.getMessage()).isFalse();
        assertThat(refused)
            .hasMessageStartingWith("a Texts cannot be written: /text must not contain half");
      }
    }
  }

  record Tree(String name, List<Tree> children) {}

  record Loose(Object value, Map<String, Object> byName) {}

  record Scored(Map<Object, Integer> scores) {}

  record Nodes(JsonNode tree) {}

  private static Tree nested(int depth) {
    return depth == 0 ? new Tree("", List.of()) : new Tree("", List.of(nested(depth - 1)));
  }

  static Stream<Arguments> lost() {
    var twoHalves = Map.<String, Object>of("a\ud83d", 1);
    return Stream.of(
        Arguments.of(new Loose(UUID.randomUUID(), null), "Loose.value is not what it was"),
        Arguments.of(new Loose(Color.RED, null), "Loose.value is not what it was"),
        Arguments.of(new Loose(new Tree("a", null), null), "Loose.value is not what it was"),
        Arguments.of(
            new Loose(null, Map.of("at", Instant.EPOCH)), "Loose.byName{at} is not what it was"),
        Arguments.of(new Scored(Map.of(5, 1)), "Scored.scores is not what it was"),
        Arguments.of(
            new Loose(null, Map.of("n", BigInteger.TEN.pow(1_000))),
            "/byName/n must be a number of at most 1000 characters"),
        Arguments.of(nested(80), "must be nested at most 150 deep"),
        Arguments.of(new Loose("\udc00", null), "/value must not contain half of a surrogate pair"),
        Arguments.of(new Loose(null, twoHalves), "/byName/a\ufffd must not contain half"),
        Arguments.of(
            new Nodes(JsonNodeFactory.instance.objectNode().put("t", "\ud800x")),
            "/tree/t must not contain half"),
        Arguments.of(new Loose(new Json("\"\\uD800x\""), null), "/value must not contain half"),
        Arguments.of(new Loose(new Json("[1,\n2]"), null), "must have no line breaks"));
  }

  @ParameterizedTest
  @MethodSource
  void lost(Object value, String sentence) {
    var type = MAPPER.typeOf(value.getClass());
    assertThatThrownBy(() -> type.write(value))
        .isInstanceOf(UnwritablePayloadException.class)
        .hasMessageContaining(sentence);
  }

  @Test
  void numbers_in_open_components_keep_their_value_whatever_their_class() {
    var type = MAPPER.typeOf(Loose.class);
    var numbers = new ArrayList<Object>(List.of(5L, (byte) 5, 1.5f, 0.1d, new BigDecimal("7")));
    assertThat(type.write(new Loose(numbers, Map.of("n", 5L))).text())
        .isEqualTo("{\"value\":[5,5,1.5,0.1,7],\"byName\":{\"n\":5}}");
  }

  record Real(double d, Float f) {}

  @ParameterizedTest
  @ValueSource(doubles = {-0.0, Double.NaN, Double.NEGATIVE_INFINITY, Double.MIN_VALUE, 0.1, 1e300})
  void every_double_is_read_back(double d) {
    var type = MAPPER.typeOf(Real.class);
    var real = new Real(d, (float) d);
    assertThat(type.read(type.write(real))).isEqualTo(real);
  }

  record OnlyFirst(String text) {
    static int made;

    OnlyFirst {
      made++;
    }
  }

  @Test
  void values_of_a_type_that_is_certain_are_read_back_only_at_first() {
    var type = MAPPER.typeOf(OnlyFirst.class);
    var value = new OnlyFirst("a");
    for (var i = 0; i < 1_000; i++) {
      type.write(value);
    }
    var before = OnlyFirst.made;
    type.write(value);
    assertThat(OnlyFirst.made).isEqualTo(before).isLessThan(200);
  }

  @Test
  void what_others_read_is_only_looked_at_for_what_cannot_be_said() {
    assertThat(MAPPER.write(Map.of("at", Instant.EPOCH)).text())
        .isEqualTo("{\"at\":\"1970-01-01T00:00:00Z\"}");
    try {
      MAPPER.write(List.of("a", "b\ud800"));
      fail("was written");
    } catch (UnwritablePayloadException refused) {
      assertThat(refused.toRefusal("/metadata").violations().get(0).pointer())
          .isEqualTo("/metadata/1");
    }
  }
}
