package io.evento.deployment;

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

/** What the README's one command makes of an empty folder. */
class ArchetypeIT {
  private static final Pattern COMMAND =
      Pattern.compile("^mvn -B \\S*maven-archetype-plugin\\S*:generate .*$", Pattern.MULTILINE);
  private static final Path BUILT = Path.of("target").toAbsolutePath();
  private static final Duration BUILD_MAX = Duration.ofSeconds(240);
  private static final Duration LIMIT = Duration.ofSeconds(40);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  @TempDir Path folder;

  @Test
  void the_generated_project_is_built_with_green_tests_connects_and_serves() throws Exception {
    var command = COMMAND.matcher(Files.readString(Path.of("README.md")));
    assertThat(command.find()).as("the command stands in the README").isTrue();
    maven(folder, command.group() + " -DarchetypeCatalog=internal");
    var project = folder.resolve("guests");
    assertThat(project.resolve("src/main/java/org/acme/guests/Main.java")).exists();

    assertThat(maven(project, "mvn -B package")).contains("Tests run: 3, Failures: 0, Errors: 0");

    var log = folder.resolve("log");
    var bundle = start(project, log);
    try {
      await("it serves its command")
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                var signed = ask("commands/SignGuestbook", "{\"guestbook\":\"l\",\"guest\":\"A\"}");
                assertThat(signed.status()).as("%s", signed.body()).isIn(200, 422);
              });
      await("its projector follows")
          .atMost(LIMIT)
          .untilAsserted(
              () ->
                  assertThat(ask("queries/FindGuests", "{\"guestbook\":\"l\"}").body().toString())
                      .as(Files.readString(log))
                      .isEqualTo("[\"A\"]"));
    } finally {
      bundle.destroy();
      assertThat(bundle.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }
  }

  private static Answer ask(String path, String body) throws InterruptedException {
    return cluster
        .doors()
        .get(0)
        .post(path, body, LIMIT, "Idempotency-Key", UUID.randomUUID().toString());
  }

  /** With the repository of the examples, which has what this build has made. */
  private String maven(Path directory, String command) throws IOException, InterruptedException {
    var fetched = System.getProperty("maven.repo.local");
    var settings = folder.resolve("settings.xml");
    Files.writeString(
        settings,
        Files.readString(Path.of("src/examples/settings.xml"))
            .replace(
                "@localRepositoryUrl@",
                (fetched == null
                        ? Path.of(System.getProperty("user.home"), ".m2", "repository")
                        : Path.of(fetched))
                    .toUri()
                    .toString()));
    var log = folder.resolve("maven.log");
    var process =
        new ProcessBuilder(
                "bash",
                "-c",
                command + " -s " + settings + " -Dmaven.repo.local=" + BUILT.resolve("local-repo"))
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    var isDone = process.waitFor(BUILD_MAX.toSeconds(), TimeUnit.SECONDS);
    process.destroy();
    var said = Files.readString(log);
    assertThat(isDone).as(said).isTrue();
    assertThat(process.exitValue()).as(said).isZero();
    return said;
  }

  private static Process start(Path project, Path log) throws IOException {
    var database = cluster.database();
    var bank = database.bank();
    var command =
        new ProcessBuilder("java", "-jar", "target/guests.jar").directory(project.toFile());
    command.environment().put("EVENTO_SERVERS", cluster.webSocket(cluster.node(1)));
    command
        .environment()
        .put(
            "DATABASE_URL",
            "%s?user=%s&password=%s&currentSchema=bank"
                .formatted(database.url(), bank.user(), bank.password()));
    return command.redirectErrorStream(true).redirectOutput(log.toFile()).start();
  }
}
