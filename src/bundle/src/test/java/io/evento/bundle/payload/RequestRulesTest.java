package io.evento.bundle.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonAlias;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** What a command or query must be. */
@NullUnmarked
class RequestRulesTest {
  @Retention(RetentionPolicy.RUNTIME)
  @interface Nullable {}

  record Seat(int row, String place) {}

  record Order(
      String orderId,
      @Nullable String discountCode,
      @org.jspecify.annotations.Nullable String note,
      @JsonAlias("places") List<Seat> seats,
      int amount) {
    /** Written with the order, and read by nobody. */
    public boolean isLarge() {
      return amount > 10;
    }
  }

  @JsonIgnoreProperties(ignoreUnknown = true)
  record Tolerant(String orderId) {}

  record Page(int limit, String after) {
    Page {
      after = after == null ? "" : after;
    }
  }

  record Strict(String text) {
    Strict {
      text = text.strip();
    }
  }

  private final PayloadType order = new PayloadMapper().typeOf(Order.class);

  private static final String GOOD =
      "{\"orderId\":\"o\",\"seats\":[{\"row\":1,\"place\":\"a\"}],\"amount\":1}";

  private void assertRefused(String json, String pointer, String rule) {
    assertThatThrownBy(() -> order.readRequest(new Json(json), null))
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> {
              assertThat(refused.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
              assertThat(refused.violations().get(0).pointer()).isEqualTo(pointer);
              assertThat(refused.violations().get(0).rule()).isEqualTo(rule);
            });
  }

  @Test
  void what_is_nullable_may_be_left_out_and_all_else_is_there() {
    assertThat(order.readRequest(new Json(GOOD), null))
        .isEqualTo(new Order("o", null, null, List.of(new Seat(1, "a")), 1));
  }

  @Test
  void a_field_that_is_not_known_is_refused_and_the_nearest_one_is_named() {
    assertRefused(
        GOOD.replace("{\"orderId\"", "{\"discountcode\":\"HALF\",\"orderId\""),
        "/discountcode",
        "is not known: did you mean discountCode?");
    assertRefused(
        GOOD.replace("{\"row\":1", "{\"colour\":1,\"row\":1"), "/seats/0/colour", "is not known");
  }

  @Test
  void what_is_missing_or_null_is_named_by_its_pointer() {
    assertRefused(GOOD.replace("\"orderId\":\"o\",", ""), "/orderId", "is required");
    assertRefused(GOOD.replace("\"o\"", "null"), "/orderId", "is required");
    assertRefused(GOOD.replace(",\"place\":\"a\"", ""), "/seats/0/place", "is required");
  }

  @Test
  void what_a_constructor_gives_a_value_to_may_be_left_out() {
    var page = new PayloadMapper().typeOf(Page.class);
    assertThat(page.readRequest(new Json("{\"limit\":1}"), null)).isEqualTo(new Page(1, ""));
  }

  @Test
  void a_null_that_its_constructor_trips_over_is_named() {
    var strict = new PayloadMapper().typeOf(Strict.class);
    assertThatThrownBy(() -> strict.readRequest(new Json("{}"), null))
        .hasMessage("/text is required");
  }

  @Test
  void what_its_own_methods_write_and_other_names_are_known() {
    var written = order.write(new Order("o", null, null, List.of(), 11));
    assertThat(written.text()).contains("large");
    assertThat(order.readRequest(written, null)).isNotNull();
    assertThat(order.readRequest(new Json(GOOD.replace("\"seats\"", "\"places\"")), null))
        .isNotNull();
  }

  @Test
  void a_record_may_say_that_it_takes_what_it_does_not_know() {
    var tolerant = new PayloadMapper().typeOf(Tolerant.class);
    assertThat(tolerant.readRequest(new Json("{\"orderId\":\"o\",\"more\":1}"), null))
        .isEqualTo(new Tolerant("o"));
    assertThat(tolerant.requestSchema().text()).doesNotContain("additionalProperties");
  }

  @Test
  void events_and_states_are_read_as_they_were_stored() {
    assertThat(order.read(new Json("{\"amount\":1,\"more\":2}")))
        .isEqualTo(new Order(null, null, null, null, 1));
  }

  @Test
  void the_schema_says_the_same() {
    assertThat(order.requestSchema().text())
        .contains("\"required\":[\"orderId\",\"seats\",\"amount\"],\"additionalProperties\":false")
        .contains("\"required\":[\"row\",\"place\"],\"additionalProperties\":false");
    assertThat(order.schema().text())
        .contains("\"required\":[\"amount\"]")
        .doesNotContain("additionalProperties");
  }
}
