package io.evento.server.routing.query;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.fixture.Components;
import io.evento.server.routing.QueryNode;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.Sessions;
import io.evento.server.security.Caller;
import io.evento.server.telemetry.Metrics;
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

/** When a subscription has to leave the version that it is answered from. */
class QueriesTest {
  private static final String QUERY = "FindAccount";
  private static TestDatabase where;

  private final ShadowVersions shadowVersions = new ShadowVersions();
  private QueryNode node;
  private long opened;

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
    node = new QueryNode(where, "a", new Sessions(new Metrics()), shadowVersions);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  @Test
  void a_version_that_became_a_shadow_is_outdated_once_another_one_is_hosted() {
    host(1);
    shadowVersions.are(Set.of("accounts:1"));
    assertThat(outdated()).as("there is nothing else").isEmpty();
    host(2);
    assertThat(outdated()).containsExactly("accounts:1");
    shadowVersions.are(Set.of("accounts:2"));
    assertThat(outdated()).as("the way back").containsExactly("accounts:2");
  }

  @Test
  void of_versions_of_which_none_is_known_as_a_shadow_none_is_outdated() {
    host(1);
    host(2);
    assertThat(outdated()).isEmpty();
  }

  private List<String> outdated() {
    return List.of("accounts:1", "accounts:2").stream()
        .filter(model -> node.queries.isOutdated(QUERY, model))
        .toList();
  }

  private void host(int version) {
    var component = Components.accounts(version, 1, QUERY);
    var session =
        new BundleSession(
            ++opened, "bank", UUID.randomUUID(), Caller.developer("test"), (message, lane) -> true);
    node.sessions.add(session);
    node.sessions.declared(session, List.of(component));
  }
}
