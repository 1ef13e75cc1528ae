package io.evento.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.scenario.access.ForeignPages;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Problems;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The WAR of the other tests, as it is, on the server that the Maven profile names. */
@Tag("another-server")
class AnotherServerIT extends ForeignPages {
  @RegisterExtension static final Cluster cluster = Cluster.openOnAnotherServer();

  @Override
  protected Cluster cluster() {
    return cluster;
  }

  @Test
  void it_takes_a_command_and_answers_a_query() throws Exception {
    var door = cluster.door(cluster.node(1));
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
    var door = cluster.door(cluster.node(1)).outside();
    for (var path : List.of("nothing", "api/nothing", "bundle", "console/none.js")) {
      var answer = door.get(path);
      assertThat(answer.status()).as("%s %s", path, answer.body()).isGreaterThanOrEqualTo(400);
      Problems.isProblem(answer, ErrorCode.ofStatus(answer.status()));
    }
  }

  /** Some servers answer this below the application, each in its own form. */
  @Test
  void the_inside_of_the_war_is_nobodys_to_read() throws Exception {
    var answer = cluster.door(cluster.node(1)).outside().get("WEB-INF/web.xml");
    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.body().asText()).doesNotContain("<web-app");
  }

  @Test
  void its_root_leads_programs_to_the_console_and_tells_readers_what_this_is() throws Exception {
    var outside = cluster.door(cluster.node(1)).outside();
    var root = outside.get("");
    assertThat(root.status()).isEqualTo(302);
    assertThat(root.headers().firstValue("Location").orElse("")).endsWith("/evento/console/");
    assertThat(outside.get("console/").body().asText()).contains("<title>Evento");
    var led = outside.send("GET", "", "", Duration.ofSeconds(20), "Accept", "text/html");
    assertThat(led.headers().firstValue("Location").orElse("")).endsWith("/console/welcome.html");
    assertThat(outside.get("console/welcome.html").body().asText()).contains("Connect a bundle");
  }
}
