package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.workload.TabBundles;
import io.evento.scenario.workload.TabBundles.TabView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two releases of a bundle side by side, the second with a new version of an event. */
class UpcastingIT {
  private static final int TABS = 40;
  private static final Duration LIMIT = Duration.ofSeconds(10);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private final String run = UUID.randomUUID().toString().substring(0, 8);

  private String tab(String kind, int number) {
    return run + "-" + kind + "-" + number;
  }

  private static void done(String type, Map<String, ?> payload) throws InterruptedException {
    for (var door : cluster.doors().subList(0, 1)) {
      var answer = door.command(type, UUID.randomUUID(), payload, LIMIT);
      assertThat(answer.status()).as(type + " " + answer.body()).isEqualTo(200);
    }
  }

  private void openAll(String kind) throws InterruptedException {
    for (var i = 0; i < TABS; i++) {
      done("OpenTab", Map.of("tab", tab(kind, i), "owner", "Ada " + kind));
    }
  }

  private void addToAll(String kind) throws InterruptedException {
    for (var i = 0; i < TABS; i++) {
      done("AddLine", Map.of("tab", tab(kind, i), "text", "x"));
    }
  }

  @Test
  void no_command_query_or_event_suffers_while_an_old_and_a_new_release_run_side_by_side()
      throws Exception {
    var seenByOld = new ConcurrentHashMap<String, String>();
    var seenByNew = new ConcurrentHashMap<String, TabView>();
    var bundles = new ArrayList<AutoCloseable>();
    try {
      var old = TabBundles.Old.start(cluster, seenByOld);
      bundles.add(old);
      openAll("old");
      addToAll("old");
      await().atMost(LIMIT).until(() -> seenByOld.size() == TABS);

      bundles.add(TabBundles.New.start(cluster, seenByNew));
      // Which of the two decides is the cluster's choice: some tabs are opened by either.
      openAll("mixed");
      for (var round = 0; round < 4; round++) {
        addToAll("old");
        addToAll("mixed");
      }
      assertThat(versionsOf("mixed")).as("tabs opened by either release").contains(1, 2);

      old.close();
      addToAll("old");
      addToAll("mixed");
      // Segments of the old instance waited for one that knows the new version.
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () -> {
                for (var i = 0; i < TABS; i++) {
                  if (!seenByNew.containsKey(tab("mixed", i))
                      && !seenByOld.containsKey(tab("mixed", i))) {
                    return false;
                  }
                }
                return true;
              });
      assertThat(seenByNew.values()).extracting(TabView::firstName).containsOnly("Ada");

      var known = seenByNew.keySet().iterator().next();
      assertThat(ask("{\"tab\":\"" + known + "\"}").body().path("firstName").asText())
          .as("a question of the first version")
          .isEqualTo("Ada");
      assertThat(
              ask("{\"tabId\":\"" + known + "\"}", "Evento-Payload-Version", "2")
                  .body()
                  .path("firstName")
                  .asText())
          .isEqualTo("Ada");
      assertThat(ask("{}", "Evento-Payload-Version", "3").code()).isEqualTo("no-handler");
      assertCatalogKnowsBoth();
    } finally {
      for (var bundle : bundles) {
        bundle.close();
      }
    }
  }

  private static Answer ask(String body, String... headers) throws InterruptedException {
    return cluster.doors().get(2).post("queries/FindTab", body, LIMIT, headers);
  }

  private Iterable<Integer> versionsOf(String kind) throws InterruptedException {
    var versions = new ArrayList<Integer>();
    for (var i = 0; i < TABS; i++) {
      var stream = cluster.doors().get(1).get("streams/Tab/" + tab(kind, i)).body();
      versions.add(stream.at("/events/0").path("payloadVersion").asInt(1));
    }
    return versions;
  }

  private static void assertCatalogKnowsBoth() throws InterruptedException {
    var payloads = cluster.doors().get(0).get("catalog").body().path("payloads");
    var opened =
        StreamSupport.stream(payloads.spliterator(), false)
            .filter(payload -> payload.path("type").asText().equals("TabOpened"))
            .findFirst()
            .orElseThrow();
    assertThat(opened.path("version").asInt()).isEqualTo(2);
    assertThat(opened.at("/schema/properties/firstName").isMissingNode()).isFalse();
    assertThat(opened.path("versions"))
        .extracting((JsonNode version) -> version.path("version").asInt())
        .containsExactly(1, 2);
    assertThat(opened.at("/versions/0/schema/properties/owner").isMissingNode()).isFalse();
  }
}
