package io.evento.server.eventstore.follow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.eventstore.Epochs;
import io.evento.server.eventstore.Epochs.Epoch;
import io.evento.server.eventstore.StorePosition;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A number names an event only together with the life of the store that it was seen in. */
class SeenPositionTest {
  private static final UUID FIRST = new UUID(0, 1);
  private static final UUID SECOND = new UUID(0, 2);
  private static final UUID THIRD = new UUID(0, 3);
  private static final Epochs LIVES =
      new Epochs(List.of(new Epoch(FIRST, 0), new Epoch(SECOND, 100), new Epoch(THIRD, 250)));

  @ParameterizedTest
  @CsvSource({"1,100", "1,0", "2,250", "3,251", "3,9000"})
  void up_to_where_the_next_life_starts_it_names_what_it_named(int life, long position) {
    var seen = new SeenPosition(position, new UUID(0, life));
    assertThat(seen.in(LIVES)).isEqualTo(new StorePosition(THIRD, position));
  }

  @ParameterizedTest
  @CsvSource({"1,101,100", "1,260,100", "2,251,250"})
  void above_it_names_nothing_and_its_reader_hears_where_to_go_on(
      int life, long position, long resume) {
    var seen = new SeenPosition(position, new UUID(0, life));
    assertThatThrownBy(() -> seen.in(LIVES))
        .isInstanceOfSatisfying(
            EpochOverException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.CONFLICT);
              assertThat(told.detail()).contains(String.valueOf(seen.epoch()));
              assertThat(told.resume()).isEqualTo(new StorePosition(THIRD, resume));
            });
  }

  @Test
  void of_a_life_that_the_store_never_had_nothing_is_known() {
    assertThatThrownBy(() -> new SeenPosition(1, new UUID(0, 9)).in(LIVES))
        .isInstanceOfSatisfying(
            EpochOverException.class,
            told -> assertThat(told.resume()).isEqualTo(new StorePosition(THIRD, 0)));
  }

  @Test
  void without_a_life_it_is_of_the_present_one() {
    assertThat(new SeenPosition(101, null).in(LIVES)).isEqualTo(new StorePosition(THIRD, 101));
  }

  @Test
  void it_is_read_as_the_store_writes_it_and_as_a_bare_number() {
    var told = new StorePosition(SECOND, 1017);
    assertThat(SeenPosition.parse("after", told.text())).isEqualTo(new SeenPosition(1017, SECOND));
    assertThat(SeenPosition.parse("after", "1017")).isEqualTo(new SeenPosition(1017, null));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-1",
        "+1",
        "1.0",
        "1e3",
        " 1",
        "1@",
        "@",
        "1@1-1-1-1-1",
        "99999999999999999999",
        "1@00000000-0000-0000-0000-00000000000g",
        "1 @00000000-0000-0000-0000-000000000001",
        "\u0661"
      })
  void what_is_of_neither_form_is_refused_by_its_name(String text) {
    assertThatThrownBy(() -> SeenPosition.parse("Last-Event-ID", text))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> assertThat(told.violations().get(0).pointer()).isEqualTo("Last-Event-ID"));
  }
}
