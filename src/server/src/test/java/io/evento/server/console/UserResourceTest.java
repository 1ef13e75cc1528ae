package io.evento.server.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.security.Role;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code If-Match} says of roles. */
class UserResourceTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"operator,viewer\"",
        "\"viewer, operator\"",
        " operator,viewer ",
        "viewer,operator"
      })
  void roles_are_read_with_and_without_quotes_and_blanks(String header) {
    assertThat(UserResource.seen(header)).containsExactlyInAnyOrder(Role.VIEWER, Role.OPERATOR);
  }

  @Test
  void a_person_may_have_been_seen_without_roles() {
    assertThat(UserResource.seen("\"\"")).isEmpty();
  }

  @Test
  void a_star_stands_for_whatever_the_person_has() {
    assertThat(UserResource.seen("*")).isNull();
    assertThat(UserResource.seen(null)).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "W/\"viewer\"",
        "\"vieewer\"",
        "\"viewer\", \"operator\"",
        "viewer,",
        "\"*\"",
        ","
      })
  void what_names_no_roles_is_refused_and_not_taken_for_a_conflict(String header) {
    assertThatThrownBy(() -> UserResource.seen(header))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
              assertThat(told.violations().get(0).pointer()).isEqualTo("If-Match");
            });
  }
}
