package io.evento.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrintableTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\n", "\r", "\t", "\u0000", "\u001b", "\u007f", "\u0085", "\u2028", "\u2029", "\u202e"
      })
  void what_breaks_a_line_or_turns_its_order_is_a_space(String foreign) {
    assertThat(Printable.log("x" + foreign + "2026 SEVERE forged"))
        .isEqualTo("x 2026 SEVERE forged");
    assertThat(Printable.line("x" + foreign + "y")).isEqualTo("x y");
  }

  @Test
  void what_people_write_stays() {
    assertThat(Printable.log("Zoë said: 100 € — no «more»"))
        .isEqualTo("Zoë said: 100 € — no «more»");
  }

  @Test
  void a_log_tells_200_characters_and_a_row_500() {
    assertThat(Printable.log("x".repeat(1_000))).hasSize(200);
    assertThat(Printable.line("x".repeat(1_000))).hasSize(500);
    assertThat(Printable.log(null)).isEmpty();
  }

  @Test
  void a_row_may_keep_4000_characters_and_their_lines_and_nothing_else_that_is_no_text() {
    assertThat(Printable.lines("boom\n  at A\r\u0000\u202e")).isEqualTo("boom\n  at A   ");
    assertThat(Printable.lines("x".repeat(10_000))).hasSize(4_000);
  }
}
