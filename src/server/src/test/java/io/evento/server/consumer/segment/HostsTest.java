package io.evento.server.consumer.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.routing.session.Directory;
import io.evento.server.routing.session.Sessions;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HostsTest {
  private static final ConsumerId ACCOUNTS = new ConsumerId("accounts", 1);
  private static final TestDatabase WHERE = PostgresFixture.shared().empty();

  private final Threads threads = new Threads(Thread::new);
  private final Metrics metrics = new Metrics();
  private final Sessions sessions = new Sessions(metrics);
  private final Database database = new Database(NodeConfig.of(WHERE, "a"));
  private final Links links = new Links(NodeConfig.of(WHERE, "a"), database, threads, metrics);
  private final Membership membership =
      new Membership(NodeConfig.of(WHERE, "a"), database, threads, links, metrics);
  private final Hosts hosts =
      new Hosts(sessions, new Directory(links, sessions, threads), membership);

  @AfterAll
  static void drop() {
    WHERE.close();
  }

  @AfterEach
  void stop() {
    threads.stop();
    database.close();
  }

  @Test
  void a_node_may_hold_leases_only_while_it_is_up() {
    connect(RecordingBundle.projector("accounts"));
    assertThat(hosts.now().get(ACCOUNTS)).satisfies(of -> assertThat(of.nodes()).isEmpty());
    membership.up();
    assertThat(hosts.now().get(ACCOUNTS))
        .satisfies(of -> assertThat(of.nodes()).containsExactly("a"));
  }

  @Test
  void while_a_node_drains_it_keeps_what_no_other_one_hosts() {
    connect(RecordingBundle.projector("accounts"));
    membership.up();
    membership.drain();
    assertThat(hosts.now().get(ACCOUNTS))
        .satisfies(of -> assertThat(of.nodes()).containsExactly("a"));
  }

  @Test
  void only_open_sessions_that_declared_a_consumer_count() {
    connect(
        new Component(
            ComponentKind.PROJECTION,
            "pages",
            0,
            "bank",
            List.of(),
            List.of(),
            List.of(),
            null,
            "accounts"));
    assertThat(hosts.now()).isEmpty();
    connect(SteppingBundle.saga());
    var bundle = connect(RecordingBundle.projector("accounts"));
    assertThat(hosts.now()).containsOnlyKeys(ACCOUNTS, new ConsumerId("greeting", 1));
    assertThat(hosts.isConnected(bundle.session)).isTrue();
    sessions.drain(bundle.session);
    assertThat(hosts.now()).containsOnlyKeys(new ConsumerId("greeting", 1));
    assertThat(hosts.isConnected(bundle.session)).isTrue();
    sessions.remove(bundle.session);
    assertThat(hosts.isConnected(bundle.session)).isFalse();
  }

  @Test
  void the_newest_declaration_counts_and_each_session_keeps_its_own() {
    var narrow = new Consumption(List.of(), List.of("Opened"), "beginning", 0);
    var old = connect(RecordingBundle.projector("accounts", narrow));
    var now = connect(RecordingBundle.projector("accounts"));
    assertThat(hosts.now().get(ACCOUNTS))
        .satisfies(
            of -> {
              assertThat(of.component().consumes()).isNotEqualTo(narrow);
              assertThat(of.sessions()).containsExactly(old.session, now.session);
              assertThat(of.instances()).hasSize(2);
            });
    assertThat(Filter.of(old.session, ACCOUNTS).types()).containsExactly("Opened");
    assertThat(Filter.of(now.session, ACCOUNTS)).isEqualTo(Filter.ALL);
  }

  private RecordingBundle connect(Component component) {
    return new RecordingBundle(UUID.randomUUID()).connect(sessions, component);
  }
}
