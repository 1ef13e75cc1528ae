package io.evento.scenario;

import static io.evento.scenario.fixture.Problems.TOO_BIG;
import static io.evento.scenario.fixture.Problems.isError;
import static org.assertj.core.api.Assertions.assertThat;

import io.evento.launcher.Member;
import io.evento.protocol.ErrorCode;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Wire;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Messages that cannot be read or are too large, at the door for bundles. */
class WireProblemsIT {

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private static Bank bank;

  @BeforeAll
  static void an_account() throws Exception {
    bank = Bank.account(cluster);
  }

  private static Member node() {
    return cluster.node(1);
  }

  /** A message that cannot be read, and the pointer to what is wrong with it. */
  record Unreadable(String what, String line, String pointer) {
    @Override
    public String toString() {
      return what;
    }
  }

  static Stream<Unreadable> unreadable() {
    var id = UUID.randomUUID();
    return Stream.of(
        new Unreadable("half of a message", "{\"t\":\"command\",", ""),
        new Unreadable("no JSON", "hello", "/t"),
        new Unreadable("a list", "[]", "/t"),
        new Unreadable("an unknown kind", "{\"t\":\"nonsense\"}", "/t"),
        new Unreadable("no kind", "{\"id\":\"" + id + "\"}", "/t"),
        new Unreadable(
            "a second hello",
            "{\"t\":\"hello\",\"bundle\":\"b\",\"instance\":\"" + id + "\"}",
            "/t"),
        new Unreadable("a kind that nodes send", "{\"t\":\"welcome\",\"node\":\"n\"}", "/t"),
        new Unreadable(
            "a command without id",
            "{\"t\":\"command\",\"type\":\"Deposit\",\"deadline\":1000,\"p\":{}}",
            "/id"),
        new Unreadable(
            "a command with a wrong id",
            "{\"t\":\"command\",\"id\":\"7\",\"type\":\"Deposit\",\"deadline\":1000,\"p\":{}}",
            "/id"),
        new Unreadable(
            "a command without payload",
            "{\"t\":\"command\",\"id\":\"" + id + "\",\"type\":\"Deposit\",\"deadline\":1000}",
            "/p"),
        new Unreadable(
            "a command without type",
            "{\"t\":\"command\",\"id\":\"" + id + "\",\"deadline\":1000,\"p\":{}}",
            "/type"),
        new Unreadable(
            "a deadline of 0",
            "{\"t\":\"command\",\"id\":\""
                + id
                + "\",\"type\":\"Deposit\",\"deadline\":0,\"p\":{}}",
            "/deadline"),
        new Unreadable(
            "a deadline in words",
            "{\"t\":\"command\",\"id\":\""
                + id
                + "\",\"type\":\"Deposit\",\"deadline\":\"soon\",\"p\":{}}",
            "/deadline"),
        new Unreadable(
            "a version below 0",
            "{\"t\":\"command\",\"id\":\""
                + id
                + "\",\"type\":\"Deposit\",\"ifVersion\":-1,\"deadline\":1000,\"p\":{}}",
            "/ifVersion"),
        new Unreadable(
            "a payload that is a list",
            "{\"t\":\"command\",\"id\":\""
                + id
                + "\",\"type\":\"Deposit\",\"deadline\":1000,\"p\":[1]}",
            ""),
        new Unreadable(
            "a component of no kind",
            "{\"t\":\"declare\",\"id\":\""
                + id
                + "\",\"components\":[{\"kind\":\"robot\",\"name\":\"R\"}]}",
            "/components/kind"),
        new Unreadable(
            "a tip that is none",
            "{\"t\":\"decided\",\"id\":\"" + id + "\",\"attempt\":\"1\",\"tip\":\"x\"}",
            "/tip"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("unreadable")
  void what_cannot_be_read_is_told_so_and_the_session_lives_on(Unreadable wrong) throws Exception {
    try (var wire = Wire.open(cluster, node())) {
      wire.send(wrong.line());
      var error = wire.next(message -> message.path("t").asText().equals("error"));
      isError(error, ErrorCode.INVALID_REQUEST, null);
      assertThat(error.path("errors").path(0).path("pointer").asText())
          .as("%s", error)
          .isEqualTo(wrong.pointer());
      isAlive(wire);
    }
  }

  @Test
  void who_does_not_say_hello_is_told_nothing_else() throws Exception {
    try (var wire = Wire.silent(cluster, node())) {
      var error = wire.ask(Wire.query(UUID.randomUUID(), "Totals", "{}"));
      assertThat(error.path("code").asText()).isEqualTo("invalid-request");
      assertThat(error.path("errors").path(0).path("pointer").asText()).isEqualTo("/t");
    }
  }

  @Test
  void queries_fail_with_the_same_codes() throws Exception {
    try (var wire = Wire.open(cluster, node())) {
      var unknown = UUID.randomUUID();
      isError(wire.ask(Wire.query(unknown, "Nonsense", "{}")), ErrorCode.UNKNOWN_TYPE, unknown);
      var broken = UUID.randomUUID();
      isError(
          wire.ask(Wire.query(broken, "ListAccounts", "{\"limit\":0,\"after\":\"\"}")),
          ErrorCode.INVALID_REQUEST,
          broken);
      var large = UUID.randomUUID();
      isError(
          wire.ask(Wire.query(large, "FindAccount", "{\"accountId\":\"" + TOO_BIG + "\"}")),
          ErrorCode.PAYLOAD_TOO_LARGE,
          large);
    }
  }

  @Test
  void a_frame_of_4_MiB_is_answered_and_a_larger_one_ends_the_session() throws Exception {
    var most = 4 << 20;
    var command = Wire.command(UUID.randomUUID(), "Deposit", bank.moneyText(1)).toString();
    try (var wire = Wire.open(cluster, node())) {
      var padding = "x".repeat(most - command.length());
      wire.send(command.replace("\"one\"", "\"one" + padding + "\""));
      var error = wire.next(message -> message.path("t").asText().equals("error"));
      isError(error, ErrorCode.PAYLOAD_TOO_LARGE, null);
      isAlive(wire);
    }
    try (var wire = Wire.open(cluster, node())) {
      var padding = "x".repeat(most - command.length() + 1);
      wire.send(command.replace("\"one\"", "\"one" + padding + "\""));
      assertThat(wire.closeCode()).isEqualTo(1009);
    }
  }

  private static void isAlive(Wire wire) throws Exception {
    var answer = wire.ask(Wire.query(UUID.randomUUID(), "Totals", "{}"));
    assertThat(answer.path("t").asText()).as("%s", answer).isEqualTo("result");
  }
}
