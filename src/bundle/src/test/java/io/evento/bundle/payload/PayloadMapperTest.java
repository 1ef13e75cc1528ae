package io.evento.bundle.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.TypeName;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Violation;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PayloadMapperTest {
  enum Color {
    RED,
    BLUE
  }

  record Line(String text, int count) {
    Line {
      if (count < 1) {
        throw new IllegalArgumentException("count must be 1 or more");
      }
    }
  }

  @TypeName("place-order")
  record Order(
      @AggregateId UUID order,
      long amount,
      boolean gift,
      Color color,
      Instant at,
      List<Line> lines) {}

  record TwoIds(@AggregateId String a, @AggregateId String b) {}

  record NumericId(@AggregateId long id) {}

  @TypeName("no spaces")
  record BadName() {}

  private final PayloadMapper mapper = new PayloadMapper();
  private final PayloadType order = mapper.typeOf(Order.class);

  private static final String GOOD =
      "{\"order\":\"0190a0b0-0000-7000-8000-000000000001\",\"amount\":5,\"gift\":true,"
          + "\"color\":\"RED\",\"at\":\"2026-01-31T10:15:30.123456Z\","
          + "\"lines\":[{\"text\":\"a\",\"count\":2}]}";

  private void assertRefused(String json, String pointer, String rule) {
    assertThatThrownBy(() -> order.read(new Json(json)))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
              assertThat(told.violations()).containsExactly(new Violation(pointer, rule));
            });
  }

  @Test
  void a_record_is_read_as_it_was_written() {
    var read = order.read(new Json(GOOD));
    assertThat(order.write(read).text()).isEqualTo(GOOD);
    assertThat(order.name()).isEqualTo("place-order");
    assertThat(order.idProperty()).isEqualTo("order");
    assertThat(order.aggregateId(read)).isEqualTo("0190a0b0-0000-7000-8000-000000000001");
  }

  @Test
  void unknown_fields_are_ignored() {
    assertThat(order.read(new Json("{\"later\":{}," + GOOD.substring(1))))
        .isEqualTo(order.read(new Json(GOOD)));
  }

  @Test
  void a_missing_reference_is_null() {
    assertThat(((Order) order.read(new Json(GOOD.replace("\"color\":\"RED\",", "")))).color())
        .isNull();
  }

  @Test
  void a_missing_primitive_is_refused() {
    assertRefused(GOOD.replace("\"amount\":5,", ""), "/amount", "is required");
    assertRefused(GOOD.replace("\"count\":2", "\"x\":2"), "/lines/0/count", "is required");
  }

  @Test
  void null_is_no_primitive() {
    assertRefused(GOOD.replace("\"amount\":5", "\"amount\":null"), "/amount", "is required");
  }

  @Test
  void text_is_no_number_and_a_number_no_text() {
    assertRefused(
        GOOD.replace("\"amount\":5", "\"amount\":\"5\""),
        "/amount",
        "must be a whole number that fits 64 bits");
    assertRefused(
        GOOD.replace("\"amount\":5", "\"amount\":5.5"),
        "/amount",
        "must be a whole number that fits 64 bits");
    assertRefused(
        GOOD.replace("\"text\":\"a\"", "\"text\":1"), "/lines/0/text", "must be a string");
  }

  @Test
  void an_unknown_constant_is_told_the_known_ones() {
    assertRefused(GOOD.replace("RED", "GREEN"), "/color", "must be one of RED, BLUE");
  }

  @Test
  void a_refusal_of_the_constructor_counts_as_invalid() {
    assertRefused(
        GOOD.replace("\"count\":2", "\"count\":0"), "/lines/0", "count must be 1 or more");
  }

  @Test
  void a_malformed_time_is_refused() {
    assertRefused(
        GOOD.replace("2026-01-31T", "2026-01-32T"), "/at", "must be a string of the right form");
  }

  @Test
  void anything_but_an_object_is_refused() {
    assertRefused("null", "", "must be a JSON object");
    assertRefused("[]", "", "must be an object that fits the schema");
    assertRefused(GOOD + " {}", "", "must be an object that fits the schema");
    assertRefused("{", "", "must be well-formed JSON");
  }

  @Test
  void ids_and_names_are_checked() {
    assertThatThrownBy(() -> mapper.typeOf(TwoIds.class))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining("more than one @AggregateId");
    assertThatThrownBy(() -> mapper.typeOf(NumericId.class))
        .hasMessageContaining("must be on a String or UUID");
    assertThatThrownBy(() -> mapper.typeOf(BadName.class))
        .hasMessageContaining("give another with @TypeName");
    assertThatThrownBy(() -> mapper.typeOf(String.class)).hasMessageContaining("must be a record");
  }
}
