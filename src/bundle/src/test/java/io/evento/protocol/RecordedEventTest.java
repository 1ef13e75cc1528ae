package io.evento.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordedEventTest {

  @Test
  void a_time_is_read_as_the_jdk_reads_it() {
    var random = new Random(7);
    for (var i = 0; i < 20_000; i++) {
      var time =
          Instant.ofEpochSecond(random.nextLong(7_000_000_000L), random.nextInt(1_000_000_000))
              .truncatedTo(ChronoUnit.MICROS);
      var text = time.toString();
      var micros = "%06d".formatted(time.getNano() / 1_000);
      var written = text.substring(0, "2026-01-31T23:59:59".length()) + "." + micros + "Z";
      assertThat(at(written)).as(written).isEqualTo(time);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2026-01-31T23:59:59Z",
        "2026-01-31T23:59:59.5Z",
        "2024-02-29T00:00:00.000001Z",
        "2026-12-31T24:00:00Z"
      })
  void other_forms_are_read_too(String text) {
    assertThat(at(text)).isEqualTo(Instant.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2026-02-29T00:00:00.000000Z",
        "2026-13-01T00:00:00.000000Z",
        "2026-00-01T00:00:00.000000Z",
        "2026-01-00T00:00:00.000000Z",
        "2026-01-01T25:00:00.000000Z",
        "2026-01-01T00:60:00.000000Z",
        "2026-01-01T00:00:61.000000Z",
        "2026-01-01 00:00:00.000000Z",
        "2026-01-01T00:00:00.00000xZ",
        ""
      })
  void what_is_no_time_is_refused(String text) {
    assertThatThrownBy(() -> at(text)).isInstanceOf(DateTimeParseException.class);
  }

  private static Instant at(String time) {
    var id = UUID.randomUUID();
    return new RecordedEvent(
            1,
            new RecordedEvent.Stream("Account", "a-1"),
            1,
            "MoneyDeposited",
            "bank",
            time,
            id,
            id.toString(),
            null,
            Json.EMPTY_OBJECT,
            Json.EMPTY_OBJECT)
        .instant();
  }
}
