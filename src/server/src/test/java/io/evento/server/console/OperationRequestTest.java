package io.evento.server.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What administration doors take, and what they do not guess. */
class OperationRequestTest {
  record Person(@Nullable String name, @Nullable List<String> roles) {}

  private static Person read(String body) throws IOException {
    return OperationRequest.body(
        Person.class, new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)));
  }

  @ParameterizedTest
  @CsvSource({
    "'{\"name\":\"a\\u0000b\"}', /name",
    "'{\"name\":\"a\",\"roles\":[\"x\",\"\\u0000\"]}', /roles/1"
  })
  void a_text_that_no_row_can_have_is_refused_by_its_place(String body, String pointer) {
    assertThatThrownBy(() -> read(body))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
              assertThat(told.violations().get(0).pointer()).isEqualTo(pointer);
            });
  }

  @Test
  void a_backslash_before_it_makes_it_text() throws IOException {
    assertThat(read("{\"name\":\"a\\\\u0000b\"}").name()).isEqualTo("a\\u0000b");
  }

  @Test
  void nothing_but_true_and_false_says_whether_an_operation_is_done() {
    assertThat(OperationRequest.isDry(null)).isFalse();
    assertThat(OperationRequest.isDry("false")).isFalse();
    assertThat(OperationRequest.isDry("true")).isTrue();
    for (var given : List.of("1", "0", "", "yes", "True", "TRUE", " true")) {
      assertThatThrownBy(() -> OperationRequest.isDry(given))
          .as(given)
          .isInstanceOf(EventoException.class)
          .hasMessageContaining("must be true or false");
    }
  }

  @Test
  void times_are_of_years_that_the_database_knows() {
    assertThat(OperationRequest.time("from", null)).isNull();
    for (var given : List.of("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999+01:00")) {
      assertThat(OperationRequest.time("from", given)).isEqualTo(OffsetDateTime.parse(given));
    }
    for (var given :
        List.of(
            "+999999999-12-31T00:00:00Z", "-0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "")) {
      assertThatThrownBy(() -> OperationRequest.time("from", given))
          .as(given)
          .isInstanceOf(EventoException.class)
          .hasMessageContaining("of the years 1 to 9999");
    }
  }
}
