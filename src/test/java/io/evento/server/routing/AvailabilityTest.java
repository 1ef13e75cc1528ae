package io.evento.server.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.EventoException;
import io.evento.protocol.Message.CommandType;
import io.evento.protocol.Message.Component;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.config.ServerConfig;
import io.evento.server.persistence.Database;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Nodes that share a database and may or may not hear each other. */
class AvailabilityTest {
  private final List<Node> nodes = new ArrayList<>();
  private TestDatabase database;

  @BeforeEach
  void migrate() {
    database = PostgresFixture.shared().migrated();
  }

  @AfterEach
  void stop() {
    nodes.forEach(Node::close);
    database.close();
  }

  @Test
  void a_node_alone_serves_though_nobody_hosts_anything() {
    var node = up("a");
    await().until(node.availability::isServing);
  }

  @Test
  void a_node_that_hosts_nothing_and_hears_nobody_who_may_says_so_until_it_does() throws Exception {
    var first = up("a");
    var second = up("b");
    await().until(() -> !first.availability.isServing() && !second.availability.isServing());
    assertThatThrownBy(first.availability::check)
        .isInstanceOf(EventoException.class)
        .hasMessageContaining("hears no other node");

    first.host();
    assertThat(first.availability.isServing()).isTrue();
    assertThat(second.availability.isServing()).isFalse();

    first.links.start();
    second.links.start();
    await().until(second.availability::isServing);
    assertThat(second.directory.hasHeardFrom(Set.of("a"))).isTrue();
    assertThat(second.directory.hosting("Deposit")).hasSize(1);
  }

  @Test
  void a_node_that_was_left_alone_serves_again() {
    var first = up("a");
    var second = up("b");
    await().until(() -> !first.availability.isServing());
    second.membership.drain();
    await().until(first.availability::isServing);
  }

  private Node up(String name) {
    var node = new Node(database.config(name));
    nodes.add(node);
    node.membership.start();
    node.membership.up();
    return node;
  }

  private static final class Node implements AutoCloseable {
    private final Threads threads = new Threads(Thread::new);
    private final Database database;
    private final Sessions sessions;
    private final Links links;
    private final Membership membership;
    private final Directory directory;
    private final Availability availability;

    Node(ServerConfig standard) {
      var port = freePort();
      var config =
          new ServerConfig(
              standard.node(),
              standard.database(),
              new ServerConfig.Link(port, port + 1),
              standard.webSocket());
      var metrics = new Metrics();
      database = new Database(config);
      sessions = new Sessions(metrics);
      links = new Links(config, database, threads, metrics);
      membership = new Membership(config, database, threads, links, metrics);
      directory = new Directory(links, sessions, threads);
      availability = new Availability(membership, directory, sessions);
    }

    private static int freePort() {
      try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }

    void host() {
      var session = new BundleSession(1, "bank", UUID.randomUUID(), (message, lane) -> true);
      sessions.add(session);
      sessions.declared(
          session,
          List.of(
              new Component(
                  "aggregate",
                  "Account",
                  1,
                  "bank",
                  List.of(new CommandType("Deposit", "accountId", null)),
                  List.of(),
                  List.of(),
                  null,
                  null)));
    }

    @Override
    public void close() {
      membership.stop();
      links.stop();
      threads.stop();
      database.close();
    }
  }
}
