package io.evento.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A PostgreSQL on a directory of its own. It keeps its data between starts and never relaxes
 * durability: what a test sees after a crash is what production would see.
 */
public final class PostgresServer {

  private static final Login ADMINISTRATOR = new Login("postgres", "postgres");
  private static final long INITDB_SECONDS_MAX = 120;

  private static final List<String> SETTINGS =
      List.of(
          "listen_addresses=127.0.0.1",
          "unix_socket_directories=",
          "max_connections=200",
          "shared_buffers=256MB",
          "min_wal_size=1GB",
          "max_wal_size=4GB",
          "shared_preload_libraries=pg_stat_statements",
          "pg_stat_statements.track=all",
          "log_line_prefix=%m [%p] %q%u %a ");

  private final PostgresBinaries binaries;
  private final Path data;
  private final int port;

  PostgresServer(PostgresBinaries binaries, Path data, int port) {
    this.binaries = binaries;
    this.data = data;
    this.port = port;
  }

  /** Unpacks the programs and makes the data directory, unless that was done before. */
  void initialise() throws IOException, InterruptedException {
    binaries.unpack();
    if (Files.exists(data.resolve("PG_VERSION"))) {
      return;
    }
    Files.createDirectories(data.getParent());
    var password = Files.writeString(data.resolveSibling("initdb-password"), "postgres");
    var log = data.resolveSibling("initdb.log");
    var command = new ArrayList<>(binaries.command("initdb"));
    command.addAll(
        List.of(
            "-D", data.toString(), "-U", ADMINISTRATOR.user(), "--pwfile", password.toString()));
    command.addAll(List.of("-A", "scram-sha-256", "-E", "UTF8", "--locale", "C", "--no-sync"));
    var initdb = new Launch(command, Map.of(), log).spawn(Map.of());
    if (!initdb.waitFor(INITDB_SECONDS_MAX, TimeUnit.SECONDS) || initdb.exitValue() != 0) {
      throw new StartFailure("initdb did not make " + data + ".", log);
    }
    Files.delete(password);
  }

  /** Another server of the same programs and passwords, on a copy of this one's data. */
  public PostgresServer beside(Path copy, int otherPort) {
    return new PostgresServer(binaries, copy, otherPort);
  }

  public Launch launch(Path log) {
    var command = new ArrayList<>(binaries.command("postgres"));
    command.addAll(List.of("-D", data.toString(), "-p", Integer.toString(port)));
    SETTINGS.forEach(setting -> command.addAll(List.of("-c", setting)));
    return new Launch(command, Map.of(), log);
  }

  /** Where it keeps everything. */
  public Path data() {
    return data;
  }

  public int port() {
    return port;
  }

  public boolean answers() {
    try (var connection = administrator("postgres")) {
      return connection.isValid(1);
    } catch (SQLException notYet) {
      return false;
    }
  }

  /** Makes the database, its roles, and the counters that tests read. */
  void prepare(Database database, Path rolesScript) throws IOException, SQLException {
    try (var connection = administrator("postgres");
        var statement = connection.createStatement();
        var found =
            statement.executeQuery(
                "select 1 from pg_database where datname = '" + Database.NAME + "'")) {
      if (!found.next()) {
        statement.execute("create database " + Database.NAME);
      }
    }
    try (var connection = administrator(Database.NAME);
        var statement = connection.createStatement()) {
      statement.execute("create extension if not exists pg_stat_statements");
      Roles.create(
          connection,
          database.owner(),
          database.server(),
          database.bank(),
          Files.readString(rolesScript));
    }
  }

  /** A superuser's connection. */
  public Connection administrator(String database) throws SQLException {
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:" + port + "/" + database + "?connectTimeout=2",
        ADMINISTRATOR.user(),
        ADMINISTRATOR.password());
  }
}
