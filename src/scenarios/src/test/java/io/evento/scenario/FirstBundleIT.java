package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The bundle of the README, as a newcomer copies it, and starts it as it says there. */
class FirstBundleIT {
  private static final Pattern BLOCK =
      Pattern.compile("```java\n(import io\\.evento.*?)```", Pattern.DOTALL);
  private static final String COMMAND =
      "java -cp \"target/examples/hello/target/lib/*\" Counter.java stay";
  private static final String ADDRESS = "ws://127.0.0.1:8081/evento";
  private static final String BODY = "{\"counter\":\"visitors\",\"by\":3}";
  private static final Duration LIMIT = Duration.ofSeconds(40);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  @TempDir Path folder;

  @Test
  void the_readmes_bundle_runs_as_pasted_and_serves_its_curl() throws Exception {
    var readme = Files.readString(Path.of("README.md"));
    assertThat(readme).contains(COMMAND).contains("/evento/api/commands/Count -H").contains(BODY);
    var block = BLOCK.matcher(readme);
    assertThat(block.find()).as("a whole bundle stands in the README").isTrue();
    assertThat(block.group(1)).contains(ADDRESS);
    var source = folder.resolve("Counter.java");
    Files.writeString(source, block.group(1).replace(ADDRESS, cluster.webSocket(cluster.node(1))));

    var log = folder.resolve("log");
    var bundle = start(source, log);
    try {
      await("the first command of the bundle itself")
          .atMost(LIMIT)
          .untilAsserted(() -> assertThat(Files.readString(log)).contains("stored at position "));
      assertThat(count(BODY).body().path("position").asLong()).isPositive();
      var refused = count("{\"counter\":\"visitors\",\"by\":0}");
      assertThat(refused.code()).as("%s", refused.body()).isEqualTo("rejected");
    } finally {
      bundle.destroy();
      assertThat(bundle.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }
  }

  private static Process start(Path source, Path log) throws IOException {
    var command =
        new ProcessBuilder(
            "bash", "-c", "exec " + COMMAND.replace("Counter.java", "'" + source + "'"));
    return command.redirectErrorStream(true).redirectOutput(log.toFile()).start();
  }

  private Answer count(String body) throws InterruptedException {
    return cluster.doors().get(0).post("commands/Count", body, LIMIT, "Idempotency-Key", id());
  }

  private static String id() {
    return UUID.randomUUID().toString();
  }
}
