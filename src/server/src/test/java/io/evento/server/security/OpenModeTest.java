package io.evento.server.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.server.config.ServerConfig;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OpenModeTest {
  private static final String OWN = "ws://127.0.0.1:8081/evento";

  private static OpenMode mode(String bind, String url, ServerConfig.Security security) {
    return new OpenMode(
        new ServerConfig(
            new ServerConfig.Node("node-1", bind, url, "test"),
            new ServerConfig.Database(
                "jdbc:postgresql://127.0.0.1/evento",
                "server",
                "",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                4,
                false),
            new ServerConfig.Link(7800, 7900),
            new ServerConfig.Http(List.of()),
            new ServerConfig.WebSocket(true),
            security));
  }

  private static OpenMode open() {
    return mode("127.0.0.1", OWN, ServerConfig.Security.OPEN);
  }

  @Test
  void nobody_is_let_in_before_all_was_looked_at() {
    var mode = open();
    assertThat(mode.letsEverybodyIn()).isFalse();
    assertThat(mode.refusal()).isPresent();
    mode.look(List.of(OWN), false);
    assertThat(mode.letsEverybodyIn()).isTrue();
    assertThat(mode.refusal()).isEmpty();
  }

  @Test
  void a_node_of_another_machine_ends_it_and_its_leaving_begins_it_again() {
    var mode = open();
    mode.look(List.of(OWN, "ws://10.0.0.2:8080/evento"), false);
    assertThat(mode.refusal()).hasValueSatisfying(why -> assertThat(why).contains("10.0.0.2"));
    mode.look(List.of(OWN, "ws://localhost:8082/evento"), false);
    assertThat(mode.letsEverybodyIn()).isTrue();
  }

  @Test
  void a_database_that_has_an_administrator_ends_it() {
    var mode = open();
    mode.look(List.of(OWN), true);
    assertThat(mode.letsEverybodyIn()).isFalse();
    assertThat(mode.refusal()).hasValueSatisfying(why -> assertThat(why).contains("administrator"));
  }

  @ParameterizedTest
  @CsvSource({
    "0.0.0.0,   ws://127.0.0.1:8080/evento, evento.node.bind",
    "10.0.0.1,  ws://127.0.0.1:8080/evento, evento.node.bind",
    "127.0.0.1, ws://node-1:8080/evento,    evento.node.url",
    "127.0.0.1, ws://10.0.0.1:8080/evento,  evento.node.url"
  })
  void a_node_that_other_machines_reach_is_never_open(String bind, String url, String key) {
    var mode = mode(bind, url, ServerConfig.Security.OPEN);
    assertThatThrownBy(mode::checkItself).hasMessageContaining(key);
    mode.look(List.of(url), false);
    assertThat(mode.letsEverybodyIn()).isFalse();
    var on = mode(bind, url, ServerConfig.Security.ON);
    on.checkItself();
    assertThat(on.refusal()).isEmpty();
    assertThat(on.letsEverybodyIn()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "[::1]", "0:0:0:0:0:0:0:1"})
  void these_are_this_machine(String host) {
    assertThat(OpenMode.isLoopback(host)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"127.0.0.1.example", "localhost.example", "::", "0.0.0.0", "1", "", "1::1", "127"})
  void these_are_not_or_may_not_be(String host) {
    assertThat(OpenMode.isLoopback(host)).isFalse();
  }
}
