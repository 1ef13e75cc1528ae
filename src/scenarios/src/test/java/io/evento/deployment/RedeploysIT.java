package io.evento.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.ContainerBundle;
import io.evento.scenario.fixture.Leftovers;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Applications that are taken away and put there again in one process of the application server
 * that the Maven profile names, else Payara Micro.
 */
@Tag("another-server")
class RedeploysIT {
  @RegisterExtension static final Cluster cluster = Cluster.ofOneNode();

  private static final String BUNDLE = "io.evento.bundle.EventoBundle";
  private static final int FIRST = 3;
  private static final int REDEPLOYS = 10;

  /** Those of the last one are not all collected yet, or some cache of the server holds it. */
  private static final int GENERATIONS_MAX = 2;

  private static final int METASPACE_GROWTH_MAX = 25;
  private static final int POOL_MAX = 20;

  private interface Use {
    void run(ContainerBundle application) throws Exception;
  }

  private record Seen(Leftovers before, Leftovers after) {}

  /** What a server keeps of the first ones it keeps once; then they are counted. */
  private static Seen redeployed(ContainerBundle application, String marker, Use use)
      throws Exception {
    application.start().awaitReady();
    use.run(application);
    for (var time = 1; time <= FIRST; time++) {
      application.redeploy();
      use.run(application);
    }
    var before = application.leftovers(marker);
    for (var time = 1; time <= REDEPLOYS; time++) {
      application.redeploy();
      use.run(application);
    }
    var after = application.leftovers(marker);
    // Who finds nothing of what runs has not looked.
    for (var seen : List.of(before, after)) {
      assertThat(seen.instances()).as("%s", seen).isPositive();
      assertThat(seen.loaderCount()).as("%s", seen).isPositive();
      assertThat(seen.metaspace()).as("%s", seen).isPositive();
      assertThat(seen.threads()).as("%s", seen).hasSizeGreaterThan(5);
    }
    System.out.println("[redeploys] " + before + "\n[redeploys] " + after);
    return new Seen(before, after);
  }

  @Test
  void an_empty_application_shows_what_the_server_itself_keeps() throws Exception {
    try (var empty =
        ContainerBundle.onServer(
            cluster, "empty", empty(), Map.of(), "index.html", "empty application started")) {
      var seen =
          redeployed(
              empty,
              EmptyApplication.class.getName(),
              application ->
                  assertThat(application.outside("/empty/index.html").statusCode()).isEqualTo(200));
      assertThat(seen.after().loaderCount())
          .isLessThanOrEqualTo(seen.before().loaderCount() + GENERATIONS_MAX);
    }
  }

  private static Path empty() throws IOException {
    var war = Path.of("target/containers/empty.war").toAbsolutePath();
    Files.createDirectories(war.getParent());
    Files.deleteIfExists(war);
    try (var archive = FileSystems.newFileSystem(war, Map.of("create", "true"));
        var bytes =
            EmptyApplication.class.getResourceAsStream(
                "/" + EmptyApplication.class.getName().replace('.', '/') + ".class")) {
      var file =
          archive.getPath(
              "WEB-INF/classes/" + EmptyApplication.class.getName().replace('.', '/') + ".class");
      Files.createDirectories(file.getParent());
      Files.copy(Objects.requireNonNull(bytes), file);
      Files.writeString(archive.getPath("index.html"), "empty");
    }
    return war;
  }

  @Test
  void a_bundle_of_cdi_beans_leaves_nothing_behind() throws Exception {
    try (var bank = ContainerBundle.ofCdi(cluster)) {
      var seen = redeployed(bank, BUNDLE, RedeploysIT::paysIn);
      nothingIsLeft(seen);
      await("the sessions of the ones before are forgotten")
          .atMost(Duration.ofSeconds(30))
          .until(() -> bank.leftovers(BUNDLE).sessions() == 1);
      assertThat(seen.after().connections()).isBetween(1, POOL_MAX);
    }
  }

  private static void paysIn(ContainerBundle bank) throws Exception {
    var account = "accounts/" + UUID.randomUUID();
    assertThat(bank.post(account + "?owner=Ada").statusCode()).isEqualTo(200);
    assertThat(bank.post(account + "/in?amount=5").statusCode()).isEqualTo(200);
  }

  @Test
  void a_node_leaves_nothing_behind() throws Exception {
    var war = Path.of("target/evento.war").toAbsolutePath();
    var settings = ContainerBundle.node(cluster, "evento-again");
    try (var node =
        ContainerBundle.onServer(
            cluster, "evento", war, settings, "api/health/ready", "node up node=evento-again")) {
      var seen = redeployed(node, "io.evento.server.node.NodeLifecycle", RedeploysIT::takesCommand);
      nothingIsLeft(seen);
      assertThat(seen.after().connections()).isLessThanOrEqualTo(seen.before().connections() + 5);
    }
  }

  private static void takesCommand(ContainerBundle node) throws Exception {
    var id = UUID.randomUUID();
    await("it has a command decided and stores what came of it")
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(
                        node.command(
                                "OpenAccount",
                                id,
                                "{\"accountId\":\"%s\",\"owner\":\"Ada\"}".formatted(id))
                            .statusCode())
                    .isEqualTo(200));
  }

  private static void nothingIsLeft(Seen seen) {
    var before = seen.before();
    var after = seen.after();
    assertThat(after.instances()).as("%s", after).isLessThanOrEqualTo(GENERATIONS_MAX);
    assertThat(after.loaderCount())
        .as("%s after %s", after, before)
        .isLessThanOrEqualTo(before.loaderCount() + GENERATIONS_MAX - 1);
    assertThat(after.metaspace())
        .as("%s after %s", after, before)
        .isLessThanOrEqualTo(before.metaspace() + METASPACE_GROWTH_MAX);
    assertThat(ofThreads(after))
        .as("%s after %s", after.threads(), before.threads())
        .isLessThanOrEqualTo(ofThreads(before) + REDEPLOYS / 2);
  }

  private static long ofThreads(Leftovers of) {
    return of.threadsOf(
        "evento", "HttpClient", "ManagedThreadFactory", "command-", "query-", "event-", "JGroups");
  }
}
