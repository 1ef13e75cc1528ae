package io.evento.server.eventstore.append;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How the append refuses to be called, whoever holds the server's password. */
class AppendFunctionTest {
  /** One command with one event on an empty stream, with the arrays of commands and events open. */
  private static final String CALL =
      """
      select count from evento.append_4(null, null, null, null, null, null,
        %s,
        %s,
        %s,
        '{}', '{}', '{}', '{}')
      """;

  private static final String EVENT = "'{1}', '{bank}', '{A}', '{\"{}\"}', '{NULL}', '{x}'";

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

  private static String command() {
    return "'{%s}', '{1}', '{2}', '{0}', '{NULL}'".formatted(UUID.randomUUID());
  }

  private static String stream() {
    return "'{1}', '{S:%s}', '{0}', '{0}'".formatted(UUID.randomUUID());
  }

  private static String good() {
    return good("{x}");
  }

  private static String good(String payloads) {
    return CALL.formatted(command(), stream(), EVENT.replace("{x}", payloads)).strip();
  }

  private static String ofTheReleaseBefore(String call) {
    return call.replace("evento.append_4(", "evento.append_3(");
  }

  private static void assertRefused(Connection connection, String statement, String state) {
    assertThatThrownBy(() -> call(connection, statement))
        .isInstanceOf(SQLException.class)
        .extracting(failure -> ((SQLException) failure).getSQLState())
        .isEqualTo(state);
  }

  @Test
  void one_simple_query_of_its_own_is_taken() throws SQLException {
    assertThat(call(server, good())).isEqualTo(1);
    assertThat(call(server, ofTheReleaseBefore(good()))).isEqualTo(1);
  }

  @Test
  void a_transaction_block_is_refused() throws SQLException {
    server.setAutoCommit(false);
    assertRefused(server, good(), "25001");
  }

  @Test
  void another_isolation_level_is_refused() throws SQLException {
    server.createStatement().execute("set default_transaction_isolation = 'repeatable read'");
    assertRefused(server, good(), "0A000");
  }

  @Test
  void the_extended_protocol_is_refused() throws SQLException {
    try (var extended = database.asServer()) {
      assertRefused(extended, good(), "25001");
    }
  }

  /** What stands beside the call would run while it has the gate. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "%s; select 1",
        "%s; select pg_sleep(3)",
        "select 1; %s",
        "%s; set lock_timeout = 0",
        "set standard_conforming_strings = on; %s",
        "select count, pg_sleep(3) from (%s) c",
        "with c as materialized (%s) select count, pg_sleep(3) from c",
        "%s where pg_sleep(3) is not null",
        "%s, pg_sleep(3)",
        "%s a cross join pg_sleep(3)",
        "%s union all select 1 from pg_sleep(3)",
        "%s order by pg_sleep(3)::text",
        "%s /* '; select ' */",
        "%s -- '",
      })
  void more_than_the_call_is_refused(String around) {
    assertRefused(server, around.formatted(good()), "25001");
    assertRefused(server, around.formatted(ofTheReleaseBefore(good())), "25001");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select count, pg_sleep(3) from evento.append_4(",
        "select count from pg_sleep(3), evento.append_4(",
        // plain words, which the executor works on after the call
        "select relpages from pg_class a, pg_am b intersect select count from evento.append_4(",
        "select relpages from pg_class a union select count from evento.append_4(",
        // a literal that ends elsewhere than it seems to
        "select e'\\'' poch, count from evento.append_4(",
        "select u&'x' uescape '!', count from evento.append_4(",
        "select $$'$$, count from evento.append_4(",
        "select count as \"'\" from evento.append_4(",
        "select count /* ' */ from evento.append_4(",
      })
  void a_call_with_more_in_its_list_is_refused(String head) {
    assertRefused(server, good().replace("select count from evento.append_4(", head), "25001");
  }

  @Test
  void statements_in_a_block_are_refused() {
    assertRefused(
        server,
        "do $do$ begin perform count from ("
            + good()
            + ") c; perform pg_sleep(3); end $do$; select 1",
        "25001");
  }

  /** With escapes in plain literals, a quote that looks like an end is none. */
  @Test
  void literals_with_escapes_are_refused_also_where_the_same_message_takes_them_back()
      throws SQLException {
    server.createStatement().execute("set standard_conforming_strings = off");
    assertRefused(server, good(), "25001");
    assertRefused(
        server,
        "select '\\','; set standard_conforming_strings = on; " + good() + "; select ' '",
        "25001");
  }

  @Test
  void a_second_statement_does_not_keep_the_others_from_the_gate() throws Exception {
    var holds = good() + "; select pg_sleep(8)";
    var holder =
        CompletableFuture.runAsync(
            () -> {
              try (var hostile = simple();
                  var session = hostile.createStatement()) {
                session.execute(holds);
              } catch (SQLException failure) {
                throw new IllegalStateException(failure);
              }
            });
    var since = System.nanoTime();
    for (var i = 0; i < 50; i++) {
      assertThat(call(server, good())).isEqualTo(1);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - since)).isLessThan(Duration.ofSeconds(3));
    assertThatThrownBy(holder::get).rootCause().hasMessageContaining("alone in its transaction");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{a;b}",
        "{it''s; select 1}",
        "{''''}",
        "{\"''; drop table x; --\"}",
        "{\"\\\\''\"}",
        "{\"/* $$ \\\\ e''x'' */\"}",
      })
  void whatever_stands_in_a_payload_is_taken(String payloads) throws SQLException {
    assertThat(call(server, good(payloads))).isEqualTo(1);
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
    assertThat(call(server, good())).isEqualTo(1);
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
    var command = command().replace("'{0}'", "'" + kinds + "'");
    var none = "'{}', '{}', '{}', '{}', '{}', '{}'";
    var event = events.equals("{}") ? none : EVENT;
    var stream = what.contains("no command") ? stream().replace("'{1}'", "'{7}'") : stream();
    assertRefused(server, CALL.formatted(command, stream, event), state);
  }

  /**
   * Two commands on one stream, the first with decision 2 on the empty stream, the second as said.
   */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          on the state after the first              |       | {1,2} | {S,S}   | {0,1} | {0,2} | {1,2}
          on another decision                       | 23505 | {1,2} | {S,S}   | {0,1} | {0,3} | {1,2}
          on a version further on                   | 23505 | {1,2} | {S,S}   | {0,2} | {0,2} | {1,2}
          on the same state as the first            | 23505 | {1,2} | {S,S}   | {0,0} | {0,0} | {1,2}
          before the one that it is on              | 23505 | {2,1} | {S,S}   | {0,1} | {0,2} | {1,2}
          by a command that has another stream too  | 23505 | {1,2,2} | {S,S,T} | {0,1,0} | {0,2,0} | {1,2}
          with its event before that of the first   | 22023 | {1,2} | {S,S}   | {0,1} | {0,2} | {2,1}
          """)
  void a_stream_twice_is_taken_as_a_chain_only(
      String what,
      String state,
      String commands,
      String streams,
      String versions,
      String tips,
      String events)
      throws SQLException {
    var at = UUID.randomUUID().toString();
    var statement =
        CALL.formatted(
            "'{%s,%s}', '{1,1}', '{2,3}', '{0,0}', '{NULL,NULL}'"
                .formatted(UUID.randomUUID(), UUID.randomUUID()),
            "'%s', '%s', '%s', '%s'"
                .formatted(
                    commands,
                    streams.replace("S", "S:" + at).replace("T", "T:" + at),
                    versions,
                    tips),
            "'%s', '{b,b}', '{A,A}', '{\"{}\",\"{}\"}', '{NULL,NULL}', '{x,x}'".formatted(events));
    if (state == null) {
      assertThat(call(server, statement.strip())).isEqualTo(2);
    } else {
      assertRefused(server, statement.strip(), state);
    }
  }

  @Test
  void a_chain_with_a_condition_is_refused() {
    var statement =
        CALL.formatted(
                "'{%s,%s}', '{1,1}', '{2,3}', '{0,0}', '{NULL,NULL}'"
                    .formatted(UUID.randomUUID(), UUID.randomUUID()),
                "'{1,2}', '{S:c,S:c}', '{0,1}', '{0,2}'",
                "'{1,2}', '{b,b}', '{A,A}', '{\"{}\",\"{}\"}', '{NULL,NULL}', '{x,x}'")
            .replace("'{}', '{}', '{}', '{}')", "'{2}', '{NULL}', '{\"{a}\"}', '{0}')");
    assertRefused(server, statement.strip(), "23505");
  }

  @Test
  void a_stream_twice_is_refused() {
    assertRefused(
        server,
        CALL.formatted(
            "'{%s,%s}', '{1,1}', '{2,2}', '{0,0}', '{NULL,NULL}'"
                .formatted(UUID.randomUUID(), UUID.randomUUID()),
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
    var open = CALL.formatted(command(), "'{1}', '{S:9}', '{NULL}', '{0}'", EVENT);
    assertThat(call(server, open)).isZero();
    var unhashed = command().replace("'{1}'", "'{NULL}'");
    assertRefused(server, CALL.formatted(unhashed, stream(), EVENT), "23514");
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
