package io.evento.bundle.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.api.Upcaster;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Decimals keep value and scale on every way through the mapper. */
class DecimalsTest {
  private final PayloadMapper mapper = new PayloadMapper();

  @PayloadVersion(2)
  record ByTree(BigDecimal amount, String note) {
    @Upcaster(from = 1)
    static ObjectNode noted(ObjectNode old) {
      return old.put("note", "old");
    }
  }

  @PayloadVersion(4)
  record ByAll(BigDecimal amount, int step) {
    record V1(JsonNode amount) {}

    record V3(BigDecimal amount) {}

    @Upcaster(from = 1)
    static ObjectNode first(V1 old) {
      return new PayloadMapper().jackson().createObjectNode().set("amount", old.amount());
    }

    @Upcaster(from = 2)
    static V3 second(ObjectNode old) {
      return new V3(old.get("amount").decimalValue());
    }

    @Upcaster(from = 3)
    static ObjectNode third(V3 old) {
      return new PayloadMapper()
          .jackson()
          .createObjectNode()
          .put("step", 3)
          .put("amount", old.amount());
    }
  }

  record Open(Object any, Map<String, Object> byName, JsonNode tree, List<Object> list) {}

  @ParameterizedTest
  @ValueSource(
      strings = {
        "12345678901234567890.12345",
        "0.1234567890123456789",
        "1.10",
        "1E+3",
        "-0.00",
        "1E-400",
        "9.99E+500",
        "1E+1000000000",
        "1E-1000000000",
      })
  void a_decimal_is_read_as_it_is_written(String written) {
    var exact = new BigDecimal(written);
    var lifted = mapper.typeOf(ByTree.class).read(new Json("{\"amount\":" + written + "}"), 1);
    assertThat(lifted).isEqualTo(new ByTree(exact, "old"));
    for (var from = 1; from <= 4; from++) {
      var json = new Json("{\"amount\":" + written + ",\"step\":3}");
      assertThat(mapper.typeOf(ByAll.class).read(json, from))
          .as("from version %d", from)
          .isEqualTo(new ByAll(exact, 3));
    }
    assertThat(mapper.readMap(new Json("{\"n\":" + written + ",\"l\":[" + written + "]}")))
        .isEqualTo(Map.of("n", exact, "l", List.of(exact)));
    var open = mapper.typeOf(Open.class);
    var text =
        "{\"any\":#,\"byName\":{\"n\":#},\"tree\":{\"n\":#},\"list\":[#]}"
            .replace("#", exact.toString());
    var read = (Open) open.read(new Json(text));
    assertThat(read.any()).isEqualTo(exact);
    assertThat(read.byName()).isEqualTo(Map.of("n", exact));
    assertThat(read.tree().get("n").decimalValue()).isEqualTo(exact);
    assertThat(read.list()).isEqualTo(List.of(exact));
    assertThat(open.write(read).text()).isEqualTo(text);
    assertThat(mapper.write(Map.of("n", exact)).text()).isEqualTo("{\"n\":" + exact + "}");
  }

  record Whole(Long l, BigInteger big, int i) {}

  @ParameterizedTest
  @ValueSource(strings = {"l", "big", "i"})
  void an_exponent_is_never_written_out_where_a_whole_number_is_wanted(String component) {
    for (var number : List.of("1E+1000000000", "1E-1000000000", "1.0")) {
      var json = new Json("{\"i\":1}".replace("}", ",\"" + component + "\":" + number + "}"));
      assertThatThrownBy(() -> mapper.typeOf(Whole.class).read(json))
          .isInstanceOf(EventoException.class)
          .hasMessageMatching("/" + component + " must be a (whole )?number that fits.*");
    }
  }

  @Test
  void metadata_with_a_number_that_no_decimal_can_hold_fails_nobody() {
    assertThat(mapper.readMap(new Json("{\"n\":1E+99999999999,\"t\":\"a\"}")))
        .isEqualTo(Map.of("n", Double.POSITIVE_INFINITY, "t", "a"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"9223372036854775808", "123456789012345678901234567890", "-7"})
  void a_whole_number_of_any_size_is_read_as_it_is_written(String written) {
    var read = mapper.readMap(new Json("{\"n\":" + written + "}")).get("n");
    assertThat(new BigInteger(String.valueOf(read))).isEqualTo(new BigInteger(written));
    assertThat(mapper.write(Map.of("n", new BigInteger(written))).text())
        .isEqualTo("{\"n\":" + written + "}");
    assertThat(mapper.typeOf(ByTree.class).read(new Json("{\"amount\":" + written + "}"), 1))
        .isEqualTo(new ByTree(new BigDecimal(written), "old"));
  }
}
