package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.workload.NicknameBundle;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Rules over many streams, kept by conditions: in bundles, and by programs over HTTP. */
class BoundaryIT {
  private static final int CALLERS = 24;
  private static final int COMMANDS = 40;
  private static final int PLAYERS = 60;
  private static final int NICKNAMES = 40;
  private static final Duration LIMIT = Duration.ofSeconds(15);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  @Test
  void a_nickname_has_one_player_whatever_is_asked_at_once_and_dies_meanwhile() throws Exception {
    var run = UUID.randomUUID().toString().substring(0, 8);
    try (var one = NicknameBundle.start(cluster);
        var other = NicknameBundle.start(cluster)) {
      var answers = new ConcurrentLinkedQueue<Answer>();
      var callers = new ArrayList<Thread>();
      for (var i = 0; i < CALLERS; i++) {
        var random = new Random(i);
        var caller = new Thread(() -> call(run, random, answers));
        callers.add(caller);
        caller.start();
      }
      cluster.node(2).kill();
      for (var caller : callers) {
        caller.join(TimeUnit.MINUTES.toMillis(2));
        assertThat(caller.isAlive()).as("a caller still waits").isFalse();
      }
      cluster.start(cluster.node(2));

      assertThat(answers).hasSize(CALLERS * COMMANDS).allMatch(Answer::isFinal);
      assertThat(answers.stream().filter(a -> a.code().equals("rejected")))
          .isNotEmpty()
          .allSatisfy(a -> assertThat(a.body().at("/rejection/code").asText()).isEqualTo("taken"));
      var stored = assertRuleHeldAtEveryMoment(run);
      assertThat(answers.stream().mapToInt(a -> a.body().path("events").size()).sum())
          .as("events told and events stored")
          .isEqualTo(stored);
      System.out.println("boundary: commands=" + answers.size() + " events=" + stored);
    }
  }

  private static void call(String run, Random random, ConcurrentLinkedQueue<Answer> answers) {
    try {
      for (var i = 0; i < COMMANDS; i++) {
        var player = run + "-p" + random.nextInt(PLAYERS);
        var isDrop = random.nextInt(4) == 0;
        var id = UUID.randomUUID();
        Map<String, ?> payload =
            isDrop
                ? Map.of("player", player)
                : Map.of("player", player, "nickname", run + "-N" + random.nextInt(NICKNAMES));
        Answer answer;
        do {
          var door = cluster.doors().get(random.nextInt(3));
          answer = door.command(isDrop ? "DropPlayerName" : "ChoosePlayerName", id, payload, LIMIT);
          assertThat(answer.code())
              .as(answer.body().toString())
              .isNotIn("conflict", "id-reused", "handler-failed", "internal");
        } while (!answer.isFinal());
        answers.add(answer);
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Replays what was stored: at no moment has a nickname two players, or a player two nicknames.
   */
  private static int assertRuleHeldAtEveryMoment(String run) throws InterruptedException {
    var holders = new HashMap<String, String>();
    var names = new HashMap<String, String>();
    var count = 0;
    for (var event : events("type=PlayerNameChosen&type=PlayerNameDropped")) {
      var player = event.at("/payload/player").asText();
      var nickname = event.at("/payload/nickname").asText();
      if (!player.startsWith(run)) {
        continue;
      }
      count++;
      assertThat(event.path("tags"))
          .extracting(JsonNode::asText)
          .containsExactly("player:" + player, "nickname:" + nickname);
      if (event.path("type").asText().equals("PlayerNameChosen")) {
        assertThat(holders.put(nickname, player)).as(event.toString()).isNull();
        assertThat(names.put(player, nickname)).as(event.toString()).isNull();
      } else {
        assertThat(holders.remove(nickname)).as(event.toString()).isEqualTo(player);
        assertThat(names.remove(player)).as(event.toString()).isEqualTo(nickname);
      }
    }
    assertThat(count).isPositive();
    return count;
  }

  private static List<JsonNode> events(String query) throws InterruptedException {
    var found = new ArrayList<JsonNode>();
    var after = 0L;
    while (true) {
      var page =
          cluster.doors().get(0).get("events?limit=1000&after=" + after + "&" + query).body();
      page.path("events").forEach(found::add);
      if (page.path("next").asLong() == after) {
        return found;
      }
      after = page.path("next").asLong();
    }
  }

  @Test
  void a_program_appends_under_a_condition_over_http() throws Exception {
    var tag = "order:" + UUID.randomUUID();
    var id = UUID.randomUUID();
    var first = append(id, body(tag, "OrderPlaced", condition(tag, null)));
    assertThat(first.status()).as(first.body().toString()).isEqualTo(200);
    var position = first.body().path("position").asLong();
    assertThat(first.body().at("/events/0/type").asText()).isEqualTo("OrderPlaced");
    assertThat(first.body().path("repeated").asBoolean()).isFalse();

    var repeat = append(id, body(tag, "OrderPlaced", condition(tag, null)));
    assertThat(repeat.body().path("position").asLong()).isEqualTo(position);
    assertThat(repeat.body().path("repeated").asBoolean()).isTrue();

    var refused = append(UUID.randomUUID(), body(tag, "OrderPlaced", condition(tag, null)));
    assertThat(refused.status()).isEqualTo(409);
    assertThat(refused.code()).isEqualTo("conflict");
    assertThat(refused.body().path("detail").asText()).contains("position " + position);

    var after = append(UUID.randomUUID(), body(tag, "OrderPaid", condition(tag, position)));
    assertThat(after.status()).as(after.body().toString()).isEqualTo(200);

    var read = cluster.doors().get(1).get("events?tag=" + tag);
    assertThat(read.body().path("events"))
        .extracting(event -> event.path("type").asText())
        .containsExactly("OrderPlaced", "OrderPaid");
    var paid = cluster.doors().get(1).get("events?tag=" + tag + "&tag=x:1");
    assertThat(paid.body().path("events")).isEmpty();
    var either =
        "{\"items\":[{\"types\":[\"OrderPaid\"],\"tags\":[\"%s\"]},{\"tags\":[\"%s\",\"x:1\"]}]}"
            .formatted(tag, tag);
    assertThat(
            cluster
                .doors()
                .get(2)
                .get("events?query=" + URLEncoder.encode(either, StandardCharsets.UTF_8))
                .body()
                .path("events"))
        .extracting(event -> event.path("type").asText())
        .containsExactly("OrderPaid");
  }

  @Test
  void what_an_append_may_not_say_is_told() throws Exception {
    var tag = "order:1";
    var plain = body(tag, "OrderPlaced", "");
    var noKey = cluster.doors().get(0).post("events", plain, LIMIT);
    assertThat(noKey.status()).isEqualTo(400);
    assertThat(noKey.body().at("/errors/0/pointer").asText()).isEqualTo("Idempotency-Key");

    var id = UUID.randomUUID();
    assertThat(append(id, plain).status()).isEqualTo(200);
    assertThat(append(id, body(tag, "OrderPaid", "")).code()).isEqualTo("id-reused");

    var beyond = append(UUID.randomUUID(), body(tag, "OrderPaid", condition(tag, 1L << 40)));
    assertThat(beyond.body().at("/errors/0/pointer").asText()).isEqualTo("/condition/after");

    var owned =
        append(
            UUID.randomUUID(),
            body(tag, "OrderPaid", ",\"aggregate\":{\"type\":\"Account\",\"id\":\"a-1\"}"));
    assertThat(owned.body().at("/errors/0/pointer").asText()).isEqualTo("/aggregate/type");
  }

  private static Answer append(UUID id, String body) throws InterruptedException {
    return cluster.doors().get(0).post("events", body, LIMIT, "Idempotency-Key", id.toString());
  }

  private static String body(String tag, String type, String rest) {
    return "{\"events\":[{\"type\":\""
        + type
        + "\",\"tags\":[\""
        + tag
        + "\"],\"payload\":{\"n\":1}}]"
        + rest
        + "}";
  }

  private static String condition(String tag, @Nullable Long after) {
    return ",\"condition\":{\"failIfEventsMatch\":{\"items\":[{\"tags\":[\""
        + tag
        + "\"]}]}"
        + (after == null ? "" : ",\"after\":" + after)
        + "}";
  }
}
