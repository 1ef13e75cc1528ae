package io.evento.server.cluster;

import static org.awaitility.Awaitility.await;

import io.evento.server.Threads;
import io.evento.server.config.LinkTls;
import io.evento.server.config.ServerConfig;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.FreePorts;
import io.evento.testing.TestDatabase;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The cluster's part of one node, in the order of a node's start. */
final class LinkNode implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final Threads threads = new Threads(Thread::new);
  private final Database database;
  private final Membership membership;
  final Links links;
  final ServerConfig config;

  LinkNode(TestDatabase where, String name) throws Exception {
    this(where, name, Optional.empty());
  }

  LinkNode(TestDatabase where, String name, Optional<LinkTls> tls) throws Exception {
    config = config(where, name, tls);
    var metrics = new Metrics();
    database = new Database(config);
    links = new Links(config, database, threads, metrics);
    membership = new Membership(config, database, threads, links, metrics);
    links.forgetFormer();
    membership.start();
    await().atMost(LIMIT).until(membership::isBeating);
    links.start();
    membership.up();
  }

  /** Of a node on ports that are free. */
  static ServerConfig config(TestDatabase where, String name, Optional<LinkTls> tls)
      throws IOException {
    var standard = NodeConfig.of(where, name);
    var port = FreePorts.row(2);
    return new ServerConfig(
        standard.node(),
        standard.database(),
        new ServerConfig.Link(port, port + 1, tls),
        new ServerConfig.Http(List.of()),
        standard.webSocket(),
        standard.security());
  }

  @Override
  public void close() {
    membership.stop();
    links.stop();
    threads.stop();
    database.close();
  }
}
