package io.evento.server.config;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DatabaseTlsTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "jdbc:postgresql://127.0.0.1:5432/evento",
        "jdbc:postgresql://localhost/evento?sslmode=disable",
        "jdbc:postgresql://127.0.0.1:1,127.0.0.2:2/evento",
        "jdbc:postgresql://[::1]:5432/evento",
        "jdbc:postgresql:evento",
        "jdbc:postgresql://db.example.com/evento?sslmode=verify-full",
        "jdbc:postgresql://a:1,b:2/evento?channelBinding=require&sslmode=verify-full",
      })
  void this_machine_and_hosts_that_prove_their_name_are_gone_to(String url) {
    assertThatCode(() -> DatabaseTls.require(url, "verify-full")).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "jdbc:postgresql://db.example.com/evento",
        "jdbc:postgresql://127.0.0.1,db/evento",
        "jdbc:postgresql://127.0.0.1.example.com/evento",
        "jdbc:postgresql://localhost.example.com:5432/evento",
        "jdbc:postgresql://db/evento?sslmode=require",
        "jdbc:postgresql://db/evento?sslmode=verify-ca",
        "jdbc:postgresql://db/evento?ApplicationName=sslmode=verify-full",
        "jdbc:postgresql://db/evento?sslmode=verify-full&sslmode=prefer",
        "jdbc:postgresql://db/evento?sslmode=verify-full&sslfactory=org.postgresql.ssl.NonValidatingFactory",
      })
  void another_host_is_refused_unless_something_else_protects_the_way(String url) {
    assertThatThrownBy(() -> DatabaseTls.require(url, "verify-full"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("evento.db.url must have sslmode=verify-full")
        .hasMessageContaining("evento.db.tls=elsewhere");
    assertThatCode(() -> DatabaseTls.require(url, "elsewhere")).doesNotThrowAnyException();
  }

  @Test
  void a_word_that_is_none_is_refused() {
    assertThatThrownBy(() -> DatabaseTls.require("jdbc:postgresql://127.0.0.1/evento", "off"))
        .hasMessage("evento.db.tls must be verify-full or elsewhere, is off");
  }
}
