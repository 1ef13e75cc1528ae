package io.evento.scenario;

import static io.evento.scenario.fixture.Problems.TOO_BIG;
import static io.evento.scenario.fixture.Problems.isError;
import static io.evento.scenario.fixture.Problems.isProblem;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.launcher.Member;
import io.evento.protocol.ErrorCode;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Wire;
import io.evento.scenario.fixture.Wrong;
import io.evento.scenario.workload.ProbeBundle;
import java.nio.file.Files;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every code of the contract, provoked over both doors: {@code unauthenticated} and {@code
 * forbidden} come with security. Wrong input does nothing, and no answer tells what we are made of.
 */
class ProblemCodesIT {

  private static final Duration LIMIT = Duration.ofSeconds(20);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private static ProbeBundle probes;
  private static Bank bank;

  @BeforeAll
  static void a_bundle_that_fails_as_it_is_told_and_an_account() throws Exception {
    probes = ProbeBundle.start(cluster);
    bank = Bank.account(cluster);
    assertThat(bank.deposit(node(), 10).isSuccess()).isTrue();
    for (var door : cluster.doors()) {
      await("the probe is hosted")
          .atMost(LIMIT)
          .until(
              () ->
                  door.command("TouchProbe", UUID.randomUUID(), Map.of("probeId", "there"))
                      .isSuccess());
    }
  }

  @AfterAll
  static void the_bundle_leaves() {
    probes.close();
  }

  private static Member node() {
    return cluster.node(1);
  }

  static Stream<Wrong> wrongRequests() {
    return Wrong.requests(bank.account());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongRequests")
  void over_HTTP_what_is_wrong_gets_its_code(Wrong wrong) throws Exception {
    var before = bank.story(node());
    var id = UUID.randomUUID();

    var answer = send(wrong, id);

    isProblem(answer, wrong.code());
    assertThat(answer.body().path("errors").path(0).path("pointer").asText(""))
        .as("%s", answer.body())
        .isEqualTo(wrong.pointer());
    if (wrong.code() == ErrorCode.INVALID_REQUEST && !wrong.pointer().isEmpty()) {
      assertThat(answer.body().path("errors").path(0).path("rule").asText()).isNotBlank();
    }
    if (wrong.isCommand() && !wrong.headers().contains("Idempotency-Key")) {
      assertThat(answer.body().path("commandId").asText())
          .as("%s", answer.body())
          .isEqualTo(id.toString());
      isNothingKept(id);
    }
    assertThat(bank.story(node())).isEqualTo(before);
  }

  private static Answer send(Wrong wrong, UUID id) throws InterruptedException {
    var headers = new ArrayList<>(wrong.headers());
    if (wrong.isCommand() && !headers.contains("Idempotency-Key")) {
      headers.addAll(List.of("Idempotency-Key", id.toString()));
    }
    if (!headers.contains("Content-Type") && !wrong.method().equals("GET")) {
      headers.addAll(List.of("Content-Type", "application/json"));
    }
    return cluster
        .door(node())
        .send(wrong.method(), wrong.path(), wrong.body(), LIMIT, headers.toArray(String[]::new));
  }

  @ParameterizedTest(name = "{0} /{1}")
  @CsvSource({
    "GET, nothing",
    "POST, nothing/at/all.html",
    "DELETE, apis",
    "GET, bundle",
    "GET, problem",
    "GET, WEB-INF/web.xml"
  })
  void outside_of_the_API_too_what_is_wrong_is_a_problem(String method, String path)
      throws Exception {
    var answer = cluster.door(node()).outside().send(method, path, "", LIMIT);
    assertThat(answer.status()).as("%s", answer.body()).isGreaterThanOrEqualTo(400);
    isProblem(answer, ErrorCode.ofStatus(answer.status()));
  }

  // ---- both doors

  /** A command that ends in a problem, however it is sent. */
  record Ending(
      String what, String type, String payload, @Nullable Long ifVersion, ErrorCode code) {
    @Override
    public String toString() {
      return what;
    }
  }

  static Stream<Ending> endings() {
    var good = bank.moneyText(1);
    return Stream.of(
        new Ending(
            "a broken rule",
            "Deposit",
            good.replace(":1,", ":0,"),
            null,
            ErrorCode.INVALID_REQUEST),
        new Ending("no aggregate id", "Deposit", "{\"amount\":1}", null, ErrorCode.INVALID_REQUEST),
        new Ending("a type that nobody declared", "Nonsense", "{}", null, ErrorCode.UNKNOWN_TYPE),
        new Ending("another version than wanted", "Deposit", good, 77L, ErrorCode.CONFLICT),
        new Ending(
            "a payload above the limit",
            "Deposit",
            good.replace("\"one\"", '"' + TOO_BIG + '"'),
            null,
            ErrorCode.PAYLOAD_TOO_LARGE),
        new Ending(
            "a business rule", "Withdraw", bank.moneyText(1_000_000), null, ErrorCode.REJECTED),
        new Ending(
            "a handler that throws",
            "FailProbe",
            "{\"probeId\":\"f\",\"message\":\"on purpose\"}",
            null,
            ErrorCode.HANDLER_FAILED),
        new Ending(
            "a service that throws",
            "FailService",
            "{\"message\":\"on purpose\"}",
            null,
            ErrorCode.HANDLER_FAILED),
        new Ending(
            "a handler that never answers",
            "HangProbe",
            "{\"probeId\":\"h\"}",
            null,
            ErrorCode.DEADLINE_EXCEEDED));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("endings")
  void a_command_is_told_the_same_over_HTTP_and_over_WebSocket(Ending ending) throws Exception {
    var before = bank.story(node());
    var byHttp = UUID.randomUUID();
    var bySocket = UUID.randomUUID();

    var headers =
        new ArrayList<>(List.of("Idempotency-Key", byHttp.toString(), "Prefer", "wait=2"));
    if (ending.ifVersion() != null) {
      headers.addAll(List.of("If-Match", "\"" + ending.ifVersion() + "\""));
    }
    var answer =
        cluster
            .door(node())
            .post(
                "commands/" + ending.type(),
                ending.payload(),
                LIMIT,
                headers.toArray(String[]::new));
    isProblem(answer, ending.code());
    assertThat(answer.body().path("commandId").asText()).isEqualTo(byHttp.toString());

    try (var wire = Wire.open(cluster, node())) {
      var command = Wire.command(bySocket, ending.type(), ending.payload()).put("deadline", 2_000);
      if (ending.ifVersion() != null) {
        command.put("ifVersion", ending.ifVersion());
      }
      var error = wire.ask(command);
      isError(error, ending.code(), bySocket);
      assertThat(error.path("detail")).isEqualTo(answer.body().path("detail"));
      assertThat(error.path("errors")).isEqualTo(list(answer.body().path("errors")));
      assertThat(error.path("rejection")).isEqualTo(answer.body().path("rejection"));
    }

    assertThat(bank.story(node())).isEqualTo(before);
    if (ending.code() == ErrorCode.REJECTED) {
      assertThat(answer.body().path("rejection").path("code").asText())
          .isEqualTo("insufficient-funds");
      assertThat(answer.body().path("rejection").path("details").path("balance").asLong())
          .isEqualTo(10);
    } else {
      isNothingKept(byHttp);
      isNothingKept(bySocket);
    }
  }

  @Test
  void an_id_used_for_another_command_is_told_so_over_both_doors() throws Exception {
    var id = UUID.randomUUID();
    var door = cluster.door(node());
    assertThat(door.command("RefuseProbe", id, Map.of("probeId", "r")).code())
        .isEqualTo("rejected");

    var answer = door.command("TouchProbe", id, Map.of("probeId", "r"));
    isProblem(answer, ErrorCode.ID_REUSED);
    try (var wire = Wire.open(cluster, cluster.node(2))) {
      isError(
          wire.ask(Wire.command(id, "TouchProbe", "{\"probeId\":\"r\"}")), ErrorCode.ID_REUSED, id);
    }
  }

  @Test
  void a_declared_type_whose_bundle_has_left_is_told_so_over_both_doors() throws Exception {
    var suffix = UUID.randomUUID().toString().substring(0, 8);
    var type = "Leave" + suffix;
    try (var wire = Wire.open(cluster, node())) {
      var declared = wire.ask(declaration("Leaver" + suffix, type));
      assertThat(declared.path("t").asText()).as("%s", declared).isEqualTo("result");
    }
    for (var node : cluster.nodes()) {
      var door = cluster.door(node);
      await("the session is over")
          .atMost(LIMIT)
          .untilAsserted(
              () ->
                  isProblem(
                      door.command(type, UUID.randomUUID(), Map.of("id", "a")),
                      ErrorCode.NO_HANDLER));
      try (var wire = Wire.open(cluster, node)) {
        var id = UUID.randomUUID();
        isError(wire.ask(Wire.command(id, type, "{\"id\":\"a\"}")), ErrorCode.NO_HANDLER, id);
      }
    }
  }

  private static JsonNode declaration(String aggregate, String command) {
    var declare = Wire.message("declare").put("id", UUID.randomUUID().toString());
    var component =
        declare
            .putArray("components")
            .addObject()
            .put("kind", "aggregate")
            .put("name", aggregate)
            .put("context", "probe");
    component.putArray("commands").addObject().put("type", command).put("idProperty", "id");
    return declare;
  }

  @Test
  void a_type_that_another_component_owns_cannot_be_declared() throws Exception {
    try (var wire = Wire.open(cluster, node())) {
      var declare = declaration("Thief", "Deposit");
      isError(
          wire.ask(declare),
          ErrorCode.DECLARATION_CONFLICT,
          UUID.fromString(declare.path("id").asText()));
    }
    assertThat(bank.deposit(node(), 1).isSuccess()).isTrue();
    assertThat(bank.withdraw(node(), 1).isSuccess()).isTrue();
  }

  @Test
  void a_node_with_too_much_under_way_refuses_early_over_both_doors() throws Exception {
    var door = cluster.door(node());
    var settings = "settings/commands.waiting-max";
    try (var hanging = Wire.open(cluster, node());
        var wire = Wire.open(cluster, node())) {
      assertThat(
              door.send("PUT", settings, "{\"value\":1}", LIMIT, "Content-Type", "application/json")
                  .status())
          .isEqualTo(200);
      hanging.send(
          Wire.command(UUID.randomUUID(), "HangProbe", "{\"probeId\":\"full\"}").toString());

      var answer =
          await("refused early")
              .atMost(LIMIT)
              .until(
                  () -> door.command("Deposit", UUID.randomUUID(), bank.money(1)),
                  got -> !got.isSuccess());
      isProblem(answer, ErrorCode.OVERLOADED);
      assertThat(answer.headers().firstValue("Retry-After")).isPresent();
      var id = UUID.randomUUID();
      isError(wire.ask(Wire.command(id, "Deposit", bank.moneyText(1))), ErrorCode.OVERLOADED, id);
      isNothingKept(id);
    } finally {
      assertThat(door.send("DELETE", settings, "", LIMIT).status()).isEqualTo(200);
    }
  }

  @Test
  void what_the_store_cannot_take_is_our_fault_and_tells_where_to_look() throws Exception {
    var suffix = UUID.randomUUID().toString().substring(0, 8);
    var type = "Break" + suffix;
    var event = "Broken" + suffix;
    administer(
        "alter table evento.event add constraint unbroken check (type <> '"
            + event
            + "') not valid");
    try (var wire = Wire.open(cluster, node())) {
      wire.ask(declaration("Breaker" + suffix, type));
      var id = UUID.randomUUID();
      var answer = new CompletableFuture<Answer>();
      answer.completeAsync(
          () -> {
            try {
              return cluster.door(node()).command(type, id, Map.of("id", "a"));
            } catch (InterruptedException stopped) {
              throw new IllegalStateException(stopped);
            }
          });
      var asked = wire.next(message -> message.path("t").asText().equals("decide"));
      wire.send(
          """
          {"t":"decided","id":"%s","attempt":"%s","tip":"0:0","events":[{"type":"%s","p":{}}]}
          """
              .strip()
              .formatted(id, asked.path("attempt").asText(), event));
      var got = answer.get(20, TimeUnit.SECONDS);
      isProblem(got, ErrorCode.INTERNAL);
      var correlation = got.body().path("correlation").asText();
      assertThat(correlation).isEqualTo(id.toString());
      var logs = new StringBuilder();
      for (var any : cluster.nodes()) {
        logs.append(Files.readString(any.log()));
      }
      assertThat(logs.toString().contains("correlation=" + correlation)).isTrue();
      isNothingKept(id);
    } finally {
      administer("alter table evento.event drop constraint unbroken");
    }
  }

  private static void administer(String statement) throws SQLException {
    try (var connection = cluster.postgres().administrator();
        var change = connection.createStatement()) {
      change.execute(statement);
    }
  }

  // ---- without the database

  @Test
  void a_node_without_its_database_says_unavailable_over_both_doors() throws Exception {
    var before = bank.story(node());
    cluster.postgres().stopImmediately();
    try {
      var door = cluster.door(node());
      var ready =
          await("not ready")
              .atMost(LIMIT)
              .until(() -> door.get("health/ready"), answer -> answer.status() == 503);
      assertThat(ready.body().path("status").asText()).isEqualTo("DOWN");
      isProblem(door.command("Deposit", UUID.randomUUID(), bank.money(1)), ErrorCode.UNAVAILABLE);
      isProblem(door.query("Totals", Map.of()), ErrorCode.UNAVAILABLE);
      isProblem(door.get("events"), ErrorCode.UNAVAILABLE);
      isProblem(door.get("nodes"), ErrorCode.UNAVAILABLE);
      isProblem(door.get("streams/Account/" + bank.account()), ErrorCode.UNAVAILABLE);
      assertThat(door.get("health/live").status()).isEqualTo(200);
      try (var wire = Wire.open(cluster, node())) {
        var id = UUID.randomUUID();
        isError(
            wire.ask(Wire.command(id, "Deposit", bank.moneyText(1))), ErrorCode.UNAVAILABLE, id);
      }
    } finally {
      cluster.postgres().start();
    }
    await("serves again")
        .atMost(LIMIT)
        .until(() -> cluster.door(node()).get("health/ready").status() == 200);
    assertThat(cluster.door(node()).get("nodes").status()).isEqualTo(200);
    assertThat(bank.story(node())).isEqualTo(before);
  }

  private static JsonNode list(JsonNode errors) {
    return errors.isMissingNode() ? Wire.message("").arrayNode() : errors;
  }

  private static void isNothingKept(UUID command) throws Exception {
    try (var connection = cluster.postgres().administrator();
        var select =
            connection.prepareStatement(
                """
                select (select count(*) from evento.event where command_id = ?)
                     + (select count(*) from evento.command_result where command_id = ?)
                """)) {
      select.setObject(1, command);
      select.setObject(2, command);
      var row = select.executeQuery();
      row.next();
      assertThat(row.getInt(1)).as("rows of %s", command).isZero();
    }
  }
}
