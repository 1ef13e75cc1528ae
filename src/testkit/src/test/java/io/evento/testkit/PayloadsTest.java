package io.evento.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.Json;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The test kit tells apart what a store would. */
@NullUnmarked
class PayloadsTest {
  record Said(String text, Object more) {}

  private static Json number(String written) {
    return new Json("{\"n\":[" + written + "]}");
  }

  @ParameterizedTest
  @CsvSource({
    "1.10, 1.10, true",
    "1.10, 1.1, false",
    "0.1234567890123456789, 0.12345678901234568, false",
    "12345678901234567890.12345, 12345678901234567890.12346, false",
    "1E+3, 1E+3, true",
    "1E+3, 1000.0, false",
    "1E+1000000000, 1E+999999999, false",
    "7, 7, true",
    "123456789012345678901234567890, 123456789012345678901234567891, false",
  })
  void numbers_are_the_same_if_they_are_written_the_same(String one, String other, boolean same) {
    assertThat(Payloads.same(number(one), number(other))).isEqualTo(same);
  }

  @Test
  void a_decimal_is_shown_as_it_was_written() {
    var shown = Payloads.show("Paid", new Json("{\"n\":1.10,\"t\":\"" + "x".repeat(100) + "\"}"));
    assertThat(shown).contains("\"n\" : 1.10");
  }

  @Test
  void what_a_bundle_could_not_write_cannot_be_given() {
    var payloads = new Payloads();
    payloads.leaveOut(Check.ROUND_TRIP);
    assertThatThrownBy(() -> payloads.write(new Said("a\ud800", null)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("a Said cannot be written: /text must not contain half");
    assertThatThrownBy(() -> payloads.write(new Said("a", Check.REPEAT)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("Said.more is not what it was");
  }
}
