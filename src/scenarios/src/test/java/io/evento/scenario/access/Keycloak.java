package io.evento.scenario.access;

import static org.awaitility.Awaitility.await;

import io.evento.testing.FreePorts;
import io.evento.testing.ProcessTree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * Keycloak's own server, as the Maven profile {@code keycloak} unpacks it to {@code
 * target/keycloak}, with the realm of {@code keycloak/evento-realm.json}.
 */
final class Keycloak implements AutoCloseable {
  static final String CLIENT = "evento-console";
  static final String SECRET = "only-in-this-test";

  private static final Path HOME = Path.of("target", "keycloak").toAbsolutePath();
  private static final String REALM = "evento-realm.json";

  /** Its first start builds itself anew. */
  private static final Duration START = Duration.ofMinutes(3);

  private final Process process;
  private final String issuer;

  private Keycloak(Process process, String issuer) {
    this.process = process;
    this.issuer = issuer;
  }

  static Keycloak start() {
    var port = FreePorts.one();
    try {
      var imports = Files.createDirectories(HOME.resolve("data").resolve("import"));
      try (var realm = Keycloak.class.getResourceAsStream("/keycloak/" + REALM)) {
        Files.copy(
            Objects.requireNonNull(realm),
            imports.resolve(REALM),
            StandardCopyOption.REPLACE_EXISTING);
      }
      var command =
          new ProcessBuilder(
              List.of(
                  "bash",
                  HOME.resolve("bin").resolve("kc.sh").toString(),
                  "start-dev",
                  "--db=dev-mem",
                  "--http-host=127.0.0.1",
                  "--http-port=" + port,
                  "--hostname=http://localhost:" + port,
                  "--import-realm"));
      command.environment().put("JAVA_OPTS_KC_HEAP", "-Xms64m -Xmx512m");
      var log = HOME.resolveSibling("keycloak.log").toFile();
      var process = command.redirectErrorStream(true).redirectOutput(log).start();
      var keycloak = new Keycloak(process, "http://localhost:" + port + "/realms/evento");
      Runtime.getRuntime().addShutdownHook(new Thread(keycloak::close));
      await("Keycloak, which says why in " + log).atMost(START).until(keycloak::answers);
      return keycloak;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private boolean answers() throws InterruptedException {
    var document = URI.create(issuer + "/.well-known/openid-configuration");
    try {
      return HttpClient.newHttpClient()
              .send(HttpRequest.newBuilder(document).build(), BodyHandlers.discarding())
              .statusCode()
          == 200;
    } catch (IOException notYet) {
      return false;
    }
  }

  String issuer() {
    return issuer;
  }

  @Override
  public void close() {
    ProcessTree.kill(process.pid());
  }
}
