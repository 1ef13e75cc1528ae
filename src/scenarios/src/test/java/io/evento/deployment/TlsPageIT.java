package io.evento.deployment;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.evento.cluster.DebianPackages;
import io.evento.launcher.Tree;
import io.evento.testing.FreePorts;
import io.evento.testing.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** What {@code src/docs/tls.md} tells an operator to type, typed. */
@Order(2)
class TlsPageIT {
  private static final Path PROJECT = Path.of("").toAbsolutePath();
  private static final Path PAGE = PROJECT.resolve("src/docs/tls.md");
  private static final Pattern COMMANDS = Pattern.compile("(?ms)^```sh\n(.*?)^```$");
  private static final long SECONDS_MAX = 300;

  /** An interactive shell shows an operator what failed; here the first failure ends it all. */
  private static final String BEGIN =
      """
      set -euo pipefail
      trap 'kill $(jobs -p) 2> /dev/null; wait' EXIT
      """;

  private static String commands() throws IOException {
    return COMMANDS
        .matcher(Files.readString(PAGE))
        .results()
        .map(found -> found.group(1))
        .collect(joining("\n", BEGIN, ""));
  }

  @Test
  void the_commands_of_the_page_lead_from_nothing_to_a_node_that_nobody_hears_in_the_clear()
      throws Exception {
    DebianPackages.require("postgresql-client", "openssl", "curl");
    var folder = folder();
    try (var database = PostgresServer.start()) {
      database.execute("create database evento");
      var script = new ProcessBuilder("bash", "-c", commands());
      var environment = script.environment();
      environment.put("PATH", System.getProperty("java.home") + "/bin:" + environment.get("PATH"));
      environment.put("PGHOST", "127.0.0.1");
      environment.put("PGUSER", "postgres");
      environment.put("PGPORT", Integer.toString(database.port()));
      environment.put("DATABASE_PORT", Integer.toString(database.port()));
      environment.put("NODE_PORT", Integer.toString(FreePorts.one()));
      environment.put("BALANCER_PORT", Integer.toString(FreePorts.one()));
      environment.put("EVENTO_LINK_PORT", Integer.toString(FreePorts.one()));
      environment.put("EVENTO_LINK_FD_PORT", Integer.toString(FreePorts.one()));
      var said = folder.resolve("said");
      var running =
          script
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(said.toFile())
              .start();
      var ended = running.waitFor(SECONDS_MAX, TimeUnit.SECONDS);
      running.descendants().forEach(ProcessHandle::destroyForcibly);
      running.destroyForcibly();

      var text = Files.readString(said);
      assertThat(ended).as(text).isTrue();
      assertThat(running.exitValue()).as("%s; see %s", text, folder).isZero();
      assertThat(text).contains("schema is migrated", "TLSv1.3");
      assertThat(Files.readString(folder.resolve("node-1.log")))
          .doesNotContain(Files.readString(folder.resolve("secrets/stores")).strip());
    }
  }

  /** With what the page says that is in it. */
  private static Path folder() throws IOException {
    var folder = PROJECT.resolve("target/tls-page");
    Tree.delete(folder);
    Files.createDirectories(folder);
    for (var name : List.of("docker", "payara", "target/evento.war", "target/payara-micro.jar")) {
      var file = PROJECT.resolve(name);
      Files.createSymbolicLink(folder.resolve(file.getFileName()), file);
    }
    return folder;
  }
}
