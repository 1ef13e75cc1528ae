package io.evento.bundle.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.EventoException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DecisionTest {
  @Test
  void events_are_kept_in_order() {
    assertThat(Decision.accept("a", "b"))
        .isEqualTo(new Decision.Accepted<>(List.of("a", "b"), null));
    assertThat(Decision.accept(List.of("a"))).isEqualTo(Decision.accept("a"));
  }

  @Test
  void a_reply_may_have_no_events() {
    assertThat(Decision.<String>reply(17)).isEqualTo(new Decision.Accepted<String>(List.of(), 17));
  }

  @Test
  void nothing_to_do_has_neither_events_nor_value() {
    assertThat(Decision.<String>nothing()).isEqualTo(Decision.accept(List.<String>of()));
  }

  @Test
  void a_rejection_names_its_details() {
    assertThat(Decision.<String>reject("insufficient-funds", "balance", 17L, "limit", 5))
        .isEqualTo(
            new Decision.Rejected<String>(
                "insufficient-funds", "", Map.of("balance", 17L, "limit", 5)));
  }

  @Test
  void a_detail_without_value_is_refused() {
    assertThatThrownBy(() -> Decision.reject("x", "balance"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a value for each name");
  }

  @Test
  void a_rejection_without_code_is_refused() {
    assertThatThrownBy(() -> Decision.reject(" ")).isInstanceOf(EventoException.class);
  }
}
