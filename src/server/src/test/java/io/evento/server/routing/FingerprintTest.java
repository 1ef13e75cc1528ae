package io.evento.server.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FingerprintTest {
  @Nested
  class The_same_command {
    @ParameterizedTest
    @ValueSource(
        strings = {
          "{ \"b\" : [1, 2 ,{\"y\":1,\"x\":2}] , \"a\" : \"ä\" }",
          "{\"a\":\"\\u00e4\",\"b\":[1,2,{\"x\":2,\"y\":1}]}",
        })
    void may_differ_in_white_space_order_and_escapes(String written) {
      assertThat(hash(written)).isEqualTo(hash("{\"a\":\"ä\",\"b\":[1,2,{\"x\":2,\"y\":1}]}"));
    }
  }

  @Nested
  class Another_command {
    @ParameterizedTest
    @ValueSource(
        strings = {
          "{\"a\":\"1\"}",
          "{\"a\":1.0}",
          "{\"a\":2}",
          "{\"a\":[1]}",
          "{\"a\":null}",
          "{}",
          "{\"b\":1}",
          "{\"a\":1,\"b\":1}",
          "{\"a\":{\"a\":1}}",
          "{\"a\":true}"
        })
    void has_another_hash(String written) {
      assertThat(hash(written)).isNotEqualTo(hash("{\"a\":1}"));
    }

    @Test
    void is_one_of_another_type() {
      assertThat(Fingerprint.of("Other", new Json("{\"a\":1}"), null).hash())
          .isNotEqualTo(hash("{\"a\":1}"));
    }

    @Test
    void is_one_whose_list_is_in_another_order() {
      assertThat(hash("{\"a\":[1,2]}")).isNotEqualTo(hash("{\"a\":[2,1]}"));
    }
  }

  @Nested
  class Whom_it_concerns {
    @Test
    void stands_in_the_property_of_the_top_level_alone() {
      var print =
          Fingerprint.of(
              "T",
              new Json("{\"x\":{\"accountId\":\"inner\"},\"accountId\":\"a-1\"}"),
              "accountId");
      assertThat(print.subject()).isEqualTo("a-1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"accountId\":7}", "{\"accountId\":null}", "{\"x\":\"a\"}"})
    void must_be_a_text(String payload) {
      assertRefused(payload, "accountId", "/accountId");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "[]", "7", "\"text\"", "null", "{", "{\"a\":}", "{} {}", "{\"a\":01}"})
  void what_is_no_json_object_is_refused(String payload) {
    assertRefused(payload, null, "");
  }

  @Test
  void what_is_nested_too_deep_is_refused_and_one_level_less_is_not() {
    var deepest = Json.DEPTH_MAX;
    assertThat(hash(nested(deepest))).isEqualTo(hash(nested(deepest)));
    assertRefused(nested(deepest + 1), null, "");
    assertRefused("{\"a\":" + "[".repeat(deepest) + "]".repeat(deepest) + "}", null, "");
  }

  private static String nested(int depth) {
    return "{\"a\":".repeat(depth) + "1" + "}".repeat(depth);
  }

  @Test
  void long_names_around_a_long_list_cost_no_more_than_their_length() {
    var name = "n".repeat(40_000);
    var payload =
        ("{\"" + name + "\":").repeat(10) + "[1" + ",1".repeat(250_000) + "]" + "}".repeat(10);
    assertTimeoutPreemptively(Duration.ofSeconds(10), () -> hash(payload));
  }

  @Test
  void a_property_that_is_there_twice_is_refused_by_its_pointer() {
    assertRefused("{\"a\":{\"b\":1,\"b\":2}}", null, "/a/b");
  }

  private static long hash(String payload) {
    return Fingerprint.of("T", new Json(payload), null).hash();
  }

  private static void assertRefused(String payload, @Nullable String idProperty, String pointer) {
    assertThatThrownBy(() -> Fingerprint.of("T", new Json(payload), idProperty))
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> {
              assertThat(refused.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
              assertThat(refused.violations().get(0).pointer()).isEqualTo(pointer);
            });
  }
}
