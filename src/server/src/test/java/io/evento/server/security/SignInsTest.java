package io.evento.server.security;

import static io.evento.server.security.RightsNode.ADMIN;
import static io.evento.server.security.RightsNode.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How people are let in, and kept out. */
class SignInsTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String PASSWORD = "a long enough one";

  private TestDatabase where;
  private RightsNode node;
  private RightsNode other;

  @BeforeEach
  void start() throws Exception {
    where = PostgresFixture.shared().migrated();
    node = new RightsNode(where, "node-1");
    other = new RightsNode(where, "node-2");
    await().atMost(LIMIT).until(() -> node.grants.isFresh() && other.grants.isFresh());
    done(node.administration.createUser("root", Set.of(Role.ADMIN), PASSWORD, ADMIN));
    done(node.administration.createUser("ada", Set.of(Role.OPERATOR), PASSWORD, ADMIN));
  }

  @AfterEach
  void stop() {
    other.close();
    node.close();
    where.close();
  }

  private void fails(String name, String address, String said) {
    assertThatThrownBy(() -> done(node.signIns.signIn(name, "not the password", address)))
        .isInstanceOf(EventoException.class)
        .hasMessageContaining(said);
  }

  @Test
  void a_session_is_known_everywhere_when_it_is_answered_and_nowhere_after_signing_out()
      throws Exception {
    var begun = done(node.signIns.signIn("ada", PASSWORD, "10.0.0.1"));
    var session = other.grants.session(begun.cookie(), "10.0.0.1", true).orElseThrow();
    assertThat(session.csrf()).isEqualTo(begun.csrf()).isNotEqualTo(begun.cookie());
    assertThat(session.caller().roles()).containsExactlyInAnyOrder(Role.OPERATOR, Role.VIEWER);
    assertThat(session.caller().hasAll(Right.READ)).isTrue();
    assertThat(session.caller().hasAny(Right.SEND)).isFalse();
    assertThat(other.grants.isValid(session.caller())).isTrue();

    done(other.signIns.signOut(session.caller()));
    assertThat(node.grants.session(begun.cookie(), "10.0.0.1", true)).isEmpty();
    assertThat(other.grants.isValid(session.caller())).isFalse();
  }

  @Test
  void other_roles_and_another_password_end_all_sessions() throws Exception {
    var first = done(node.signIns.signIn("ada", PASSWORD, "10.0.0.1"));
    done(node.administration.setRoles("ada", List.of(Role.VIEWER), null, ADMIN));
    assertThat(other.grants.session(first.cookie(), "10.0.0.1", true)).isEmpty();

    var second = done(node.signIns.signIn("ada", PASSWORD, "10.0.0.1"));
    var caller = node.grants.session(second.cookie(), "10.0.0.1", true).orElseThrow().caller();
    done(node.administration.changePassword(caller, PASSWORD, "another long one"));
    assertThat(other.grants.session(second.cookie(), "10.0.0.1", true)).isEmpty();
    assertThat(done(node.signIns.signIn("ada", "another long one", "10.0.0.1")).name())
        .isEqualTo("ada");
  }

  @Test
  void five_failures_lock_the_account_on_every_node_for_that_address() throws Exception {
    // The eighth locks for eight seconds, in which both nodes are asked.
    failTimes(8, "ada", "10.0.0.7");
    forget("address%");
    fails("ada", "10.0.0.7", "too many failures");
    assertThat(isLocked("10.0.0.7")).isTrue();
    await().atMost(LIMIT).until(() -> !isLocked("10.0.0.7"));
    fails("ada", "10.0.0.7", "name or password is wrong");
    assertThat(isLocked("10.0.0.7")).as("a success is a new beginning").isFalse();
  }

  @Test
  void a_stranger_who_knows_a_name_keeps_its_owner_out_nowhere_else() throws Exception {
    for (var i = 0; i < 30; i++) {
      failTimes(9, "ada", "10.6." + i + ".6");
    }
    assertThat(isLocked("10.6.0.6")).isTrue();
    assertThat(isLocked("10.0.0.8")).isFalse();
    assertThat(done(node.signIns.signIn("ada", PASSWORD, "10.0.0.9")).name()).isEqualTo("ada");
  }

  @Test
  void an_account_that_fails_from_everywhere_gives_each_address_one_guess_at_once()
      throws Exception {
    for (var i = 0; i < 20; i++) {
      failTimes(1, "ada", "10.6.6." + i);
    }
    fails("ada", "10.0.0.7", "name or password is wrong");
    failTimes(3, "ada", "10.0.0.7"); // without the others' failures these four would be let go
    assertThatThrownBy(() -> done(node.signIns.signIn("ada", PASSWORD, "10.0.0.7")))
        .isInstanceOfSatisfying(
            TooManyFailuresException.class,
            told -> {
              assertThat(told.code().status()).isEqualTo(429);
              assertThat(told.seconds()).isBetween(1, 8);
            });
    await().atMost(LIMIT).until(() -> !isLocked("10.0.0.7"));
  }

  @Test
  void addresses_of_one_network_of_ipv6_count_as_one() throws Exception {
    for (var i = 1; i <= 8; i++) {
      failTimes(1, "ada", "2001:db8::" + i);
    }
    assertThat(isLocked("2001:db8::ffff")).isTrue();
    assertThat(isLocked("2001:db8:0:1::1")).isFalse();
    assertThat(isLocked("somewhere else")).isFalse();
  }

  /** As another node would note it. */
  private void failTimes(int times, String name, String address) throws SQLException {
    try (var server = where.asServer();
        var call = server.prepareStatement("select evento.fail_sign_in_2(?, 'node-3', ?)")) {
      call.setString(1, name);
      call.setString(2, address);
      for (var i = 0; i < times; i++) {
        call.execute();
      }
    }
  }

  private void forget(String subjects) throws SQLException {
    try (var admin = where.asAdmin();
        var delete =
            admin.prepareStatement("delete from evento.sign_in_failure where subject like ?")) {
      delete.setString(1, subjects);
      delete.execute();
    }
  }

  private boolean isLocked(String address) throws Exception {
    try {
      done(other.signIns.signIn("ada", PASSWORD, address));
      return false;
    } catch (EventoException refused) {
      assertThat(refused).hasMessageContaining("too many failures");
      return true;
    }
  }

  @Test
  void five_failures_lock_the_address_whatever_the_names_and_names_that_are_nobodys_too() {
    for (var i = 0; i < 5; i++) {
      fails("nobody-" + i, "10.0.0.1", "name or password is wrong");
    }
    fails("ada", "10.0.0.1", "too many failures");
    for (var i = 0; i < 5; i++) {
      fails("ghost", "10.0.1.1", "name or password is wrong");
    }
    fails("ghost", "10.0.1.1", "too many failures");
  }

  @Test
  void what_was_done_is_audited_and_nothing_secret_with_it() throws Exception {
    done(node.signIns.signIn("ada", PASSWORD, "10.0.0.1"));
    fails("ada", "10.0.0.2", "wrong");
    done(node.administration.removeUser("ada", ADMIN));
    var rows = node.audit.page(AuditLog.Filter.NONE, Long.MAX_VALUE, 100).entries();
    assertThat(rows.stream().map(row -> row.who() + " | " + row.action() + " | " + row.object()))
        .containsExactly(
            "user root | remove user | ada",
            "nobody | fail to sign in | ada",
            "user ada | sign in | ada",
            "user root | create user | ada",
            "user root | create user | root");
    assertThat(rows.toString()).doesNotContain(PASSWORD).doesNotContain("600000");
    assertThat(rows).allMatch(row -> row.dbUser().equals(PostgresFixture.SERVER));
    assertThat(rows).allMatch(row -> row.node().equals("node-1"));
  }

  @Test
  void a_session_ends_half_an_hour_after_its_last_use_and_at_its_end_however_much_it_is_used()
      throws Exception {
    var idle = done(node.signIns.signIn("ada", PASSWORD, "10.0.0.1"));
    var old = done(node.signIns.signIn("root", PASSWORD, "10.0.0.1"));
    try (var admin = where.asAdmin();
        var change = admin.createStatement()) {
      change.execute(
          "update evento.login set seen_at = now() - interval '29 minutes' where principal ="
              + " (select id from evento.principal where name = 'ada')");
      change.execute("update evento.grant_version set n = n + 1");
      done(node.grants.everywhere());
      assertThat(other.grants.session(idle.cookie(), "x", true)).isPresent();
      change.execute("update evento.login set seen_at = seen_at - interval '1 minute'");
      change.execute(
          "update evento.login set ends_at = now() where principal ="
              + " (select id from evento.principal where name = 'root')");
      change.execute("update evento.grant_version set n = n + 1");
    }
    done(node.grants.everywhere());
    assertThat(other.grants.session(idle.cookie(), "x", true)).isEmpty();
    assertThat(other.grants.session(old.cookie(), "x", true)).isEmpty();
  }

  @Test
  void when_a_token_was_used_is_noted_and_sessions_that_are_over_are_removed() throws Exception {
    var scopes = List.of(new Scope(Right.READ, "*", "*"));
    done(node.administration.createToken("bank", null, scopes, ADMIN));
    done(node.signIns.signIn("ada", PASSWORD, "10.0.0.1"));
    var id =
        node.database.read(
            "read token", open -> GrantTable.all(open).stream().map(one -> one.grant()).toList());
    var token = id.stream().filter(one -> one.kind() == Caller.Kind.BUNDLE).findFirst();
    try (var admin = where.asAdmin();
        var change = admin.createStatement()) {
      change.execute("update evento.login set seen_at = now() - interval '31 minutes'");
    }
    try (var server = where.asServer()) {
      GrantTable.noteUses(server, Map.of(token.orElseThrow().id(), "10.0.0.9"), List.of());
      assertThat(GrantTable.all(server)).extracting(one -> one.grant().name()).containsOnly("bank");
    }
    assertThat(done(node.administration.bundles()).get(0).tokens().get(0).lastUsedAt()).isNotNull();
  }

  @Test
  void the_last_administrator_stays_one() {
    assertThatThrownBy(() -> done(node.administration.removeUser("root", ADMIN)))
        .hasMessageContaining("last administrator");
    assertThatThrownBy(
            () -> done(node.administration.setRoles("root", List.of(Role.VIEWER), null, ADMIN)))
        .hasMessageContaining("last administrator");
  }

  @Test
  void refusals_of_one_address_are_audited_up_to_a_bound() {
    for (var i = 0; i < 3 * AuditLog.ROWS_MAX; i++) {
      node.audit.refused("nobody", "10.0.0.66", "GET /api/x\n" + i, ErrorCode.FORBIDDEN);
    }
    node.audit.refused("nobody", "10.0.0.67", "GET /api/y", ErrorCode.FORBIDDEN);
    await().atMost(LIMIT).until(() -> rows("10.0.0.67") == 1);
    assertThat(rows("10.0.0.66")).isEqualTo(AuditLog.ROWS_MAX);
    assertThat(node.audit.page(AuditLog.Filter.NONE, Long.MAX_VALUE, 100).entries())
        .noneMatch(row -> row.object().contains("\n"));
  }

  @Test
  void refusals_and_failures_of_many_addresses_are_audited_up_to_a_bound_and_the_rest_is_counted()
      throws Exception {
    try (var server = where.asServer();
        var refusal =
            server.prepareStatement(
                "select evento.note_refusal_1('nobody', 'GET /', 'forbidden', 0, 'a', ?)");
        var failure = server.prepareStatement("select evento.fail_sign_in_2('GET /', 'a', ?)")) {
      for (var i = 0; i < 3_200; i++) {
        var call = i % 2 == 0 ? refusal : failure;
        call.setString(1, "10.7." + i / 250 + "." + i % 250);
        call.execute();
      }
    }
    // The minute may have changed meanwhile, once.
    assertThat(refusals()).isBetween(1_500L, 3_000L);
    try (var admin = where.asAdmin();
        var change = admin.createStatement()) {
      change.execute("update evento.audit_minute set minute = minute - interval '1 minute'");
    }
    node.audit.keep();
    var told =
        node.audit.page(AuditLog.Filter.NONE, Long.MAX_VALUE, 1_000).entries().stream()
            .filter(row -> row.object().endsWith(" more refused"))
            .mapToLong(row -> Long.parseLong(row.object().replaceAll(" .*", "")))
            .sum();
    assertThat(told + refusals()).isEqualTo(3_200);
  }

  private long refusals() throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement();
        var row =
            statement.executeQuery("select count(*) from evento.audit where object = 'GET /'")) {
      row.next();
      return row.getLong(1);
    }
  }

  @Test
  void the_audit_of_the_last_ninety_days_stays_whoever_asks() throws Exception {
    try (var admin = where.asAdmin();
        var change = admin.createStatement()) {
      for (var days : List.of(0, 89, 91, 400)) {
        change.execute(
            "insert into evento.audit(at, who, action, object, node, address) values (now() - "
                + days
                + " * interval '1 day', 'x', 'aged', '"
                + days
                + "', '', '')");
      }
    }
    node.audit.keep();
    assertThat(aged()).as("by the standard").containsExactly("400", "91", "89", "0");
    try (var server = where.asServer();
        var call = server.createStatement()) {
      call.execute("select evento.keep_audit_1(365, 'a')");
      assertThat(aged()).containsExactly("91", "89", "0");
      call.execute("select evento.keep_audit_1(1, 'a')");
    }
    assertThat(aged()).containsExactly("89", "0");
    assertThat(node.audit.page(AuditLog.Filter.NONE, Long.MAX_VALUE, 100).entries())
        .anyMatch(row -> row.action().equals("trim audit"));
  }

  private List<String> aged() {
    var rows =
        node.audit.page(AuditLog.Filter.NONE, Long.MAX_VALUE, 1_000).entries().stream()
            .filter(row -> row.action().equals("aged"))
            .map(AuditLog.Entry::object)
            .collect(Collectors.toCollection(ArrayList::new));
    rows.sort(Comparator.<String>comparingInt(Integer::parseInt).reversed());
    return rows;
  }

  private long rows(String address) {
    return node.audit.page(AuditLog.Filter.NONE, Long.MAX_VALUE, 100).entries().stream()
        .filter(row -> row.address().equals(address))
        .count();
  }
}
