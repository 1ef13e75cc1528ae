package io.evento.server.routing.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Names that callers make up leave those of bundles their places. */
class AppendedTypesTest {
  private final AppendedTypes types = new AppendedTypes("Opened"::equals);

  @Test
  void ten_thousand_invented_types_get_a_few_places_and_a_declared_one_has_its_own() {
    var apart =
        IntStream.range(0, 10_000).filter(i -> types.handler("Invented" + i) != null).count();
    assertThat(apart).isEqualTo(AppendedTypes.UNDECLARED_MAX);
    assertThat(types.handler("Opened")).isEmpty();
  }

  @Test
  void an_undeclared_type_that_came_early_keeps_its_place() {
    IntStream.range(0, 10_000).forEach(i -> types.handler("Program" + i));
    assertThat(types.handler("Program0")).isEmpty();
    assertThat(types.handler("Program9999")).isNull();
  }
}
