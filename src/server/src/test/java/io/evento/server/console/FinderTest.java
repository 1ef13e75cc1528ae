package io.evento.server.console;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which names a few letters mean, and which of them first. */
class FinderTest {
  @ParameterizedTest
  @CsvSource({
    "OrderPlaced, orderplaced, 4",
    "OrderPlaced, order, 3",
    "OrderPlaced, OPl, 2",
    "OrderPlaced, OrPl, 2",
    "PastOrderPlaced, OPl, 2",
    "OrderPlaced, OrPx, 0",
    "OrderPlaced, Pla, 1",
    "OrderPlaced, pl, 0",
    "OrderPlaced, '(', 0",
    "OrderPlaced, .*, 0"
  })
  void a_name_is_the_better_the_more_of_it_was_said(String name, String text, int score) {
    assertThat(Finder.score(name, text, Finder.humps(text))).isEqualTo(score);
  }
}
