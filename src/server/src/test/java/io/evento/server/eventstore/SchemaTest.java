package io.evento.server.eventstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the server's role may do with the store, and how the schema comes to be. */
class SchemaTest {
  private static TestDatabase database;

  @BeforeAll
  static void migrate() {
    database = PostgresFixture.shared().migrated();
  }

  @AfterAll
  static void drop() {
    database.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "insert into evento.event(position) values (1)",
        "update evento.event set payload = '{}'",
        "delete from evento.event",
        "truncate evento.event",
        "select * from evento.event for update",
        "lock table evento.event in share mode",
        "insert into evento.command_result(command_id) values (gen_random_uuid())",
        "update evento.command_result set body = ''",
        "delete from evento.command_result",
        "truncate evento.command_result",
        "insert into evento.store_epoch(ordinal) values (2)",
        "delete from evento.store_epoch",
        "insert into evento.store_acceptance(epoch) values (gen_random_uuid())",
        "update evento.store_acceptance set done_by = 'x'",
        "delete from evento.store_acceptance",
        "insert into evento.node_drain(name, incarnation, asked_by) values ('a', gen_random_uuid(), 'x')",
        "update evento.node_drain set asked_by = 'x'",
        "delete from evento.node_drain",
        "truncate evento.node_drain",
        "update evento.link_key set version = 9",
        "delete from evento.link_key",
        "update evento.subject_key set wrapped = ''",
        "truncate evento.subject_key",
        "delete from evento.erasure",
        "truncate evento.erasure",
        "update evento.erasure set erased_by = 'x'",
        "insert into evento.erasure(subject, id, erased_at, erased_by, reason, stored_by) values ('', '', now(), '', '', 'x')",
        "insert into evento.erasure(subject, id, erased_at, erased_by, reason, stored_at) values ('', '', now(), '', '', now())",
        "update evento.catalog_version set number = 9",
        "delete from evento.catalog_version",
        "select * from evento.append_gate",
        "lock table evento.append_gate in exclusive mode",
        "update evento.append_gate set floor = 5",
        "update evento.setting_audit set new_value = 'x'",
        "delete from evento.setting_audit",
        "update evento.consumer_audit set done_by = 'x'",
        "delete from evento.consumer_audit",
        "update evento.component_history set done_by = 'x'",
        "delete from evento.component_history",
        "insert into evento.setting_audit(key, changed_by, entered_by) values ('k', 'x', 'owner')",
        "insert into evento.setting_audit(id, key, changed_by) overriding system value values (1, 'k', 'x')",
        "insert into evento.consumer_audit(name, version, done_by, action, detail, entered_by) values ('n', 1, 'x', 'a', 'd', 'owner')",
        "insert into evento.component_history(kind, name, version, action, done_by, detail, entered_from) values ('saga', 'n', 1, 'owner', 'x', 'd', '10.0.0.1')",
        "alter table evento.setting_audit disable trigger all",
        "drop function evento.audit_entry_1 cascade",
        "select evento.sole_call_1('', '')",
        "insert into evento.principal(kind, name) values ('user', 'x')",
        "update evento.principal set roles = '{admin}'",
        "update evento.principal set oidc_subject = 'x'",
        "update evento.principal set locked_at = null",
        "update evento.credential set last_used_from = 'x'",
        "delete from evento.principal",
        "truncate evento.principal",
        "insert into evento.credential(prefix) values ('x')",
        "update evento.credential set revoked_at = null",
        "delete from evento.credential",
        "truncate evento.credential",
        "insert into evento.scope(context) values ('x')",
        "update evento.scope set type = '*'",
        "delete from evento.scope",
        "truncate evento.scope",
        "insert into evento.personal_scope(context) values ('x')",
        "update evento.personal_scope set context = '*'",
        "delete from evento.personal_scope",
        "truncate evento.personal_scope",
        "insert into evento.login(csrf) values ('x')",
        "update evento.login set ends_at = 'infinity'",
        "delete from evento.login",
        "truncate evento.login",
        "insert into evento.sign_in_failure(subject) values ('x')",
        "update evento.sign_in_failure set failures = 0",
        "delete from evento.sign_in_failure",
        "truncate evento.sign_in_failure",
        "insert into evento.audit(who, action, object, node, address, at) values ('ceo', 'x', 'x', 'x', 'x', '2001-01-01')",
        "update evento.audit set who = 'x'",
        "delete from evento.audit",
        "truncate evento.audit",
        "select evento.audit_minute_begin('x')",
        "select evento.audit_refusal('x', 'x', 'x', null, 1, 'x', 'x')",
        "select evento.audit_copy_1()",
        "update evento.audit_minute set written = 0",
        "delete from evento.audit_minute",
        "alter table evento.erasure disable trigger all",
        "insert into evento.grant_version(n) values (1)",
        "update evento.grant_version set armed_at = null",
        "delete from evento.grant_version",
        "truncate evento.grant_version",
        "select * from evento.setup_code",
        "delete from evento.setup_code",
        "select evento.audit_add('x', 'x', 'x', null, null, 'x', 'x')",
        "select evento.grants_change()",
        "select evento.scopes_put(gen_random_uuid(), '{}', '{}', '{}')",
        "select evento.scopes_put_2(gen_random_uuid(), '{}', '{}', '{}')",
        "insert into evento.chain_block(block, hash, marks, epoch) values (1, sha256(''), '', gen_random_uuid())",
        "update evento.chain_block set hash = sha256('')",
        "delete from evento.chain_block",
        "truncate evento.chain_block",
        "insert into evento.event_block(block, types, contexts, aggregates, mark) values (1, '{}', '{}', '{}', '')",
        "update evento.event_block set types = '{}'",
        "delete from evento.event_block",
        "truncate evento.event_block",
        "insert into evento.verify_run(asked_by, epoch, head) values ('x', gen_random_uuid(), 0)",
        "update evento.verify_run set asked_by = 'x'",
        "update evento.verify_run set findings = 0",
        "update evento.verify_run set state = 'finished', ended_at = now()",
        "insert into evento.verify_finding(run, kind, detail) values (1, 'x', 'x')",
        "delete from evento.verify_run",
        "update evento.verify_finding set detail = 'x'",
        "delete from evento.verify_finding",
        "truncate evento.verify_finding",
        "create table evento.more(id int)",
        "create trigger t before insert on evento.event for each row execute function suppress_redundant_updates_trigger()",
        "alter function evento.append_4 reset all",
        "drop function evento.append_4",
        "alter function evento.append_3 reset all",
        "drop function evento.append_3",
        "alter table evento.event disable trigger all",
      })
  void the_servers_role_is_refused(String statement) throws SQLException {
    try (var server = database.asServer();
        var session = server.createStatement()) {
      server.setAutoCommit(false); // LOCK TABLE asks for a transaction before it asks for rights
      assertThatThrownBy(() -> session.execute(statement))
          .isInstanceOf(SQLException.class)
          .extracting(failure -> ((SQLException) failure).getSQLState())
          .isEqualTo("42501");
    }
  }

  @Test
  void only_owner_and_server_may_call_the_append() throws SQLException {
    try (var admin = database.asAdmin()) {
      assertThat(
              strings(
                  admin,
                  """
                  select coalesce(nullif(a.grantee, 0)::regrole::text, 'public')
                    from pg_proc f, aclexplode(f.proacl) a
                   where f.pronamespace = 'evento'::regnamespace and f.proname like 'append%'
                     and a.privilege_type = 'EXECUTE'
                  """))
          .containsOnly(PostgresFixture.OWNER, PostgresFixture.SERVER);
      assertThat(
              strings(
                  admin,
                  """
                  select f.prosecdef || ' ' || array_to_string(f.proconfig, ';') from pg_proc f
                   where f.pronamespace = 'evento'::regnamespace and f.proname like 'append%'
                  """))
          .as("that of the nodes, and that of the release before")
          .hasSize(2)
          .allSatisfy(said -> assertThat(said).startsWith("true search_path=pg_catalog, pg_temp;"));
    }
  }

  /** What a caller's role may do to whom he is, decided by the path that names are looked up on. */
  @Test
  void functions_that_run_as_the_owner_look_at_no_path_of_their_callers() throws SQLException {
    try (var admin = database.asAdmin()) {
      assertThat(
              strings(
                  admin,
                  """
                  select f.proname from pg_proc f
                   where f.pronamespace = 'evento'::regnamespace and f.prosecdef
                     and not coalesce('search_path=pg_catalog, pg_temp' = any (f.proconfig), false)
                  """))
          .isEmpty();
      assertThat(
              strings(
                  admin,
                  """
                  select f.proname from pg_proc f
                   where f.pronamespace = 'evento'::regnamespace and f.prosecdef
                     and has_function_privilege('public', f.oid, 'execute')
                  """))
          .isEmpty();
    }
  }

  @Test
  void what_the_servers_role_does_to_rights_is_audited_with_the_databases_time_and_user()
      throws SQLException {
    try (var server = database.asServer()) {
      strings(
          server,
          "select evento.create_user_1('eve', '{admin}', 'x', 'user ceo', 'node-1', '10.0.0.1')");
      assertThat(
              strings(
                  server,
                  """
                  select concat_ws(' ', db_user, who, action, object, after,
                                   at between clock_timestamp() - interval '1 minute' and clock_timestamp())
                    from evento.audit where who = 'user ceo'
                  """))
          .containsExactly(
              PostgresFixture.SERVER + " user ceo create user eve {\"roles\": [\"admin\"]} t");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        """
        insert into evento.setting_audit(key, old_value, new_value, changed_by, changed_at)
        values ('forged', '1', '2', 'ceo', '2001-01-01')
        returning changed_at, changed_by, entered_by, entered_from
        """,
        """
        insert into evento.consumer_audit(name, version, at, done_by, action, detail)
        values ('forged', 1, '2001-01-01', 'ceo', 'pause', 'forged')
        returning at, done_by, entered_by, entered_from
        """,
        """
        insert into evento.component_history(kind, name, version, at, action, done_by, detail)
        values ('saga', 'forged', 1, '2001-01-01', 'owner', 'ceo', 'forged')
        returning at, done_by, entered_by, entered_from
        """,
      })
  void an_audit_is_not_dated_back_and_says_which_role_wrote_it(String forged) throws SQLException {
    try (var server = database.asServer();
        var session = server.createStatement();
        var row = session.executeQuery(forged)) {
      row.next();
      assertThat(row.getObject(1, OffsetDateTime.class))
          .isCloseTo(OffsetDateTime.now(), within(1, ChronoUnit.MINUTES));
      assertThat(row.getString(2)).as("what the node claims").isEqualTo("ceo");
      assertThat(row.getString(3)).isEqualTo(PostgresFixture.SERVER);
      assertThat(row.getString(4)).isEqualTo("127.0.0.1");
    }
  }

  @Test
  void the_servers_role_drops_no_key_without_its_erasure_and_tells_none_ahead_of_time()
      throws SQLException {
    var subject = "a".repeat(22);
    try (var server = database.asServer();
        var session = server.createStatement()) {
      session.execute(
          "insert into evento.subject_key(subject, version, master, wrapped) values ('"
              + subject
              + "', 1, 'm', '')");
      assertThatThrownBy(() -> session.execute("delete from evento.subject_key"))
          .hasMessageContaining("dropped with the erasure");
      // As a node of the previous release does it.
      session.execute(
          "insert into evento.erasure(subject, id, erased_at, erased_by, reason) values ('"
              + subject
              + "', 'ada', '2999-01-01', 'user root', 'asked') on conflict do nothing");
      assertThat(session.executeUpdate("delete from evento.subject_key")).isEqualTo(1);
      assertThat(
              strings(
                  server,
                  """
                  select (erased_at <= now()) || ' ' || (select count(*) from evento.audit
                    where action = 'erase subject' and object = 'ada' and who = 'user root')
                    from evento.erasure where id = 'ada'
                  """))
          .containsExactly("true 1");
    }
  }

  @Test
  void an_erasure_that_is_replayed_has_its_own_time_but_none_ahead_and_is_audited_as_what_it_is()
      throws SQLException {
    try (var server = database.asServer()) {
      strings(
          server,
          """
          select evento.erase_1(array['early', 'ahead'], array['eve', 'abe'],
                                array['2001-01-01', '2999-01-01']::timestamptz[],
                                array['user root', 'user root'], array['asked', 'asked'], 'node-9', '')
          """);
      assertThat(
              strings(
                  server,
                  """
                  select x.subject || ' ' || (x.erased_at <= clock_timestamp()) || ' ' ||
                         (x.erased_at < '2002-01-01') || ' ' || a.who || ' ' || a.action
                    from evento.erasure x join evento.audit a on a.object = x.id
                   where x.id in ('eve', 'abe') order by x.ordinal
                  """))
          .containsExactly(
              "early true true node node-9 replay erasure",
              "ahead true false node node-9 replay erasure");
      strings(
          server,
          "select evento.erase_1(array['early'], array['eve'], array[null]::timestamptz[],"
              + " array['user ada'], array['again'], 'node-9', '')");
      assertThat(
              strings(
                  server,
                  "select erased_by || ' ' || reason || ' ' || (select count(*) from evento.audit"
                      + " where object = 'eve') from evento.erasure"
                      + " where id = 'eve'"))
          .as("what is there stays as it is")
          .containsExactly("user root asked 1");
    }
  }

  @Test
  void what_nodes_write_into_audits_of_their_own_is_in_the_one_audit_too() throws SQLException {
    try (var server = database.asServer();
        var session = server.createStatement()) {
      session.execute(
          "insert into evento.setting_audit(key, old_value, new_value, changed_by)"
              + " values ('payload.bytes-max', '1', '2', 'user ada')");
      session.execute(
          "insert into evento.consumer_audit(name, version, done_by, action, detail)"
              + " values ('accounts', 1, 'user ada', 'pause', 'paused')");
      session.execute(
          "insert into evento.component_history(kind, name, version, action, done_by, detail)"
              + " values ('saga', 'transfer', 1, 'owner', 'user ada', 'handed over')");
      assertThat(
              strings(
                  server,
                  "select action || ' ' || object from evento.audit where who = 'user ada' order by id"))
          .containsExactly(
              "change setting payload.bytes-max",
              "consumer: pause accounts 1",
              "component: owner saga transfer");
    }
  }

  @Test
  void rows_of_the_owner_keep_their_time_as_a_restore_needs_it() throws SQLException {
    try (var owner = database.asOwner()) {
      assertThat(
              strings(
                  owner,
                  """
                  insert into evento.setting_audit(key, changed_by, changed_at)
                  values ('restored', 'ann', '2001-01-01T00:00:00Z')
                  returning changed_at = '2001-01-01T00:00:00Z' and entered_by is null
                  """))
          .containsExactly("t");
      assertThat(strings(owner, "select object from evento.audit where object = 'restored'"))
          .as("the restore has the copy of its own")
          .isEmpty();
    }
  }

  @Test
  void a_stranger_sees_nothing() throws SQLException {
    try (var admin = database.asAdmin();
        var session = admin.createStatement()) {
      session.execute("create role stranger");
      session.execute("set role stranger");
      assertThatThrownBy(() -> session.execute("select * from evento.event"))
          .hasMessageContaining("permission denied for schema evento");
      session.execute("reset role");
      session.execute("drop role stranger");
    }
  }

  @Test
  void a_new_store_is_in_its_first_epoch_and_empty() throws SQLException {
    try (var server = database.asServer()) {
      assertThat(strings(server, "select ordinal || ' ' || starts_after from evento.store_epoch"))
          .containsExactly("1 0");
    }
  }

  @Test
  void nodes_that_start_at_once_migrate_once() throws Exception {
    try (var fresh = PostgresFixture.shared().empty()) {
      var starts = new ArrayList<CompletableFuture<Void>>();
      for (var node = 0; node < 4; node++) {
        starts.add(CompletableFuture.runAsync(fresh::migrate));
      }
      CompletableFuture.allOf(starts.toArray(CompletableFuture[]::new)).get(60, TimeUnit.SECONDS);
      try (var owner = fresh.asOwner()) {
        assertThat(
                strings(
                    owner,
                    "select count(*) from evento.flyway_schema_history where success and version = '1'"))
            .containsExactly("1");
      }
    }
  }

  private static List<String> strings(Connection connection, String query) throws SQLException {
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(query)) {
      var found = new ArrayList<String>();
      while (rows.next()) {
        found.add(rows.getString(1));
      }
      return found;
    }
  }
}
