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
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What administrators do about people and tokens, and how they look for what was done. */
class PeopleTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String PASSWORD = "a long enough one";
  private static final String ADDRESS = "10.0.0.1";
  private static final Caller EVA =
      new Caller(Caller.Kind.USER, "eva", ADMIN.roles(), List.of(), null, ADDRESS);

  private TestDatabase where;
  private RightsNode node;

  @BeforeEach
  void start() throws Exception {
    where = PostgresFixture.shared().migrated();
    node = new RightsNode(where, "node-1");
    await().atMost(LIMIT).until(node.grants::isFresh);
    done(node.administration.createUser("root", Set.of(Role.ADMIN), PASSWORD, ADMIN));
    done(node.administration.createUser("ada", Set.of(Role.OPERATOR), PASSWORD, ADMIN));
  }

  @AfterEach
  void stop() {
    node.close();
    where.close();
  }

  private Administration.User user(String name) throws Exception {
    return done(node.administration.users()).stream()
        .filter(one -> one.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private List<Administration.Session> sessions(String name) throws Exception {
    return done(node.administration.sessions(name, null, 100));
  }

  private static void isRefused(ErrorCode code, String said, Attempt attempt) {
    assertThatThrownBy(attempt::run)
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> {
              assertThat(refused.code()).isEqualTo(code);
              assertThat(refused.detail()).contains(said);
            });
  }

  private interface Attempt {
    void run() throws Exception;
  }

  @Test
  void who_is_locked_has_no_session_and_gets_none_until_he_is_unlocked() throws Exception {
    var begun = done(node.signIns.signIn("ada", PASSWORD, ADDRESS));
    done(node.administration.lockUser("ada", ADMIN));

    assertThat(node.grants.session(begun.cookie(), ADDRESS, true)).isEmpty();
    assertThat(user("ada").lockedAt()).isNotNull();
    isRefused(
        ErrorCode.FORBIDDEN,
        "ada is locked",
        () -> done(node.signIns.signIn("ada", PASSWORD, ADDRESS)));
    isRefused(
        ErrorCode.UNAUTHENTICATED,
        "name or password is wrong",
        () -> done(node.signIns.signIn("ada", "not the password", ADDRESS)));

    done(node.administration.unlockUser("ada", ADMIN));
    assertThat(user("ada").lockedAt()).isNull();
    assertThat(done(node.signIns.signIn("ada", PASSWORD, ADDRESS)).name()).isEqualTo("ada");
  }

  @Test
  void a_node_of_the_previous_release_lets_nobody_in_who_is_locked() throws Exception {
    done(node.administration.lockUser("ada", ADMIN));
    try (var server = where.asServer();
        var statement = server.createStatement();
        var row =
            statement.executeQuery(
                """
                select evento.begin_login_2('ada', p.password, sha256('x'), 'c', '1 hour', 'n', 'a')
                  from evento.principal p where p.name = 'ada'
                """)) {
      row.next();
      assertThat(row.getString(1)).isEqualTo("locked");
    }
    assertThat(sessions("ada")).isEmpty();
  }

  @Test
  void the_last_administrator_who_is_not_locked_can_be_neither_locked_nor_removed()
      throws Exception {
    done(node.administration.createUser("eva", Set.of(Role.ADMIN), PASSWORD, ADMIN));
    done(node.administration.lockUser("eva", ADMIN));
    for (var attempt :
        List.<Attempt>of(
            () -> done(node.administration.lockUser("root", ADMIN)),
            () -> done(node.administration.removeUser("root", ADMIN)),
            () -> done(node.administration.setRoles("root", Set.of(Role.VIEWER), null, ADMIN)))) {
      isRefused(ErrorCode.CONFLICT, "last administrator", attempt);
    }
    done(node.administration.unlockUser("eva", ADMIN));
    done(node.administration.lockUser("root", ADMIN));
  }

  @Test
  void roles_that_somebody_else_changed_meanwhile_are_not_overwritten() throws Exception {
    done(node.administration.createUser("eva", Set.of(Role.VIEWER), PASSWORD, ADMIN));
    done(node.administration.setRoles("eva", Set.of(Role.OPERATOR), Set.of(Role.VIEWER), ADMIN));
    var before = grantVersion();
    isRefused(
        ErrorCode.CONFLICT,
        "somebody else changed the roles of eva",
        () ->
            done(
                node.administration.setRoles(
                    "eva", Set.of(Role.AUDITOR), Set.of(Role.VIEWER), ADMIN)));
    assertThat(grantVersion()).as("no node reads its rights anew for nothing").isEqualTo(before);
    done(node.administration.setRoles("eva", Set.of(Role.AUDITOR), Set.of(Role.OPERATOR), ADMIN));
    assertThat(grantVersion()).isEqualTo(before + 1);
  }

  private long grantVersion() throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement();
        var row = statement.executeQuery("select n from evento.grant_version")) {
      row.next();
      return row.getLong(1);
    }
  }

  @Test
  void nobody_gives_himself_a_role_but_may_give_one_up() throws Exception {
    done(node.administration.createUser("eva", Set.of(Role.ADMIN), PASSWORD, ADMIN));
    isRefused(
        ErrorCode.FORBIDDEN,
        "nobody gives himself a role",
        () ->
            done(
                node.administration.setRoles(
                    "root", Set.of(Role.ADMIN, Role.AUDITOR), null, ADMIN)));
    done(node.administration.setRoles("root", Set.of(Role.VIEWER), null, ADMIN));
    assertThat(user("root").roles()).containsExactly(Role.VIEWER);
  }

  @Test
  void who_is_locked_does_not_unlock_himself_at_a_node_that_still_knows_him() throws Exception {
    done(node.administration.createUser("eva", Set.of(Role.ADMIN), PASSWORD, ADMIN));
    done(node.administration.lockUser("eva", ADMIN));
    isRefused(
        ErrorCode.FORBIDDEN,
        "unlocks himself",
        () -> done(node.administration.unlockUser("eva", EVA)));
    assertThat(user("eva").lockedAt()).isNotNull();
  }

  @Test
  void who_is_locked_and_tries_again_changes_nothing_and_waits_like_who_guesses() throws Exception {
    done(node.administration.lockUser("ada", ADMIN));
    var version = asked("select n from evento.grant_version");
    for (var i = 0; i < 5; i++) {
      isRefused(
          ErrorCode.FORBIDDEN,
          "ada is locked",
          () -> done(node.signIns.signIn("ada", PASSWORD, ADDRESS)));
    }
    isRefused(
        ErrorCode.TOO_MANY_FAILURES,
        "too many failures",
        () -> done(node.signIns.signIn("ada", PASSWORD, ADDRESS)));
    done(node.administration.lockUser("ada", ADMIN));
    done(node.administration.unlockUser("root", EVA));
    assertThat(asked("select n from evento.grant_version")).isEqualTo(version);
  }

  @Test
  void the_database_too_lets_nobody_give_himself_a_role() throws Exception {
    var call = "select evento.set_roles_1('%s', '%s', 'user ada', 'n', 'a')";
    assertThat(asked(call.formatted("ada", "{admin}"))).isEqualTo("self");
    assertThat(asked(call.formatted("root", "{admin,auditor}"))).isEqualTo("done");
    assertThat(asked(call.formatted("ada", "{viewer}"))).isEqualTo("done");
  }

  @Test
  void what_an_older_node_notes_of_a_token_leaves_no_address_that_is_not_of_it() throws Exception {
    done(
        node.administration.createToken(
            "bank", null, List.of(new Scope(Right.SEND, "bank", "*")), ADMIN));
    var all = "(select array_agg(id) from evento.credential)";
    asked("select evento.note_uses_2(" + all + ", '{10.0.0.5}', '{}', '1 hour')");
    assertThat(asked("select last_used_from from evento.credential")).isEqualTo("10.0.0.5");
    asked("select evento.note_uses_1(" + all + ", '{}', '1 hour')");
    assertThat(asked("select last_used_from from evento.credential")).isNull();
  }

  private @Nullable String asked(String sql) throws SQLException {
    try (var server = where.asServer();
        var statement = server.createStatement();
        var row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }

  @Test
  void sessions_say_when_and_where_they_began_and_end_one_by_one_or_all_at_once() throws Exception {
    assertThat(user("ada").signedInAt()).isNull();
    var first = done(node.signIns.signIn("ada", PASSWORD, ADDRESS));
    var second = done(node.signIns.signIn("ada", PASSWORD, "10.0.0.2"));
    var third = done(node.signIns.signIn("ada", PASSWORD, "10.0.0.3"));
    var sessions = sessions("ada");
    assertThat(sessions)
        .extracting(Administration.Session::address)
        .containsExactlyInAnyOrder(ADDRESS, "10.0.0.2", "10.0.0.3");
    assertThat(user("ada").sessions()).isEqualTo(3);
    assertThat(sessions("root")).isEmpty();
    isRefused(ErrorCode.NOT_FOUND, "there is no eva", () -> sessions("eva"));
    var byId = sessions.stream().map(Administration.Session::id).toList();
    assertThat(done(node.administration.sessions("ada", byId.get(0), 1)))
        .extracting(Administration.Session::id)
        .as("the next page")
        .containsExactly(byId.get(1));
    var other = sessions.stream().filter(one -> "10.0.0.2".equals(one.address())).findFirst();
    assertThat(user("ada").signedInAt()).isNotNull();

    done(node.administration.endSessions("ada", other.orElseThrow().id(), ADMIN));
    assertThat(node.grants.session(second.cookie(), ADDRESS, true)).isEmpty();
    assertThat(node.grants.session(first.cookie(), ADDRESS, true)).isPresent();
    isRefused(
        ErrorCode.NOT_FOUND,
        "there is no valid session of ada",
        () -> done(node.administration.endSessions("ada", UUID.randomUUID(), ADMIN)));

    done(node.administration.endSessions("ada", null, ADMIN));
    assertThat(node.grants.session(third.cookie(), ADDRESS, true)).isEmpty();
    assertThat(user("ada").sessions()).isZero();
  }

  @Test
  void a_check_says_what_a_bundle_may_and_by_which_scope() throws Exception {
    var open = new Scope(Right.SEND, "bank", "Open*");
    var made = done(node.administration.createToken("bank", null, List.of(open), ADMIN));
    var may = done(node.administration.check("bank", Right.SEND, "bank", "OpenAccount"));
    assertThat(may.isAllowed()).isTrue();
    assertThat(may.by()).isEqualTo(open);
    assertThat(done(node.administration.check("bank", Right.SEND, "shop", "OpenAccount")).by())
        .isNull();

    done(node.administration.revokeToken(made.prefix(), ADMIN));
    var without = done(node.administration.check("bank", Right.SEND, "bank", "OpenAccount"));
    assertThat(without.isAllowed()).as("no valid token is left").isFalse();
    assertThat(without.by()).isEqualTo(open);
    isRefused(
        ErrorCode.NOT_FOUND,
        "no bundle shop",
        () -> done(node.administration.check("shop", Right.SEND, "bank", "OpenAccount")));
  }

  private List<String> found(AuditLog.Filter filter) {
    return node.audit.page(filter, Long.MAX_VALUE, 100).entries().stream()
        .map(entry -> entry.action() + " " + entry.object())
        .toList();
  }

  private static AuditLog.Filter of(
      AuditLog.@Nullable Kind kind,
      @Nullable String who,
      @Nullable String object,
      @Nullable String words) {
    return new AuditLog.Filter(kind, who, null, object, null, null, null, null, null, words);
  }

  @Test
  void the_audit_is_searched_by_who_what_and_words() throws Exception {
    done(node.signIns.signIn("ada", PASSWORD, ADDRESS));
    done(node.administration.setRoles("ada", Set.of(Role.VIEWER), null, ADMIN));
    node.audit.refused("nobody", "10.0.0.66", "GET /api/x", ErrorCode.FORBIDDEN);
    await()
        .atMost(LIMIT)
        .until(() -> found(of(AuditLog.Kind.REFUSALS, null, null, null)).size() == 1);

    assertThat(found(of(AuditLog.Kind.SIGN_INS, null, null, null))).containsExactly("sign in ada");
    assertThat(found(of(null, "user ada", null, null))).containsExactly("sign in ada");
    assertThat(found(of(AuditLog.Kind.CHANGES, null, "ada", null)))
        .containsExactly("change roles ada", "create user ada");
    assertThat(found(of(null, null, null, "VIEWER"))).containsExactly("change roles ada");
    assertThat(found(of(null, null, null, "10.0.0.66"))).containsExactly("refuse GET /api/x");
  }

  @Test
  void a_rare_entry_is_found_though_no_page_looks_through_more_than_its_share() throws Exception {
    try (var owner = where.asOwner();
        var statement = owner.createStatement()) {
      statement.execute(
          """
          insert into evento.audit(who, action, object, node, address)
          select 'nobody', 'refuse', 'GET /' || i, 'node-1', '' from generate_series(1, 45000) i
          """);
    }
    var found = new ArrayList<String>();
    var pages = 0;
    var filter = of(AuditLog.Kind.CHANGES, null, "ada", null);
    for (Long before = Long.MAX_VALUE; before != null; pages++) {
      var page = node.audit.page(filter, before, 10);
      page.entries().forEach(entry -> found.add(entry.action()));
      before = page.next();
    }
    assertThat(found).containsExactly("create user");
    assertThat(pages).isEqualTo(3);
  }

  @Test
  void a_rare_entry_between_two_times_is_found_by_what_is_between_them_alone() throws Exception {
    try (var owner = where.asOwner();
        var statement = owner.createStatement()) {
      statement.execute("delete from evento.audit");
      // One a second, and each tenth pair has its times the other way round, as two nodes make it.
      statement.execute(
          """
          insert into evento.audit(at, who, action, object, node, address)
          select timestamptz '2020-01-01 00:00Z'
                   + (i + case i % 10 when 0 then 1 when 1 then -1 else 0 end) * interval '1 second',
                 'nobody', 'refuse', 'GET /' || i, 'node-1', '' from generate_series(1, 200000) i
          """);
      statement.execute("analyze evento.audit");
    }
    var begin = OffsetDateTime.parse("2020-01-01T00:00:00Z");
    for (var seconds : new int[][] {{100_000, 100_010}, {100_001, 160_000}, {199_999, 900_000}}) {
      var from = begin.plusSeconds(seconds[0]);
      var to = begin.plusSeconds(seconds[1]);
      for (var object : List.of("GET /" + seconds[0], "GET /1")) {
        var filter =
            new AuditLog.Filter(null, null, null, object, null, null, null, from, to, null);
        var found = new ArrayList<String>();
        var pages = 0;
        for (Long before = Long.MAX_VALUE; before != null; pages++) {
          var page = node.audit.page(filter, before, 10);
          page.entries().forEach(entry -> found.add(entry.at() + " " + entry.object()));
          before = page.next();
        }
        var expected =
            asked(
                "select string_agg(object, ',') from evento.audit where object = '%s' and at >= '%s' and at < '%s'"
                    .formatted(object, from, to));
        assertThat(found).hasSize(expected == null ? 0 : 1);
        assertThat(pages)
            .isLessThanOrEqualTo(1 + Math.min(seconds[1] - seconds[0], 100_000) / 18_000 + 1);
      }
    }
  }

  @Test
  void no_page_of_the_audit_reads_more_than_its_share() throws Exception {
    try (var owner = where.asOwner();
        var statement = owner.createStatement()) {
      statement.execute(
          """
          insert into evento.audit(at, who, action, object, node, address)
          select timestamptz '2020-01-01 00:00Z' + i * interval '1 second', 'nobody', 'refuse',
                 'GET /' || i, 'node-1', '' from generate_series(1, 200000) i
          """);
      statement.execute("analyze evento.audit");
      try (var rows =
          statement.executeQuery(
              "explain (analyze, costs off, timing off) "
                  + AuditLog.LOOKED_THROUGH
                      .replaceFirst("\\?", "1")
                      .replaceFirst("\\?", "190000")
                      .replaceFirst("\\?", "20000"))) {
        var plan = new StringBuilder();
        while (rows.next()) {
          plan.append(rows.getString(1)).append('\n');
        }
        assertThat(plan.toString())
            .containsPattern("Index (Only )?Scan Backward using audit_id on audit .*rows=20000");
      }
    }
  }
}
