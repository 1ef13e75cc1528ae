package io.evento.scenario.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Credential;
import io.evento.scenario.fixture.EventStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The live stream that pages are drawn from. */
class LiveTopicsIT {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  /** What a page knows: topics, put together from what came. */
  private final Map<String, JsonNode> topics = new ConcurrentHashMap<>();

  private final List<String> names = new CopyOnWriteArrayList<>();

  private void hear(String name, JsonNode said) {
    names.add(name);
    var topic = said.path("topic").asText();
    switch (name) {
      case "snapshot" -> topics.put(topic, said.path("data"));
      case "patch" ->
          topics.compute(
              topic,
              (key, now) ->
                  merge(
                      now == null ? JsonNodeFactory.instance.objectNode() : now,
                      said.path("data")));
      default -> {}
    }
  }

  /** RFC 7386, by its own pseudocode. */
  private static JsonNode merge(JsonNode target, JsonNode patch) {
    if (!patch.isObject()) {
      return patch;
    }
    var merged =
        target instanceof ObjectNode object
            ? object.deepCopy()
            : JsonNodeFactory.instance.objectNode();
    patch
        .fields()
        .forEachRemaining(
            member -> {
              if (member.getValue().isNull()) {
                merged.remove(member.getKey());
              } else {
                merged.set(member.getKey(), merge(merged.path(member.getKey()), member.getValue()));
              }
            });
    return merged;
  }

  @Test
  void a_topic_comes_whole_and_then_by_what_changed() {
    try (var stream = EventStream.get(cluster.doors(), "live?topics=nodes,badges", this::hear)) {
      await().atMost(LIMIT).until(() -> names.stream().filter("patch"::equals).count() >= 3);
      assertThat(names.subList(0, 2)).containsExactly("snapshot", "snapshot");
      var nodes = Objects.requireNonNull(topics.get("nodes")).path("nodes");
      assertThat(nodes).hasSizeGreaterThanOrEqualTo(2);
      for (var node : nodes) {
        assertThat(node.path("figures").path("heapBytes").asLong()).isPositive();
      }
      assertThat(stream.opened()).isPositive();
    }
  }

  @Test
  void a_quiet_stream_is_heard_every_five_seconds() {
    try (var stream = EventStream.get(cluster.doors(), "live?topics=badges", this::hear)) {
      await().atMost(LIMIT).until(() -> names.contains("beat"));
      assertThat(stream.opened()).isEqualTo(1);
    }
  }

  @Test
  void who_has_no_stream_is_told_the_same_once() throws Exception {
    var answer = ask("live?topics=badges,consumers");
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.body().path("topics").path("badges").path("nodes").asInt())
        .isGreaterThanOrEqualTo(cluster.nodes().size());
    assertThat(answer.body().path("topics").path("consumers").path("consumers").isObject())
        .isTrue();
  }

  @Test
  void what_is_no_topic_is_refused_with_those_that_there_are() throws Exception {
    var unknown = ask("live?topics=weather");
    assertThat(unknown.status()).isEqualTo(404);
    assertThat(unknown.body().toString()).contains("badges, configuration, consumers");
    assertThat(ask("live").status()).isEqualTo(400);
  }

  private Answer ask(String path) throws Exception {
    return Credential.NONE.ask(cluster.door(cluster.node(1)), "GET", path, "");
  }
}
