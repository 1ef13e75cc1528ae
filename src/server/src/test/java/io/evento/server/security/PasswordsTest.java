package io.evento.server.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.EventoException;
import org.junit.jupiter.api.Test;

class PasswordsTest {
  @Test
  void a_password_is_known_again_and_no_other_one() {
    var kept = Passwords.keep("correct horse battery");
    assertThat(kept).startsWith("600000:").doesNotContain("horse");
    assertThat(Passwords.matches(kept, "correct horse battery")).isTrue();
    assertThat(Passwords.matches(kept, "correct horse batterz")).isFalse();
  }

  @Test
  void letters_of_all_alphabets_count() {
    var kept = Passwords.keep("пароль-пароль-1");
    assertThat(Passwords.matches(kept, "пароль-пароль-1")).isTrue();
    assertThat(Passwords.matches(kept, "парожь-пароль-1")).isFalse();
  }

  @Test
  void a_short_or_endless_password_is_refused_and_what_is_kept_otherwise_matches_nothing() {
    assertThatThrownBy(() -> Passwords.check("/password", "x".repeat(11)))
        .isInstanceOf(EventoException.class)
        .hasMessage("/password must have 12 to 200 characters");
    assertThat(Passwords.check("/password", "x".repeat(12))).hasSize(12);
    assertThatThrownBy(() -> Passwords.check("/password", "x".repeat(201)))
        .isInstanceOf(EventoException.class);
    assertThat(Passwords.matches("", "x".repeat(12))).isFalse();
  }
}
