package io.evento.server.cluster;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.server.Threads;
import io.evento.server.config.ServerConfig;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.FreePorts;
import io.evento.testing.PostgresFixture;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A node tries again to join until it can: what an earlier try opened must not be in its way. */
class TakenPortTest {

  @Test
  void a_node_joins_once_the_port_of_somebody_else_is_free() throws Exception {
    var port = FreePorts.row(3);
    var threads = new Threads(Thread::new);
    try (var where = PostgresFixture.shared().migrated()) {
      var standard = NodeConfig.of(where, "node-1");
      var config =
          new ServerConfig(
              standard.node(),
              standard.database(),
              new ServerConfig.Link(port, port + 1, Optional.empty()),
              new ServerConfig.Http(List.of()),
              standard.webSocket(),
              standard.security());
      var database = new Database(config);
      var links = new Links(config, database, threads, new Metrics());
      try {
        links.forgetFormer();
        var host = InetAddress.getByName(config.node().bind());
        try (var first = new ServerSocket(port + 1, 1, host);
            var second = new ServerSocket(port + 2, 1, host)) {
          assertThatThrownBy(links::start)
              .as("with %s and %s taken", first, second)
              .hasStackTraceContaining("available port in ports [" + (port + 1));
          // The next tries must not fail by what this one has left.
          assertThatThrownBy(links::start)
              .hasStackTraceContaining("available port in ports [" + (port + 1));
        }
        assertThatCode(links::start).doesNotThrowAnyException();
      } finally {
        links.stop();
        threads.stop();
        database.close();
      }
    }
  }
}
