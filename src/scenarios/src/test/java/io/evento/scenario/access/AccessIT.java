package io.evento.scenario.access;

import static io.evento.scenario.access.Administrator.scope;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Credential;
import io.evento.scenario.fixture.Wire;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who gets what at which door, on nodes that ask each caller for a credential. */
@Order(1)
class AccessIT extends AccessWalk {
  private static final String PASSWORD = Administrator.PASSWORD;

  @RegisterExtension static final Cluster cluster = Cluster.securedTogether();

  @Override
  Cluster cluster() {
    return cluster;
  }

  private static List<String> strings(String query) throws SQLException {
    try (var connection = cluster.administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery(query)) {
      var found = new ArrayList<String>();
      while (row.next()) {
        found.add(row.getString(1));
      }
      return found;
    }
  }

  @Test
  void failures_at_one_node_lock_the_account_at_the_others_for_that_address() throws Exception {
    var other = admin.person("lou", "viewer", door(2));
    var address = Credential.address();
    for (var i = 0; i < 5; i++) {
      var answer = Administrator.tryToSignIn(door(1), "lou", "not the password", address);
      assertThat(answer.code()).isEqualTo("unauthenticated");
    }
    // Of another node: the eighth locks for eight seconds, in which this one is asked.
    for (var i = 0; i < 3; i++) {
      strings("select evento.fail_sign_in_2('lou', 'node-9', '%s')".formatted(address));
    }
    var locked = Administrator.tryToSignIn(door(2), "lou", PASSWORD, address);
    assertThat(locked.status()).isEqualTo(429);
    assertThat(locked.code()).isEqualTo("too-many-failures");
    assertThat(Integer.parseInt(locked.headers().firstValue("Retry-After").orElseThrow()))
        .isBetween(1, 8);
    assertThat(Administrator.tryToSignIn(door(2), "lou", PASSWORD, Credential.address()).status())
        .as("who comes from elsewhere is let in")
        .isEqualTo(200);
    assertThat(other.ask(door(3), "GET", "session", "").status())
        .as("a session that began before goes on")
        .isEqualTo(200);
    await()
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(500))
        .until(() -> Administrator.tryToSignIn(door(2), "lou", PASSWORD, address).status() == 200);
  }

  @Test
  void a_page_without_the_sessions_word_changes_nothing_and_two_credentials_are_none()
      throws Exception {
    var cookieAlone = new Credential("cookie alone", operator.headers().subList(0, 2));
    assertThat(cookieAlone.ask(door(1), "GET", "settings", "").status()).isEqualTo(200);
    var change = "{\"value\":600}";
    var answer = cookieAlone.ask(door(1), "PUT", "settings/live.readers-max", change);
    assertThat(answer.code()).isEqualTo("forbidden");
    var both = new ArrayList<>(operator.headers());
    both.addAll(sender.headers());
    assertThat(new Credential("both", both).ask(door(1), "GET", "nodes", "").code())
        .isEqualTo("invalid-request");

    assertThat(operator.ask(door(1), "PUT", "settings/live.readers-max", change).status())
        .isEqualTo(200);
    assertThat(strings("select changed_by from evento.setting_audit order by id desc limit 1"))
        .containsExactly("user ada");
    operator.ask(door(1), "DELETE", "settings/live.readers-max", "");
  }

  @Test
  void events_are_sent_and_read_within_the_scopes_alone() throws Exception {
    var shop = admin.token("shop", scope("send", "shop", "Order*"));
    var reads = admin.token("reads", scope("read", "shop", "*"));
    assertThat(append(shop, "shop", "OrderPlaced", "o-1")).isEqualTo(200);
    assertThat(append(shop, "shop", "PriceChanged", "o-2")).isEqualTo(403);
    assertThat(append(shop, "bank", "OrderPlaced", "o-3")).isEqualTo(403);
    assertThat(append(sender, "bank", "Paid", "b-1")).isEqualTo(200);

    assertThat(types(reads)).contains("OrderPlaced").doesNotContain("Paid");
    assertThat(types(reader)).contains("OrderPlaced", "Paid");
    assertThat(types(operator)).contains("OrderPlaced", "Paid");
    assertThat(reads.ask(door(2), "GET", "streams/Thing/o-1", "").status()).isEqualTo(200);
    assertThat(reads.ask(door(2), "GET", "streams/Thing/b-1", "").code()).isEqualTo("forbidden");
  }

  private int append(Credential who, String context, String type, String id) throws Exception {
    var headers = new ArrayList<>(who.headers());
    headers.addAll(List.of("Idempotency-Key", UUID.randomUUID().toString()));
    return new Credential(who.name(), headers)
        .ask(
            door(1),
            "POST",
            "events",
            """
            {"context":"%s","aggregate":{"type":"Thing","id":"%s"},
             "events":[{"type":"%s","payload":{}}]}
            """
                .formatted(context, id, type))
        .status();
  }

  private List<String> types(Credential who) throws Exception {
    var types = new ArrayList<String>();
    who.ask(door(2), "GET", "events?after=0&limit=1000", "")
        .body()
        .path("events")
        .forEach(event -> types.add(event.path("type").asText()));
    return types;
  }

  @Test
  void whoever_signs_out_or_gets_other_roles_has_no_session_on_any_node() throws Exception {
    var session = admin.person("sue", "viewer", door(2));
    assertThat(session.ask(door(1), "DELETE", "session", "").status()).isEqualTo(204);
    for (var node = 1; node <= 3; node++) {
      assertThat(session.ask(door(node), "GET", "session", "").status()).isEqualTo(401);
    }
    var again = Administrator.signIn(door(1), "sue");
    var roles =
        admin.self().ask(door(2), "PUT", "users/sue/roles", "{\"roles\":[\"viewer\",\"auditor\"]}");
    assertThat(roles.status()).isEqualTo(204);
    for (var node = 1; node <= 3; node++) {
      assertThat(again.ask(door(node), "GET", "session", "").status()).isEqualTo(401);
    }
    assertThat(auditor.ask(door(3), "GET", "audit?limit=20", "").body().toString())
        .contains("\"action\":\"change roles\"", "\"who\":\"user root\"", "\"object\":\"sue\"")
        .doesNotContain(PASSWORD);
  }

  @Test
  void an_operator_can_retire_a_version_that_nobody_hosts_and_a_viewer_cannot() throws Exception {
    var leaver = admin.token("leaver", scope("host", "walk", "*"), scope("read", "walk", "*"));
    try (var wire = Wire.open(cluster, cluster.node(1), leaver, Credential.address())) {
      var id = UUID.randomUUID().toString();
      wire.send(
          """
          {"t":"declare","id":"%s","components":[{"kind":"projector","name":"gone","version":1,
           "context":"walk","commands":[],"events":[{"type":"Walked"}],"queries":[],
           "consumes":{"contexts":["walk"],"types":["Walked"],"start":"end","segments":1}}]}
          """
              .formatted(id)
              .replace("\n", ""));
      var answer = wire.answer(id);
      assertThat(answer.path("t").asText()).as("%s", answer).isEqualTo("result");
    }
    var why = "{\"reason\":\"moved\"}";
    var path = "consumers/gone/1/retire";

    var refused = viewer.ask(door(1), "POST", path, why);
    assertThat(refused.status()).isEqualTo(403);
    assertThat(refused.code()).isEqualTo("forbidden");
    assertThat(viewer.ask(door(1), "GET", "consumers/gone/1", "").status()).isEqualTo(200);

    await("no node hears of a session that hosts it")
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              var retired = operator.ask(door(1), "POST", path, why);
              assertThat(retired.status()).as("%s", retired.body()).isEqualTo(200);
            });
    assertThat(viewer.ask(door(1), "GET", "consumers/gone/1", "").status()).isEqualTo(404);
    assertThat(
            strings(
                "select done_by || ' ' || action || ' ' || reason from evento.consumer_audit"
                    + " where name = 'gone'"))
        .containsExactly("user ada retire moved");
    assertThat(
            strings(
                "select distinct object from evento.audit where action = 'refuse' and who = 'user"
                    + " vera' and object like '%gone/1/retire%'"))
        .as("the refusal too")
        .hasSize(1);
  }
}
