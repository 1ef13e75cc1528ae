package io.evento.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.cluster.AppServer;
import io.evento.cluster.ClusterPlan;
import io.evento.cluster.LocalCluster;
import io.evento.cluster.Ports;
import io.evento.protocol.ErrorCode;
import io.evento.scenario.fixture.Door;
import io.evento.scenario.fixture.Problems;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The WAR of the other tests, as it is, on the server that the Maven profile names. */
@Tag("another-server")
class AnotherServerIT {

  private static final int SHIFT = 22_000;

  private static final LocalCluster cluster = new LocalCluster(plan(), System.out::println);

  @BeforeAll
  static void start() throws Exception {
    cluster.clearTheWay();
    cluster.start();
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.stop();
  }

  @Test
  void it_takes_a_command_and_answers_a_query() throws Exception {
    var door = new Door(cluster.nodes().get(0).url());
    var account = "another-" + UUID.randomUUID();

    var opened =
        door.command(
            "OpenAccount", UUID.randomUUID(), Map.of("accountId", account, "owner", "Ada"));

    assertThat(opened.status()).as("%s", opened.body()).isEqualTo(200);
    await("the view follows")
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () ->
                assertThat(
                        door.query("FindAccount", Map.of("accountId", account))
                            .body()
                            .path("owner")
                            .asText())
                    .isEqualTo("Ada"));
  }

  @Test
  void what_the_server_itself_refuses_is_a_problem_too() throws Exception {
    var door = new Door(cluster.nodes().get(0).url()).outside();
    for (var path : List.of("", "nothing", "api/nothing", "bundle")) {
      var answer = door.get(path);
      assertThat(answer.status()).as("%s %s", path, answer.body()).isGreaterThanOrEqualTo(400);
      Problems.isProblem(answer, ErrorCode.ofStatus(answer.status()));
    }
  }

  private static ClusterPlan plan() {
    var server = AppServer.valueOf(System.getProperty("evento.another-server", "PAYARA_MICRO"));
    var project = Path.of("").toAbsolutePath();
    return new ClusterPlan(
        project,
        project.resolve("target/another-server"),
        1,
        1,
        Ports.DEFAULT.shifted(SHIFT),
        Optional.empty(),
        server,
        List.of("-Xmx512m", "-XX:TieredStopAtLevel=1"),
        false);
  }
}
