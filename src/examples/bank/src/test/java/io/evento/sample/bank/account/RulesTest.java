package io.evento.sample.bank.account;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RulesTest {
  @ParameterizedTest
  @ValueSource(strings = {"a\u0000b", "\u0000", "a\nb", "a\u001fb", "a\u007f", "\u0085"})
  void text_that_a_read_model_cannot_hold_is_not_stored(String text) {
    assertThrows(IllegalArgumentException.class, () -> Rules.text("owner", text, 1));
  }

  @Test
  void text_of_any_language_is() {
    assertDoesNotThrow(() -> Rules.text("owner", "Zo\u00eb \u5c71 \ud83d\ude00", 1));
    assertDoesNotThrow(() -> Rules.text("reference", "", 0));
  }
}
