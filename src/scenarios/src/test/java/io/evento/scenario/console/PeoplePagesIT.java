package io.evento.scenario.console;

import io.evento.scenario.access.Administrator;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Credential;
import io.evento.scenario.fixture.Door;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The console of one cluster that asks everybody who he is, as three kinds of people see it. */
@Order(2)
@SuppressWarnings("NullAway.Init") // made before all tests
class PeoplePagesIT {
  @RegisterExtension static final Cluster cluster = Cluster.secured();
  @RegisterExtension static final Browser browser = new Browser();

  static Administrator root;
  static Credential operator;

  @BeforeAll
  static void people_are_let_in() throws Exception {
    root = Administrator.first(cluster);
    root.person("vera", "viewer", door());
    root.person("otto", "auditor", door());
    operator = root.person("opal", "operator", door());
  }

  static Door door() {
    return cluster.door(cluster.node(1));
  }

  @Nested
  class Signing extends SignInPages {}

  @Nested
  class Administering extends AdministerPages {}

  @Nested
  class Operating extends RolesOnPages {}
}
