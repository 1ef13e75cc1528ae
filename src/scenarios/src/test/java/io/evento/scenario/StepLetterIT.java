package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.launcher.Member;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.ConsumerDoor;
import io.evento.scenario.fixture.Door;
import io.evento.scenario.workload.ParcelBooks;
import io.evento.scenario.workload.ParcelBundle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a saga fails on: parked by its key, shown, repaired and dropped through public doors. */
class StepLetterIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration BLAMELESS_MAX = Duration.ofSeconds(2);
  private static final int BLAMELESS = 30;
  private static final String CAUSE = "java.lang.IllegalStateException";

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private final String run = "run" + UUID.randomUUID().toString().substring(0, 8);
  private final String bad = run + "-bad";
  private final ParcelBooks books = new ParcelBooks(cluster);

  @AfterEach
  void everybody_is_back() throws Exception {
    cluster.heal();
  }

  @Test
  void a_saga_that_fails_parks_its_key_alone_and_after_repair_goes_on_in_order_though_a_node_died()
      throws Exception {
    try (var bundle = ParcelBundle.start(cluster)) {
      scan(run + "-first", 1);
      await("owned").atMost(PATIENCE).until(() -> story(run + "-first").contains("told 1"));
      bundle.breakOn("scan", bad);
      for (var number = 1; number <= 3; number++) {
        scan(bad, number);
      }
      await("parked").atMost(PATIENCE).until(() -> at(1).letters().size() == 3);
      assertThatOthersGoOn();
      assertThatLettersTellWhatFailed();

      var victim = ownerOf(at(1).letters().get(0));
      victim.kill();
      var left = cluster.nodes().stream().filter(node -> !node.equals(victim)).toList();
      var door = at(left.get(0));
      scan(bad, 4);
      await("parked by the next owner").atMost(PATIENCE).until(() -> door.letters().size() == 4);

      bundle.repair();
      var group = "{\"group\":\"" + CAUSE + "\",\"reason\":\"mended\"}";
      var would = door.post("dead-letters/retry?dryRun=true", group).body();
      assertThat(would.path("deadLetters").asInt()).as("%s", would).isEqualTo(4);
      assertThat(would.path("dryRun").asBoolean()).isTrue();
      assertThat(door.letters()).hasSize(4);
      var other = "{\"group\":\"java.lang.Error\"}";
      assertThat(door.post("dead-letters/retry", other).code()).isEqualTo("not-found");
      assertThat(at(left.get(1)).post("dead-letters/retry", group).status()).isEqualTo(200);
      await("no letters").atMost(PATIENCE).until(() -> door.letters().isEmpty());
      scan(bad, 5);
      await("live again").atMost(PATIENCE).until(() -> story(bad).contains("told 5"));
      assertThat(door.audit()).startsWith("retry because of mended");
    }
    assertThat(story(bad).stream().filter(step -> step.startsWith("scan")))
        .containsExactly("scan 1", "scan 2", "scan 3", "scan 4", "scan 5");
    assertThat(story(bad)).doesNotHaveDuplicates().hasSize(10);
    assertThat(books.notices(bad + "-")).as("each customer told once").isEqualTo(5);
  }

  private void assertThatOthersGoOn() throws Exception {
    for (var i = 0; i < BLAMELESS; i++) {
      scan(run + "-good-" + i, 1);
    }
    await("others are told")
        .atMost(PATIENCE)
        .until(() -> books.notices(run + "-good-") == BLAMELESS);
    assertThat(books.slowestNotice(run + "-good-"))
        .as("seconds to the slowest notice")
        .isLessThan(BLAMELESS_MAX.toSeconds());
    await("without a lag")
        .atMost(PATIENCE)
        .until(
            () ->
                at(2).segments().stream()
                    .allMatch(
                        segment ->
                            segment.path("state").asText().equals("running")
                                && segment.path("lagSeconds").asDouble() < 1));
    assertThat(at(2).letters()).hasSize(3);
  }

  private void assertThatLettersTellWhatFailed() throws Exception {
    assertThat(at(3).view().path("deadLetters").asInt()).isEqualTo(3);
    assertThat(at(3).letters()).allMatch(letter -> letter.path("key").asText().equals(bad));
    var first = at(3).letters().get(0);
    assertThat(first.path("kind").asText()).isEqualTo("event");
    assertThat(first.path("type").asText()).isEqualTo("ParcelScanned");
    assertThat(first.path("attempts").asInt()).isEqualTo(5);
    assertThat(first.path("group").asText()).isEqualTo(CAUSE);
    assertThat(first.path("cause").asText()).contains("cannot bear scan of " + bad);
    var shown = at(2).get("/dead-letters/" + first.path("id").asText());
    assertThat(shown.at("/event/payload/parcelId").asText()).as("%s", shown).isEqualTo(bad);
    assertThat(shown.at("/event/payload/scan").asInt()).isEqualTo(1);
    var groups = at(1).get("/dead-letters/groups");
    assertThat(groups.at("/groups/0/group").asText()).as("%s", groups).isEqualTo(CAUSE);
    assertThat(groups.at("/groups/0/failed").asInt()).isEqualTo(1);
    assertThat(groups.path("waiting").asInt()).isEqualTo(2);
  }

  @Test
  void outcomes_and_deadlines_are_parked_too_and_what_is_dropped_is_dropped_with_a_reason()
      throws Exception {
    var deaf = run + "-deaf";
    var late = run + "-late";
    try (var bundle = ParcelBundle.start(cluster)) {
      bundle.breakOn("told", deaf);
      bundle.breakOn("late", late);
      scan(deaf, 1);
      watch(late);
      await("parked").atMost(PATIENCE).until(() -> at(1).letters().size() == 2);
      scan(deaf, 2);
      await("parked behind").atMost(PATIENCE).until(() -> at(1).letters().size() == 3);

      var outcome = shown("outcome", deaf);
      assertThat(outcome.path("type").asText()).isEqualTo("TellCustomer");
      assertThat(outcome.path("position").asInt()).isZero();
      assertThat(outcome.path("cause").asText()).contains("cannot bear told of " + deaf);
      assertThat(outcome.at("/outcome/payload/noticeId").asText())
          .as("%s", outcome)
          .isEqualTo(deaf + "-1");
      var deadline = shown("deadline", late);
      assertThat(deadline.path("type").asText()).isEqualTo("late");
      assertThat(deadline.at("/deadline/name").asText()).as("%s", deadline).isEqualTo("late");

      var drop = "dead-letters/" + deadline.path("id").asText() + "/drop";
      assertThat(at(2).post(drop, "{}").code()).isEqualTo("invalid-request");
      assertThat(at(2).letters()).hasSize(3);
      assertThat(at(2).post(drop, "{\"reason\":\"came by boat\"}").status()).isEqualTo(200);
      assertThat(at(3).audit()).startsWith("drop because of came by boat");

      bundle.repair();
      var retry = "dead-letters/" + outcome.path("id").asText() + "/retry";
      assertThat(at(3).post(retry, "{\"reason\":\"mended\"}").status()).isEqualTo(200);
      await("the outcome is heard").atMost(PATIENCE).until(() -> at(1).letters().size() == 1);
      assertThat(at(1).post("dead-letters/retry", "{\"reason\":\"all\"}").status()).isEqualTo(200);
      await("no letters").atMost(PATIENCE).until(() -> at(1).letters().isEmpty());
      scan(late, 2);
      await("both are live again")
          .atMost(PATIENCE)
          .until(() -> story(late).contains("told 2") && story(deaf).contains("told 2"));
    }
    assertThat(story(deaf)).containsExactly("scan 1", "told 1", "scan 2", "told 2");
    assertThat(story(late)).containsExactly("scan 1", "told 1", "scan 2", "told 2");
    assertThat(at(1).audit())
        .startsWith(
            "retry because of all", "retry because of mended", "drop because of came by boat");
  }

  /** The letter of a kind and a key, in full. */
  private static JsonNode shown(String kind, String key) {
    var found =
        at(1).letters().stream()
            .filter(letter -> letter.path("kind").asText().equals(kind))
            .toList();
    assertThat(found).as(kind).hasSize(1);
    assertThat(found.get(0).path("key").asText()).isEqualTo(key);
    return at(2).get("/dead-letters/" + found.get(0).path("id").asText());
  }

  // ---- doors

  private static ConsumerDoor at(int node) {
    return at(cluster.node(node));
  }

  private static ConsumerDoor at(Member node) {
    return ConsumerDoor.at(cluster, node, ParcelBundle.SAGA, 1);
  }

  /** The node that delivers the segment of a letter. */
  private static Member ownerOf(JsonNode letter) {
    var slot = letter.path("slot").asInt();
    var owner =
        at(1).segments().stream()
            .filter(
                segment ->
                    segment.path("firstSlot").asInt() <= slot
                        && slot <= segment.path("lastSlot").asInt())
            .map(segment -> segment.path("owner").asText())
            .findFirst()
            .orElseThrow();
    return cluster.nodes().stream()
        .filter(node -> node.id().equals(owner))
        .findFirst()
        .orElseThrow();
  }

  private static void scan(String parcel, int number) {
    scan(parcel, number, false);
  }

  private static void watch(String parcel) {
    scan(parcel, 1, true);
  }

  /** At whichever node answers. */
  private static void scan(String parcel, int number, boolean isWatched) {
    var id = UUID.randomUUID();
    var payload = Map.of("parcelId", parcel, "scan", number, "isWatched", isWatched);
    await("scan " + number + " of " + parcel)
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .until(() -> cluster.doors().stream().anyMatch(door -> isTaken(door, id, payload)));
  }

  private static boolean isTaken(Door door, UUID id, Map<String, ?> payload) {
    try {
      return door.command("ScanParcel", id, payload, Duration.ofSeconds(3)).isSuccess();
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(stopped);
    }
  }

  /** What the saga of a parcel has noted, as the first node that answers tells it. */
  private static List<String> story(String parcel) throws InterruptedException {
    var story = new ArrayList<String>();
    for (var door : cluster.doors()) {
      var saga = door.get("sagas/" + ParcelBundle.SAGA + "/1/" + parcel);
      if (saga.isSuccess()) {
        saga.body().at("/saga/state/story").forEach(step -> story.add(step.asText()));
        break;
      }
    }
    return story;
  }
}
