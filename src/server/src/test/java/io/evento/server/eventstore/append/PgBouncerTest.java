package io.evento.server.eventstore.append;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.eventstore.StoreNode;
import io.evento.testing.FreePorts;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link PoolerTest} with the real one, where it is installed (Debian: {@code pgbouncer}). */
@Tag("soak")
class PgBouncerTest {

  @TempDir private Path directory;

  @Test
  void transaction_and_statement_mode_are_refused_and_session_mode_is_not() throws Exception {
    assumeThat(Stream.of("/usr/sbin/pgbouncer", "/usr/bin/pgbouncer").map(Path::of))
        .as("pgbouncer is installed")
        .anyMatch(Files::isExecutable);
    try (var database = PostgresFixture.shared().migrated()) {
      for (var mode : List.of("transaction", "statement")) {
        var bouncer = new Bouncer(database, mode);
        try (var node = StoreNode.start(database.through(bouncer.port), "a")) {
          await(mode)
              .atMost(ofSeconds(20))
              .until(() -> node.appender.whyNotReady().contains("pooler in transaction"));
          assertThat(node.appender.isReady()).isFalse();
        } finally {
          bouncer.process.destroy();
        }
      }
      var bouncer = new Bouncer(database, "session");
      try (var node = StoreNode.start(database.through(bouncer.port), "a")) {
        await("session").atMost(ofSeconds(20)).until(node.appender::isReady);
      } finally {
        bouncer.process.destroy();
      }
    }
  }

  private final class Bouncer {
    private final int port;
    private final Process process;

    Bouncer(TestDatabase database, String mode) throws IOException {
      port = FreePorts.one();
      var settings = directory.resolve(mode + ".ini");
      Files.writeString(
          settings,
          """
          [databases]
          * = host=127.0.0.1 port=%d user=%s
          [pgbouncer]
          listen_addr = 127.0.0.1
          listen_port = %d
          unix_socket_dir =
          auth_type = any
          pool_mode = %s
          ignore_startup_parameters = extra_float_digits
          """
              .formatted(database.port(), PostgresFixture.SERVER, port, mode));
      var command = new ArrayList<String>();
      if ("root".equals(System.getProperty("user.name"))) {
        command.addAll(List.of("unshare", "-U")); // it does not run as root
      }
      command.addAll(List.of("pgbouncer", settings.toString()));
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve(mode + ".log").toFile())
              .start();
      await("pgbouncer " + mode)
          .atMost(ofSeconds(20))
          .ignoreExceptions()
          .until(
              () -> {
                new Socket("127.0.0.1", port).close();
                return true;
              });
    }
  }
}
