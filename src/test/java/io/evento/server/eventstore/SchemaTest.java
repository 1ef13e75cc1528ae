package io.evento.server.eventstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
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
        "update evento.link_key set version = 9",
        "delete from evento.link_key",
        "select * from evento.append_gate",
        "lock table evento.append_gate in exclusive mode",
        "update evento.append_gate set floor = 5",
        "update evento.setting_audit set new_value = 'x'",
        "delete from evento.setting_audit",
        "create table evento.more(id int)",
        "create trigger t before insert on evento.event for each row execute function suppress_redundant_updates_trigger()",
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
          // One of them for nodes of the release before.
          .containsExactlyInAnyOrder(
              PostgresFixture.OWNER,
              PostgresFixture.SERVER,
              PostgresFixture.OWNER,
              PostgresFixture.SERVER);
      assertThat(
              strings(
                  admin,
                  """
                  select f.prosecdef || ' ' || array_to_string(f.proconfig, ';') from pg_proc f
                   where f.pronamespace = 'evento'::regnamespace and f.proname like 'append%'
                  """))
          .hasSize(2)
          .allSatisfy(said -> assertThat(said).startsWith("true search_path=pg_catalog, pg_temp;"));
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
