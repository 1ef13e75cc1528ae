package io.evento.scenario;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.launcher.Member;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** One version of a consumer at one node, as operators see it, and what they do to it. */
final class ConsumerDoor {

  private static final Duration ANSWER_MAX = Duration.ofSeconds(60);
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Door door;
  private final String path;

  private ConsumerDoor(Door door, String path) {
    this.door = door;
    this.path = path;
  }

  static ConsumerDoor at(Cluster cluster, Member node, String name, int version) {
    return new ConsumerDoor(cluster.door(node), "consumers/" + name + "/" + version);
  }

  /** Itself with its segments; without any of these if nobody has declared it yet. */
  JsonNode view() {
    return get("");
  }

  /** What stands below it, such as {@code /comparison}, as soon as the node can tell it. */
  JsonNode get(String below) {
    return await(path + below)
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .until(() -> door.get(path + below), said -> said.isSuccess() || said.status() == 404)
        .body();
  }

  /**
   * @param operation such as {@code switch?dryRun=true}
   */
  Answer post(String operation, String body) throws InterruptedException {
    return door.post(path + "/" + operation, body, ANSWER_MAX);
  }

  String role() {
    return view().path("role").asText();
  }

  List<JsonNode> segments() {
    return list(view().path("segments"));
  }

  /** In order of positions and keys. */
  List<JsonNode> letters() {
    return list(get("/dead-letters").path("deadLetters"));
  }

  /** What was done to it, newest first, such as {@code switch because of a release}. */
  List<String> audit() {
    return list(get("/audit").path("audit")).stream()
        .map(
            row ->
                row.path("action").asText() + " because of " + row.path("reason").asText("nothing"))
        .toList();
  }

  private static List<JsonNode> list(JsonNode array) {
    var found = new ArrayList<JsonNode>();
    array.forEach(found::add);
    return found;
  }
}
