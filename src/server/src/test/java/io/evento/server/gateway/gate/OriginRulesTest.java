package io.evento.server.gateway.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whose requests are taken, by the names that they carry. */
class OriginRulesTest {
  private final OriginRules rules = new OriginRules(List.of("Evento.example.com"), false);

  private void isRefused(@Nullable String host, @Nullable String origin, @Nullable String site) {
    assertThatThrownBy(() -> rules.check(host, origin, site))
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.FORBIDDEN));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1:8081",
        "10.1.2.3",
        "[::1]:8080",
        "localhost:8080",
        "LOCALHOST",
        "node-1:8080",
        "evento.example.com",
        "EVENTO.example.com:443"
      })
  void a_host_that_no_stranger_can_own_or_that_the_operator_named_is_taken(String host) {
    assertThatCode(() -> rules.check(host, null, null)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "attacker.example",
        "127.0.0.1.attacker.example:8081",
        "localhost.attacker.example",
        "evento.example.com.attacker.example",
        "evento.example.com:443:80",
        "a b",
        "localhost.",
        "[::1",
        ":8080",
        ""
      })
  void a_host_that_a_stranger_can_own_is_refused(String host) {
    isRefused(host, null, null);
  }

  @Test
  void a_browser_says_the_host_and_only_a_program_may_leave_it_out() {
    isRefused(null, "http://127.0.0.1", null);
    isRefused(null, null, "same-origin");
    assertThatCode(() -> rules.check(null, null, null)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:8081, http://127.0.0.1:8081",
    "localhost:8080, HTTP://LocalHost:8080",
    "evento.example.com, https://evento.example.com",
    "evento.example.com:443, https://evento.example.com",
    "evento.example.com:80, http://evento.example.com"
  })
  void a_page_of_the_site_that_is_asked_is_taken(String host, String origin) {
    assertThatCode(() -> rules.check(host, origin, "same-origin")).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://attacker.example",
        "http://127.0.0.1:9000",
        "http://127.0.0.1",
        "http://127.0.0.1:8081.attacker.example",
        "null",
        "",
        "127.0.0.1:8081"
      })
  void a_page_of_another_site_is_refused(String origin) {
    isRefused("127.0.0.1:8081", origin, null);
  }

  @Test
  void what_a_browser_calls_cross_site_is_refused_even_without_an_origin() {
    isRefused("127.0.0.1:8081", null, "cross-site");
  }

  @ParameterizedTest
  @ValueSource(strings = {"node-1:8080", "10.1.2.3", "evento.example.com", "[::2]", "0.0.0.0"})
  void a_node_that_is_open_is_asked_by_names_of_its_own_machine_alone(String host) {
    var open = new OriginRules(List.of("evento.example.com"), true);
    assertThatCode(() -> open.check("localhost:8080", null, null)).doesNotThrowAnyException();
    assertThatThrownBy(() -> open.check(host, null, null))
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.FORBIDDEN));
  }
}
