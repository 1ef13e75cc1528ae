package io.evento.server.consumer.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.consumer.Events;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AssociationTest {
  private static final String EVENT =
      "{\"id\":\"t-1\",\"n\":17,\"yes\":true,\"none\":null,\"in\":{\"a/b\":{\"~\":\"deep\"}},"
          + "\"list\":[{\"id\":\"first\"},{\"id\":\"second\"}]}";

  @ParameterizedTest
  @CsvSource({
    "/id, t-1",
    "/n, 17",
    "/yes, true",
    "/in/a~1b/~0, deep",
    "/list/1/id, second",
  })
  void a_pointer_finds_the_key(String pointer, String key) {
    assertThat(key(pointer, EVENT)).isEqualTo(key);
  }

  @ParameterizedTest
  @CsvSource({"/none", "/in", "/list", "/missing", "/id/further", "/list/2/id", "/list/x/id"})
  void what_is_missing_null_or_no_single_value_is_no_key(String pointer) {
    assertThat(key(pointer, EVENT)).isNull();
  }

  @Test
  void without_a_pointer_the_key_is_the_aggregates_id() {
    assertThat(new Association("").key(Events.event(1, "a-1"))).isEqualTo("a-1");
  }

  @Test
  void a_key_that_no_row_can_hold_becomes_one_that_it_can() {
    var atLimit = "k".repeat(Association.KEY_CHARS_MAX);
    assertThat(key("/id", "{\"id\":\"" + atLimit + "\"}")).isEqualTo(atLimit);
    var beyond = key("/id", "{\"id\":\"" + atLimit + "k\"}");
    assertThat(beyond).startsWith("sha256:").hasSize(71);
    assertThat(key("/id", "{\"id\":\"a\\u0000b\"}")).startsWith("sha256:").isNotEqualTo(beyond);
  }

  private static @Nullable String key(String pointer, String payload) {
    return new Association(pointer).key(Events.event(1, "a-1", "MoneyDeposited", "bank", payload));
  }
}
