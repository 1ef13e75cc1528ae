package io.evento.server.eventstore.append;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How the append refuses to be called, whoever holds the server's password. */
class AppendCallTest {
  /** One command with one event on an empty stream, with the arrays of commands and events open. */
  private static final String CALL =
      """
      select count from evento.append_3(null, null, null, null, null, null,
        %s,
        %s,
        %s,
        '{}', '{}', '{}', '{}')
      """;

  private static final String COMMAND = "array[gen_random_uuid()], '{1}', '{2}', '{0}', '{NULL}'";
  private static final String STREAM = "'{1}', array['S:' || gen_random_uuid()], '{0}', '{0}'";
  private static final String EVENT = "'{1}', '{bank}', '{A}', '{\"{}\"}', '{NULL}', '{x}'";
  private static final String GOOD = CALL.formatted(COMMAND, STREAM, EVENT);

  private static TestDatabase database;
  private Connection server;

  @BeforeAll
  static void migrate() {
    database = PostgresFixture.shared().migrated();
  }

  @AfterAll
  static void drop() {
    database.close();
  }

  @BeforeEach
  void connect() throws SQLException {
    server = simple();
  }

  @AfterEach
  void disconnect() throws SQLException {
    server.close();
  }

  private static Connection simple() throws SQLException {
    return DriverManager.getConnection(
        database.url() + "?preferQueryMode=simple", PostgresFixture.SERVER, "");
  }

  private static int call(Connection connection, String statement) throws SQLException {
    try (var session = connection.createStatement();
        var row = session.executeQuery(statement)) {
      row.next();
      return row.getInt(1);
    }
  }

  private static void assertRefused(Connection connection, String statement, String state) {
    assertThatThrownBy(() -> call(connection, statement))
        .isInstanceOf(SQLException.class)
        .extracting(failure -> ((SQLException) failure).getSQLState())
        .isEqualTo(state);
  }

  @Test
  void one_simple_query_of_its_own_is_taken() throws SQLException {
    assertThat(call(server, GOOD)).isEqualTo(1);
  }

  @Test
  void a_transaction_block_is_refused() throws SQLException {
    server.setAutoCommit(false);
    assertRefused(server, GOOD, "25001");
  }

  @Test
  void another_isolation_level_is_refused() throws SQLException {
    server.createStatement().execute("set default_transaction_isolation = 'repeatable read'");
    assertRefused(server, GOOD, "0A000");
  }

  @Test
  void the_extended_protocol_is_refused() throws SQLException {
    try (var extended = database.asServer()) {
      assertRefused(extended, GOOD, "25001");
    }
  }

  @Test
  void a_hostile_search_path_changes_nothing() throws SQLException {
    try (var admin = database.asAdmin();
        var session = admin.createStatement()) {
      session.execute("create schema hostile");
      session.execute(
          "create function hostile.row_number() returns bigint language sql as 'select 1::bigint'");
      session.execute(
          """
          create function hostile.greatest_hit(bigint, bigint) returns boolean
          language sql as 'select true'
          """);
      session.execute(
          """
          create operator hostile.= (leftarg = bigint, rightarg = bigint,
                                     function = hostile.greatest_hit)
          """);
      session.execute("create table hostile.event (position bigint)");
      session.execute("grant usage on schema hostile to public");
    }
    server.createStatement().execute("set search_path = hostile, pg_catalog, evento");
    server.createStatement().execute("create temp table event (position bigint)");
    assertThat(call(server, GOOD)).isEqualTo(1);
    try (var owner = database.asOwner()) {
      assertThat(call(owner, "select count(*) - max(position) from evento.event")).isZero();
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          an event of no command            | 22023 | {0} | {1}
          a command with events, none given | 22023 | {0} | {}
          events of an outcome without      | 22023 | {1} | {1}
          """)
  void kinds_and_events_have_to_match(String what, String state, String kinds, String events) {
    var command = "array[gen_random_uuid()], '{1}', '{2}', '" + kinds + "', '{NULL}'";
    var none = "'{}', '{}', '{}', '{}', '{}', '{}'";
    var event = events.equals("{}") ? none : EVENT;
    var stream = what.contains("no command") ? STREAM.replace("'{1}'", "'{7}'") : STREAM;
    assertRefused(server, CALL.formatted(command, stream, event), state);
  }

  @Test
  void a_stream_twice_is_refused() {
    assertRefused(
        server,
        CALL.formatted(
            "array[gen_random_uuid(), gen_random_uuid()], '{1,1}', '{2,2}', '{0,0}', '{NULL,NULL}'",
            "'{1,2}', '{S:1,S:1}', '{0,0}', '{0,0}'",
            "'{1,2}', '{b,b}', '{A,A}', '{\"{}\",\"{}\"}', '{NULL,NULL}', '{x,x}'"),
        "23505");
  }

  @Test
  void an_id_twice_is_refused_also_as_another_kind() {
    var id = "0198c0de-0000-7000-8000-000000000001";
    assertRefused(
        server,
        CALL.formatted(
            "'{" + id + "," + id + "}', '{1,1}', '{2,2}', '{0,1}', '{NULL,NULL}'",
            "'{1,2}', '{S:1,S:2}', '{0,0}', '{0,0}'",
            EVENT),
        "23505");
  }

  @Test
  void a_missing_expectation_is_stale_and_a_missing_hash_refused() throws SQLException {
    var open = CALL.formatted(COMMAND, "'{1}', '{S:9}', '{NULL}', '{0}'", EVENT);
    assertThat(call(server, open)).isZero();
    var unhashed = COMMAND.replace("'{1}'", "'{NULL}'");
    assertRefused(server, CALL.formatted(unhashed, STREAM, EVENT), "23514");
  }

  @Test
  void nothing_of_a_refused_call_is_left() throws SQLException {
    try (var owner = database.asOwner()) {
      var before = call(owner, "select count(*) from evento.event");
      a_stream_twice_is_refused();
      an_id_twice_is_refused_also_as_another_kind();
      assertThat(call(owner, "select count(*) from evento.event")).isEqualTo(before);
      assertThat(call(owner, "select count(*) from evento.command_result")).isZero();
    }
  }
}
