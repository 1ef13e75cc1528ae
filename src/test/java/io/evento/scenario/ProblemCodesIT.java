package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.launcher.Member;
import io.evento.protocol.ErrorCode;
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
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every code of the contract, provoked over both doors: {@code unauthenticated} and {@code
 * forbidden} come with security. Wrong input does nothing, and no answer tells what we are made of.
 */
class ProblemCodesIT {

  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String BIG = "x".repeat((1 << 20) + 1);

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

  // ---- HTTP

  /**
   * A wrong request and what the contract says to it.
   *
   * @param headers names and values in turn
   * @param pointer of the first broken rule, empty where none is told
   */
  record Wrong(
      String what,
      String method,
      String path,
      String body,
      List<String> headers,
      ErrorCode code,
      String pointer) {

    static Wrong post(
        String what, String path, String body, ErrorCode code, String pointer, String... headers) {
      return new Wrong(what, "POST", path, body, List.of(headers), code, pointer);
    }

    static Wrong get(String what, String path, ErrorCode code, String pointer, String... headers) {
      return new Wrong(what, "GET", path, "", List.of(headers), code, pointer);
    }

    boolean isCommand() {
      return path.startsWith("commands/") && method.equals("POST");
    }

    @Override
    public String toString() {
      return what;
    }
  }

  static Stream<Wrong> wrongRequests() {
    var invalid = ErrorCode.INVALID_REQUEST;
    var good = "{\"accountId\":\"%s\",\"amount\":1,\"reference\":\"r\"}".formatted(bank.account());
    var deposit = "commands/Deposit";
    return Stream.of(
        // bodies
        Wrong.post("an empty body", deposit, "", invalid, ""),
        Wrong.post("half of a JSON object", deposit, "{\"accountId\":", invalid, ""),
        Wrong.post("no JSON at all", deposit, "hello", invalid, ""),
        Wrong.post("a JSON list", deposit, "[1]", invalid, ""),
        Wrong.post("a JSON null", deposit, "null", invalid, ""),
        Wrong.post("two JSON objects", deposit, good + good, invalid, ""),
        Wrong.post(
            "a property twice", deposit, good.replace("}", ",\"amount\":2}"), invalid, "/amount"),
        Wrong.post(
            "no aggregate id",
            deposit,
            "{\"amount\":1,\"reference\":\"r\"}",
            invalid,
            "/accountId"),
        Wrong.post(
            "a number as aggregate id",
            deposit,
            good.replace('"' + bank.account() + '"', "7"),
            invalid,
            "/accountId"),
        Wrong.post(
            "an empty aggregate id",
            deposit,
            good.replace(bank.account(), ""),
            invalid,
            "/accountId"),
        Wrong.post(
            "an aggregate id of 201 characters",
            deposit,
            good.replace(bank.account(), "a".repeat(201)),
            invalid,
            "/accountId"),
        Wrong.post(
            "a control character in the aggregate id",
            deposit,
            good.replace(bank.account(), "a\\u0000b"),
            invalid,
            "/accountId"),
        Wrong.post(
            "half a character in the aggregate id",
            deposit,
            good.replace(bank.account(), "a\\ud800b"),
            invalid,
            "/accountId"),
        Wrong.post(
            "a text as amount", deposit, good.replace(":1,", ":\"much\","), invalid, "/amount"),
        Wrong.post(
            "an amount beyond 64 bits",
            deposit,
            good.replace(":1,", ":99999999999999999999,"),
            invalid,
            "/amount"),
        Wrong.post(
            "an amount that breaks the record's own rule",
            deposit,
            good.replace(":1,", ":0,"),
            invalid,
            ""),
        Wrong.post(
            "a missing field", deposit, good.replace(",\"reference\":\"r\"", ""), invalid, ""),
        Wrong.post(
            "objects in objects a thousand deep",
            deposit,
            "{\"a\":".repeat(1_000) + "1" + "}".repeat(1_000),
            invalid,
            ""),
        Wrong.post(
            "a payload above the limit",
            deposit,
            good.replace("\"r\"", '"' + BIG + '"'),
            ErrorCode.PAYLOAD_TOO_LARGE,
            ""),
        Wrong.post(
            "a query above the limit",
            "queries/FindAccount",
            "{\"accountId\":\"" + BIG + "\"}",
            ErrorCode.PAYLOAD_TOO_LARGE,
            ""),
        Wrong.post("an empty query", "queries/FindAccount", "", invalid, ""),
        Wrong.post("a query that is no object", "queries/Totals", "7", invalid, ""),
        Wrong.post(
            "a query that breaks a rule",
            "queries/ListAccounts",
            "{\"limit\":0,\"after\":\"\"}",
            invalid,
            ""),
        // types
        Wrong.post(
            "a command that nobody declared",
            "commands/Nonsense",
            "{}",
            ErrorCode.UNKNOWN_TYPE,
            ""),
        Wrong.post(
            "a query that nobody declared", "queries/Nonsense", "{}", ErrorCode.UNKNOWN_TYPE, ""),
        Wrong.post(
            "an event sent as a command",
            "commands/MoneyDeposited",
            "{}",
            ErrorCode.UNKNOWN_TYPE,
            ""),
        Wrong.post("a type that is no name", "commands/1x", "{}", invalid, "type"),
        Wrong.post(
            "a type of 101 characters", "commands/" + "A".repeat(101), "{}", invalid, "type"),
        Wrong.post("a query type that is no name", "queries/a%20b", "{}", invalid, "type"),
        // headers
        Wrong.post(
            "an id that is no UUID",
            deposit,
            good,
            invalid,
            "Idempotency-Key",
            "Idempotency-Key",
            "7"),
        Wrong.post(
            "an id with something after it",
            deposit,
            good,
            invalid,
            "Idempotency-Key",
            "Idempotency-Key",
            UUID.randomUUID() + "0"),
        Wrong.post("a deadline of 0 s", deposit, good, invalid, "Prefer", "Prefer", "wait=0"),
        Wrong.post("a deadline of 61 s", deposit, good, invalid, "Prefer", "Prefer", "wait=61"),
        Wrong.post("a deadline in words", deposit, good, invalid, "Prefer", "Prefer", "wait=soon"),
        Wrong.post(
            "a version in words", deposit, good, invalid, "If-Match", "If-Match", "\"three\""),
        Wrong.post("a version below 0", deposit, good, invalid, "If-Match", "If-Match", "\"-1\""),
        Wrong.post(
            "a version for a service",
            "commands/FailService",
            "{\"message\":\"m\"}",
            invalid,
            "If-Match",
            "If-Match",
            "\"1\""),
        Wrong.post(
            "metadata that is no JSON",
            deposit,
            good,
            invalid,
            "Evento-Metadata",
            "Evento-Metadata",
            "{"),
        Wrong.post(
            "metadata that is a list",
            deposit,
            good,
            invalid,
            "Evento-Metadata",
            "Evento-Metadata",
            "[1]"),
        Wrong.post(
            "metadata that smuggles a property",
            deposit,
            good,
            invalid,
            "Evento-Metadata",
            "Evento-Metadata",
            "{},\"x\":{}"),
        Wrong.post(
            "a body that is no JSON by its type",
            deposit,
            good,
            ErrorCode.UNSUPPORTED_MEDIA_TYPE,
            "",
            "Content-Type",
            "text/plain"),
        Wrong.post(
            "an answer in HTML",
            deposit,
            good,
            ErrorCode.NOT_ACCEPTABLE,
            "",
            "Accept",
            "text/html"),
        Wrong.get("events in HTML", "events", ErrorCode.NOT_ACCEPTABLE, "", "Accept", "text/html"),
        // paths and methods
        Wrong.get("a path that is none", "nonsense", ErrorCode.NOT_FOUND, ""),
        Wrong.get("a path below one that is", "events/7", ErrorCode.NOT_FOUND, ""),
        Wrong.get("a setting that is none", "settings/nonsense", ErrorCode.NOT_FOUND, ""),
        Wrong.get("commands cannot be read", deposit, ErrorCode.METHOD_NOT_ALLOWED, ""),
        new Wrong(
            "events cannot be deleted",
            "DELETE",
            "events",
            "",
            List.of(),
            ErrorCode.METHOD_NOT_ALLOWED,
            ""),
        new Wrong(
            "a stream cannot be written",
            "PUT",
            "streams/Account/x",
            "{}",
            List.of(),
            ErrorCode.METHOD_NOT_ALLOWED,
            ""),
        new Wrong(
            "a setting without a value",
            "PUT",
            "settings/payload.bytes-max",
            "{}",
            List.of(),
            invalid,
            "/value"),
        new Wrong(
            "a setting out of its range",
            "PUT",
            "settings/payload.bytes-max",
            "{\"value\":1}",
            List.of(),
            invalid,
            "/value"),
        new Wrong(
            "a setting in words",
            "PUT",
            "settings/payload.bytes-max",
            "{\"value\":\"big\"}",
            List.of(),
            invalid,
            "/value"),
        // reads
        Wrong.get(
            "a stream that is none", "streams/Account/nobody", ErrorCode.STREAM_NOT_FOUND, ""),
        Wrong.get("a stream of a type that is no name", "streams/1x/a", invalid, "aggregateType"),
        Wrong.get(
            "a stream from version 0", "streams/Account/x?fromVersion=0", invalid, "fromVersion"),
        Wrong.get("a stream sideways", "streams/Account/x?order=up", invalid, "order"),
        Wrong.get("a page of 0", "events?limit=0", invalid, "limit"),
        Wrong.get("a page of 1,001", "events?limit=1001", invalid, "limit"),
        Wrong.get("a page in words", "events?limit=all", invalid, "limit"),
        Wrong.get("a stream's page of 1,001", "streams/Account/x?limit=1001", invalid, "limit"),
        Wrong.get("events after -1", "events?after=-1", invalid, "after"),
        Wrong.get("events of a type that is no name", "events?type=1x", invalid, "type"),
        Wrong.get(
            "events of an id without its type",
            "events?aggregateId=a-1",
            invalid,
            "aggregateType"));
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
            good.replace("\"one\"", '"' + BIG + '"'),
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
      // A NUL, which PostgreSQL has no room for.
      wire.send(
          """
          {"t":"decided","id":"%s","attempt":"%s","tip":"0:0","events":[{"type":"Broken","tags":["\\u0000"],"p":{}}]}
          """
              .strip()
              .formatted(id, asked.path("attempt").asText()));
      var got = answer.get(20, TimeUnit.SECONDS);
      isProblem(got, ErrorCode.INTERNAL);
      isNothingKept(id);
    }
  }

  // ---- WebSocket

  @Nested
  class Over_WebSocket {

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
    void what_cannot_be_read_is_told_so_and_the_session_lives_on(Unreadable wrong)
        throws Exception {
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
            wire.ask(Wire.query(large, "FindAccount", "{\"accountId\":\"" + BIG + "\"}")),
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

  // ---- what every problem has in common

  private static void isProblem(Answer answer, ErrorCode code) {
    var body = answer.body();
    assertThat(answer.status()).as("%s", body).isEqualTo(code.status());
    assertThat(answer.headers().firstValue("Content-Type").orElse(""))
        .startsWith("application/problem+json");
    assertThat(body.path("code").asText()).as("%s", body).isEqualTo(code.wire());
    assertThat(body.path("type").asText()).isEqualTo("urn:evento:" + code.wire());
    assertThat(body.path("status").asInt()).isEqualTo(code.status());
    assertThat(body.path("title").asText()).isNotBlank();
    assertThat(body.path("correlation").asText()).isNotBlank();
    if (code.status() == 503) {
      assertThat(answer.headers().firstValue("Retry-After")).isPresent();
    }
    tellsNoInternals(body, code);
  }

  /**
   * @param id of the request, null where the message could not be read
   */
  private static void isError(JsonNode error, ErrorCode code, @Nullable UUID id) {
    assertThat(error.path("t").asText()).as("%s", error).isEqualTo("error");
    assertThat(error.path("code").asText()).as("%s", error).isEqualTo(code.wire());
    if (id != null) {
      assertThat(error.path("id").asText()).isEqualTo(id.toString());
    }
    tellsNoInternals(error, code);
  }

  private static void tellsNoInternals(JsonNode body, ErrorCode code) {
    var text = body.toString();
    assertThat(text)
        .doesNotContainPattern("\\bat [a-z]+(\\.\\w+)+\\(")
        .doesNotContainPattern("\\b(java|javax|jakarta|io\\.evento|org|com|fish)\\.[a-z]+\\.")
        .doesNotContainPattern("(?i)payara|glassfish|grizzly|jersey|tyrus");
    if (code != ErrorCode.HANDLER_FAILED) {
      assertThat(text).doesNotContainPattern("\\w(Exception|Error)\\b");
    }
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
