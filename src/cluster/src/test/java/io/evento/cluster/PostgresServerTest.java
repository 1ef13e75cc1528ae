package io.evento.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.launcher.Login;
import io.evento.launcher.Member;
import io.evento.launcher.Signal;
import io.evento.testing.FreePorts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PostgresServerTest {

  private static final Duration START_MAX = Duration.ofSeconds(60);

  @TempDir private static Path directory;
  private static PostgresServer server;
  private static Member process;
  private static Database database;

  @BeforeAll
  static void start() throws Exception {
    var port = FreePorts.one();
    database = Database.embedded(port);
    server =
        new PostgresServer(
            new PostgresBinaries(Path.of("target/postgresql-17").toAbsolutePath()),
            directory.resolve("pg"),
            port);
    server.initialise();
    process =
        new Member(
            Members.POSTGRES,
            database.url(),
            server.launch(directory.resolve("log")),
            server::answers,
            Signal.INT,
            new PidFileTest.Silence());
    process.start();
    process.awaitReady(START_MAX);
    server.prepare(database, Path.of("docker/roles.sql"));
  }

  @AfterAll
  static void stop() throws InterruptedException {
    process.stop(START_MAX);
  }

  @Test
  void what_was_committed_survives_an_immediate_stop() throws Exception {
    execute(database.bank(), "create table kept as select 42 as it");

    process.endBy(Signal.QUIT);
    process.start();
    process.awaitReady(START_MAX);

    assertThat(ask(database.bank(), "select it from kept")).isEqualTo("42");
  }

  @Test
  void preparing_again_changes_nothing() throws Exception {
    server.prepare(database, Path.of("docker/roles.sql"));

    assertThat(ask(database.bank(), "select current_user")).isEqualTo("evento_bank");
  }

  @Test
  void nobody_is_a_superuser() throws Exception {
    for (var login : new Login[] {database.owner(), database.server(), database.bank()}) {
      assertThat(ask(login, "show is_superuser")).isEqualTo("off");
    }
  }

  @Test
  void a_wrong_password_is_refused() {
    assertThatThrownBy(() -> database.connectAs(new Login("evento_owner", "wrong")))
        .hasMessageContaining("password authentication failed");
  }

  @Test
  void the_superusers_password_is_random_and_only_this_user_may_read_it() throws Exception {
    assertThatThrownBy(() -> database.connectAs(new Login("postgres", "postgres")))
        .hasMessageContaining("password authentication failed");
    var login = server.superuser();
    assertThat(login.password()).hasSizeGreaterThanOrEqualTo(32);
    database.connectAs(login).close();
    var file = server.data().resolve("superuser.password");
    assertThat(Files.getPosixFilePermissions(file))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(server.data().resolveSibling("initdb-password")).doesNotExist();
  }

  @Test
  void a_data_directory_of_an_earlier_release_gets_a_password_of_its_own() throws Exception {
    try (var admin = server.administrator("postgres");
        var statement = admin.createStatement()) {
      statement.execute("alter role postgres password 'postgres'");
    }
    Files.delete(server.data().resolve("superuser.password"));
    assertThat(server.answers()).isTrue();

    server.prepare(database, Path.of("docker/roles.sql"));

    assertThatThrownBy(() -> database.connectAs(new Login("postgres", "postgres")))
        .hasMessageContaining("password authentication failed");
    assertThat(server.answers()).isTrue();
  }

  @Test
  void neither_nodes_nor_bundles_write_where_nobody_looks() {
    for (var login : new Login[] {database.server(), database.bank()}) {
      for (var call :
          List.of(
              "lo_create(0)",
              "lo_from_bytea(0, 'x')",
              "pg_logical_emit_message(false, 'x', 'y')",
              "pg_advisory_lock(1)",
              "pg_try_advisory_lock_shared(1, 2)")) {
        assertThatThrownBy(() -> ask(login, "select " + call))
            .as("%s as %s", call, login)
            .hasMessageContaining("permission denied for function");
      }
    }
    assertThatThrownBy(() -> ask(database.server(), "select pg_advisory_xact_lock(1)"))
        .hasMessageContaining("permission denied for function");
  }

  @Test
  void bundles_keep_the_locks_that_end_with_their_transaction() throws Exception {
    assertThat(ask(database.bank(), "select pg_advisory_xact_lock(1) is not null")).isEqualTo("t");
    assertThat(ask(database.owner(), "select pg_try_advisory_lock(1)")).isEqualTo("t");
    assertThat(ask(database.owner(), "select pg_logical_emit_message(false, 'a', 'b') is not null"))
        .isEqualTo("t");
  }

  @Test
  void the_bank_has_a_bound_of_connections() throws Exception {
    try (var admin = server.administrator("postgres");
        var row =
            admin
                .createStatement()
                .executeQuery("select rolconnlimit from pg_roles where rolname = 'evento_bank'")) {
      row.next();
      assertThat(row.getInt(1)).isEqualTo(40);
    }
  }

  @Test
  void the_owner_makes_schemas_and_the_others_do_not() throws Exception {
    execute(database.owner(), "create schema made");

    for (var login : new Login[] {database.server(), database.bank()}) {
      assertThatThrownBy(() -> execute(login, "create schema mine"))
          .hasMessageContaining("permission denied for database");
      assertThatThrownBy(() -> execute(login, "create table public.mine (a int)"))
          .hasMessageContaining("permission denied for schema public");
    }
  }

  @Test
  void the_bank_lives_in_its_own_schema() throws Exception {
    execute(database.bank(), "create table mine (a int)");

    assertThat(ask(database.bank(), "select count(*) from bank.mine")).isEqualTo("0");
    assertThatThrownBy(() -> ask(database.server(), "select count(*) from bank.mine"))
        .hasMessageContaining("permission denied for schema bank");
  }

  @Test
  void a_server_that_freezes_in_a_transaction_is_cut_off() throws Exception {
    assertThat(ask(database.server(), "show idle_in_transaction_session_timeout")).isEqualTo("10s");
  }

  private static void execute(Login login, String sql) throws SQLException {
    try (var connection = database.connectAs(login);
        var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static String ask(Login login, String sql) throws SQLException {
    try (var connection = database.connectAs(login);
        var statement = connection.createStatement();
        var answer = statement.executeQuery(sql)) {
      assertThat(answer.next()).isTrue();
      return answer.getString(1);
    }
  }
}
