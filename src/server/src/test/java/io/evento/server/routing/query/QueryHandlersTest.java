package io.evento.server.routing.query;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.fixture.Components;
import io.evento.server.routing.RoutingNode;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.security.Caller;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Of which read model an answer comes where several versions are hosted. */
class QueryHandlersTest {
  private static final String QUERY = "FindAccount";

  private static TestDatabase where;

  private final ShadowVersions shadowVersions = new ShadowVersions();
  private RoutingNode node;
  private QueryHandlers queryHandlers;
  private long sessions;

  @BeforeAll
  static void migrate() {
    where = PostgresFixture.shared().migrated();
  }

  @AfterAll
  static void drop() {
    where.close();
  }

  @BeforeEach
  void start() {
    node = RoutingNode.up(where, "a");
    queryHandlers =
        new QueryHandlers(
            node.sessions,
            node.directory,
            node.links,
            shadowVersions,
            node.poisonMessages,
            node.unresponsiveInstances);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  @Test
  void a_shadow_is_asked_only_where_nobody_hosts_the_live_version() {
    shadowVersions.are(Set.of("accounts:2"));
    host(2);
    assertThat(queryHandlers.models(QUERY)).containsExactly("accounts:2");
    assertThat(chosen(Set.of())).isEqualTo("accounts:2");

    host(1);
    assertThat(queryHandlers.models(QUERY)).containsExactly("accounts:1");
    assertThat(chosen(Set.of())).isEqualTo("accounts:1");
    assertThat(chosen(Set.of("accounts:2"))).as("as it was asked for").isEqualTo("accounts:2");

    shadowVersions.are(Set.of("accounts:1"));
    assertThat(queryHandlers.models(QUERY)).containsExactly("accounts:2");
    assertThat(chosen(Set.of())).isEqualTo("accounts:2");
  }

  private String chosen(Set<String> models) {
    return queryHandlers.model(queryHandlers.choose(QUERY, models, Set.of()).orElseThrow(), QUERY);
  }

  private void host(int version) {
    var component = Components.accounts(version, 1, QUERY);
    var session =
        new BundleSession(
            ++sessions,
            "bank",
            UUID.randomUUID(),
            Caller.developer("test"),
            (message, lane) -> true);
    node.sessions.add(session);
    node.sessions.declared(session, List.of(component));
  }
}
