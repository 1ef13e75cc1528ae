package io.evento.scenario;

import static io.evento.scenario.fixture.Problems.isError;
import static io.evento.scenario.fixture.Problems.isProblem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.launcher.Member;
import io.evento.protocol.ErrorCode;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import io.evento.scenario.fixture.Wire;
import io.evento.scenario.fixture.Wrong;
import io.evento.testing.ApiDocument;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What comes in is taken as it was written or refused where it came in, and found again as it is.
 */
class StrictDoorsIT {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final ObjectMapper JSON = new ObjectMapper();

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private static Member node() {
    return cluster.node(1);
  }

  private static Door door() {
    return cluster.door(node());
  }

  private static Wrong append(String what, String body, String pointer) {
    return Wrong.post(what, "events", body, ErrorCode.INVALID_REQUEST, pointer);
  }

  private static Wrong guard(String what, String condition, String pointer) {
    var body = "{\"events\":[{\"type\":\"Strict\",\"payload\":{}}],\"condition\":%s}";
    return append(what, body.formatted(condition), "/condition" + pointer);
  }

  static Stream<Wrong> wrong() {
    var invalid = ErrorCode.INVALID_REQUEST;
    var media = ErrorCode.UNSUPPORTED_MEDIA_TYPE;
    var open = "commands/OpenAccount";
    var half = "{\"accountId\":\"half\",\"owner\":\"a\\ud800b\"}";
    var good = "{\"accountId\":\"never\",\"owner\":\"x\"}";
    var reset = "consumers/accounts/1/reset?dryRun=true";
    var sse = new String[] {"Accept", "text/event-stream", "Content-Type", "application/jsonfoo"};
    return Stream.of(
        Wrong.post("half a pair in a command", open, half, invalid, "/owner"),
        Wrong.post("half a pair in a query", "queries/FindAccount", half, invalid, "/owner"),
        Wrong.post(
            "half a pair for later", "schedules/OpenAccount?after=PT1H", half, invalid, "/owner"),
        Wrong.post(
            "half a pair in metadata",
            open,
            good,
            invalid,
            "Evento-Metadata/a",
            "Evento-Metadata",
            "{\"a\":\"\\udc00\"}"),
        append(
            "half a pair in an event",
            "{\"events\":[{\"type\":\"Strict\",\"payload\":{\"a\":[\"\\ud800\"]}}]}",
            "/events/0/payload/a/0"),
        append(
            "half a pair in a name",
            "{\"events\":[{\"type\":\"Strict\",\"payload\":{\"\\ud800\":1}}]}",
            "/events/0/payload"),
        Wrong.post("a raw line break in a text", open, good.replace("x", "x\ny"), invalid, ""),
        Wrong.post(
            "a raw line break in a name", open, good.replace("owner", "ow\r\nner"), invalid, ""),
        Wrong.post(
            "a name twice for a query",
            "queries/FindAccount",
            "{\"accountId\":\"a\",\"accountId\":\"b\"}",
            invalid,
            "/accountId"),
        Wrong.post("NUL in the bank's text", open, good.replace("x", "a\\u0000b"), invalid, ""),
        guard("a text for a position", "{\"failIfEventsMatch\":{},\"after\":\"5\"}", "/after"),
        guard("a fraction for a position", "{\"failIfEventsMatch\":{},\"after\":5.7}", "/after"),
        guard(
            "an empty text for a position", "{\"failIfEventsMatch\":{},\"after\":\"\"}", "/after"),
        guard(
            "a number for a tag",
            "{\"failIfEventsMatch\":{\"items\":[{\"tags\":[1]}]}}",
            "/failIfEventsMatch/items/0/tags/0"),
        guard(
            "null for an item",
            "{\"failIfEventsMatch\":{\"items\":[null]}}",
            "/failIfEventsMatch/items/0"),
        append(
            "a number for an event's tag",
            "{\"events\":[{\"type\":\"Strict\",\"payload\":{},\"tags\":[7]}]}",
            "/events/0/tags/0"),
        Wrong.post(
            "a field that administration does not know",
            reset,
            "{\"position\":0,\"efects\":true}",
            invalid,
            "/efects"),
        Wrong.post(
            "a text for a number in administration",
            reset,
            "{\"position\":\"0\"}",
            invalid,
            "/position"),
        Wrong.post(
            "a name twice in administration",
            reset,
            "{\"position\":0,\"position\":9}",
            invalid,
            "/position"),
        new Wrong(
            "a fraction for a setting",
            "PUT",
            "settings/payload.bytes.max",
            "{\"value\":1048576.0}",
            List.of(),
            invalid,
            "/value"),
        Wrong.post(
            "a type that only begins like JSON",
            open,
            good,
            media,
            "",
            "Content-Type",
            "application/jsonfoo"),
        Wrong.post("the same where it wants a stream", "queries/Totals", "{}", media, "", sse),
        Wrong.post(
            "the same in administration", reset, "{}", media, "", "Content-Type", "text/json"),
        Wrong.post(
            "another charset",
            open,
            good,
            media,
            "",
            "Content-Type",
            "application/json;charset=iso-8859-1"),
        Wrong.post(
            "a packed body",
            open,
            good,
            media,
            "",
            "Content-Type",
            "application/json",
            "Content-Encoding",
            "gzip"),
        Wrong.get("bytes that are no text in a tag", "events?tag=%ff", invalid, "tag"),
        Wrong.get("a stream of no id", "streams/Strict", invalid, "id"),
        Wrong.get("a position of no epoch", "events?after=7@x", invalid, "after"),
        Wrong.get(
            "of an epoch that never was",
            "events?after=7@" + UUID.randomUUID(),
            ErrorCode.CONFLICT,
            ""));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrong")
  void what_has_another_form_is_refused_at_its_door(Wrong wrong) throws Exception {
    var headers = new ArrayList<>(wrong.headers());
    if (!wrong.method().equals("GET")) {
      headers.addAll(List.of("Idempotency-Key", UUID.randomUUID().toString()));
      if (!headers.contains("Content-Type")) {
        headers.addAll(List.of("Content-Type", "application/json"));
      }
    }
    var answer =
        door()
            .send(
                wrong.method(), wrong.path(), wrong.body(), LIMIT, headers.toArray(String[]::new));
    isProblem(answer, wrong.code());
    assertThat(answer.body().path("errors").path(0).path("pointer").asText(""))
        .as("%s", answer.body())
        .isEqualTo(wrong.pointer());
  }

  /** Whichever door asks for it, and whatever it does with it: no stored text can have a NUL. */
  @Test
  void a_nul_is_refused_in_every_query_parameter_of_every_door() throws Exception {
    var asked = 0;
    var document = ApiDocument.openApi().json();
    for (var path : document.path("paths").properties()) {
      for (var operation : path.getValue().properties()) {
        var method = operation.getKey().toUpperCase(Locale.ROOT);
        var parameters = new ArrayList<JsonNode>();
        path.getValue().path("parameters").forEach(parameters::add);
        operation.getValue().path("parameters").forEach(parameters::add);
        for (var given : parameters) {
          var reference = given.path("$ref").asText();
          var parameter = reference.isEmpty() ? given : document.at(reference.substring(1));
          if (!parameter.path("in").asText().equals("query")) {
            continue;
          }
          var name = parameter.path("name").asText();
          var at =
              path.getKey().substring(1).replace("{version}", "1").replaceAll("\\{\\w+}", "Nothing")
                  + "?"
                  + name
                  + "=a%00b";
          var answer =
              method.equals("GET") || method.equals("DELETE")
                  ? door().send(method, at, "", LIMIT)
                  : door().send(method, at, "{}", LIMIT, "Content-Type", "application/json");
          isProblem(answer, ErrorCode.INVALID_REQUEST);
          assertThat(answer.body().path("errors").path(0).path("pointer").asText())
              .as(method + " " + at + " said " + answer.body())
              .isEqualTo(name);
          asked++;
        }
      }
    }
    assertThat(asked).as("parameters").isGreaterThan(60);
  }

  @Test
  void a_body_without_a_type_is_refused_at_every_door() throws Exception {
    for (var path :
        List.of(
            "commands/OpenAccount",
            "queries/Totals",
            "events",
            "consumers/accounts/1/pause?dryRun=true")) {
      isProblem(
          door().send("POST", path, "{}", LIMIT, "Idempotency-Key", UUID.randomUUID().toString()),
          ErrorCode.UNSUPPORTED_MEDIA_TYPE);
    }
    var nothing = door().send("POST", "consumers/accounts/1/pause?dryRun=true", "", LIMIT);
    assertThat(nothing.status()).as("%s", nothing.body()).isEqualTo(200);
  }

  @Test
  void a_type_in_another_case_and_line_breaks_between_tokens_are_json() throws Exception {
    var account = UUID.randomUUID().toString();
    var opened =
        door()
            .send(
                "POST",
                "commands/OpenAccount",
                "{\r\n  \"accountId\": \"" + account + "\",\n\t\"owner\": \"\\ud83d\\ude00\"\n}\n",
                LIMIT,
                "Content-Type",
                "Application/JSON; charset=\"UTF-8\"");
    assertThat(opened.status()).as("%s", opened.body()).isEqualTo(200);
    var seen =
        door()
            .post(
                "queries/FindAccount",
                "{\"accountId\":\"" + account + "\"}",
                LIMIT,
                "Evento-Consistent-After",
                opened.body().path("position").asText());
    assertThat(seen.body().path("owner").asText()).as("%s", seen.body()).isEqualTo("\ud83d\ude00");
  }

  @Test
  void half_a_pair_costs_its_own_sender_the_answer_and_nobody_a_session() throws Exception {
    try (var wire = Wire.open(cluster, node())) {
      var id = UUID.randomUUID();
      wire.send(
          "{\"t\":\"command\",\"id\":\"%s\",\"type\":\"OpenAccount\",\"deadline\":5000,\"p\":%s}"
              .formatted(id, "{\"accountId\":\"half\",\"owner\":\"\\ud800\"}"));
      var refused = wire.answer(id.toString());
      isError(refused, ErrorCode.INVALID_REQUEST, id);
      assertThat(refused.path("errors").path(0).path("pointer").asText()).isEqualTo("/p/owner");
      var answer = wire.ask(Wire.query(UUID.randomUUID(), "Totals", "{}"));
      assertThat(answer.path("t").asText()).as("%s", answer).isEqualTo("result");
    }
  }

  @Test
  void a_stream_of_any_id_is_found_by_its_id_and_where_its_events_say() throws Exception {
    var seed = new Random().nextLong();
    var random = new Random(seed);
    var ids =
        new ArrayList<>(
            List.of(
                "a\\b",
                "...",
                ".",
                "..",
                "a/../b",
                "/",
                "a//b",
                "%2F",
                "a b",
                ";x",
                "+",
                "?#",
                "\u00e9\ud83d\ude00",
                "a/",
                "~"));
    var odd = "ab./\\%;?#+ &=\"'{}|^`<>:@!$*(),~\u00e9\u5c71";
    for (var i = 0; i < 25; i++) {
      var id = new StringBuilder();
      for (var length = 1 + random.nextInt(6); length > 0; length--) {
        id.append(odd.charAt(random.nextInt(odd.length())));
      }
      ids.add(id.toString());
    }
    var type = "Strict" + Math.abs(random.nextInt());
    for (var id : ids.stream().distinct().toList()) {
      var about = "seed " + seed + ", id " + id;
      var aggregate = Map.of("type", type, "id", id);
      var body =
          Map.of(
              "aggregate",
              aggregate,
              "events",
              List.of(Map.of("type", "Kept", "payload", Map.of("id", id))));
      var stored =
          door()
              .post(
                  "events",
                  JSON.valueToTree(body).toString(),
                  LIMIT,
                  "Idempotency-Key",
                  UUID.randomUUID().toString());
      assertThat(stored.status()).as("%s: %s", about, stored.body()).isEqualTo(200);
      assertThat(stored.body().path("epoch").asText()).as(about).hasSize(36);
      var escaped = URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20");
      isFound(door().get("streams/" + type + "?id=" + escaped), id, about);
      var filter = "events?aggregateType=" + type + "&aggregateId=" + escaped;
      isFound(door().get(filter), id, about);
      var batch =
          door().send("GET", filter, "", LIMIT, "Accept", "application/cloudevents-batch+json");
      var source = batch.body().path(0).path("source").asText();
      assertThat(source).as(about).startsWith("/evento/api/streams/");
      isFound(door().get(source.substring("/evento/api/".length())), id, about);
    }
  }

  private static void isFound(Answer answer, String id, String about) {
    assertThat(answer.status()).as("%s: %s", about, answer.body()).isEqualTo(200);
    assertThat(answer.body().path("events")).as("%s: %s", about, answer.body()).hasSize(1);
    assertThat(answer.body().path("events").path(0).path("aggregate").path("id").asText())
        .as(about)
        .isEqualTo(id);
  }

  @Test
  void pages_and_receipts_tell_the_epoch_and_it_is_taken_back() throws Exception {
    var head = door().get("events?after=head");
    assertThat(head.status()).as("%s", head.body()).isEqualTo(200);
    assertThat(head.body().path("events")).isEmpty();
    var next = head.body().path("next").asLong();
    var epoch = head.body().path("epoch").asText();
    assertThat(head.headers().firstValue("Evento-Epoch")).contains(epoch);
    var account = UUID.randomUUID().toString();
    var opened =
        door()
            .command("OpenAccount", UUID.randomUUID(), Map.of("accountId", account, "owner", "x"));
    assertThat(opened.body().path("epoch").asText()).isEqualTo(epoch);
    var position = opened.body().path("position").asLong();
    assertThat(position).isGreaterThan(next);
    var after =
        door()
            .get(
                "events?aggregateType=Account&aggregateId="
                    + account
                    + "&after="
                    + next
                    + "@"
                    + epoch);
    assertThat(after.body().path("events")).hasSize(1);
    var seen =
        door()
            .post(
                "queries/FindAccount",
                "{\"accountId\":\"" + account + "\"}",
                LIMIT,
                "Evento-Consistent-After",
                position + "@" + epoch);
    assertThat(seen.body().path("owner").asText()).as("%s", seen.body()).isEqualTo("x");
    var batch =
        door()
            .send(
                "GET",
                "events?after=" + next,
                "",
                LIMIT,
                "Accept",
                "application/cloudevents-batch+json, */*;q=0.1");
    var link = batch.headers().firstValue("Link").orElse("");
    assertThat(link).contains(epoch);
    var following = door().get(link.substring("</evento/api/".length(), link.indexOf('>')));
    assertThat(following.body().path("epoch").asText()).as(link).isEqualTo(epoch);
  }
}
