package io.evento.server.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NameMatchTest {
  @ParameterizedTest
  @CsvSource({
    "OrderPlaced, OrderPlaced, 4",
    "orderplaced, OrderPlaced, 4",
    "Order, OrderPlaced, 3",
    "OPl, OrderPlaced, 2",
    "OrdPla, OrderPlaced, 2",
    "order pl, OrderPlaced, 2",
    "LaDe, large-deposits, 2",
    "OP9, OrderPlaced99, 2",
    "placed, OrderPlaced, 1",
    "OPx, OrderPlaced, 0",
    "PO, OrderPlaced, 0",
    "a.*b, OrderPlaced, 0",
    "O(, OrderPlaced, 0"
  })
  void parts_of_a_name_find_it_and_the_better_fit_comes_first(
      String typed, String name, int score) {
    assertThat(new NameMatch(typed).score(name)).isEqualTo(score);
  }
}
