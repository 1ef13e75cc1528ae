package io.evento.cluster;

import io.evento.launcher.Launch;
import io.evento.launcher.Login;
import io.evento.launcher.Roles;
import io.evento.launcher.StartFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A PostgreSQL on a directory of its own. It keeps its data between starts and never relaxes
 * durability: what a test sees after a crash is what production would see.
 */
public final class PostgresServer {

  private static final String SUPERUSER = "postgres";

  /** In the data directory, so that each copy of it has its own. */
  private static final String PASSWORD_FILE = "superuser.password";

  /** Of a data directory that an earlier release made; {@link #prepare} takes it away. */
  private static final String FORMER_PASSWORD = "postgres";

  private static final Set<PosixFilePermission> PRIVATE =
      PosixFilePermissions.fromString("rw-------");
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
  private final Optional<Hardening> hardening;

  PostgresServer(PostgresBinaries binaries, Path data, int port) {
    this(binaries, data, port, Optional.empty());
  }

  /**
   * @param hardening if present, nobody comes in without TLS
   */
  PostgresServer(PostgresBinaries binaries, Path data, int port, Optional<Hardening> hardening) {
    this.binaries = binaries;
    this.data = data;
    this.port = port;
    this.hardening = hardening;
  }

  /** Unpacks the programs and makes the data directory, unless that was done before. */
  void initialise() throws IOException, InterruptedException {
    binaries.unpack();
    if (Files.exists(data.resolve("PG_VERSION"))) {
      return;
    }
    Files.createDirectories(data.getParent());
    // A superuser runs programs as whoever started the server, and a port of the loopback is open
    // to
    // all users of the machine.
    var password = data.resolveSibling("initdb-password");
    Files.deleteIfExists(password);
    writePrivately(password, randomPassword());
    var log = data.resolveSibling("initdb.log");
    var command = new ArrayList<>(binaries.command("initdb"));
    command.addAll(
        List.of("-D", data.toString(), "-U", SUPERUSER, "--pwfile", password.toString()));
    command.addAll(List.of("-A", "scram-sha-256", "-E", "UTF8", "--locale", "C", "--no-sync"));
    var initdb = new Launch(command, Map.of(), log).spawn(Map.of());
    if (!initdb.waitFor(INITDB_SECONDS_MAX, TimeUnit.SECONDS) || initdb.exitValue() != 0) {
      throw new StartFailure("initdb did not make " + data + ".", log);
    }
    Files.move(password, data.resolve(PASSWORD_FILE));
  }

  private static String randomPassword() {
    var bytes = new byte[24];
    new SecureRandom().nextBytes(bytes);
    return Base64.getUrlEncoder().encodeToString(bytes);
  }

  /** Nobody else may read the file, from its first byte on. */
  private static void writePrivately(Path file, String text) throws IOException {
    Files.createFile(file, PosixFilePermissions.asFileAttribute(PRIVATE));
    Files.writeString(file, text);
  }

  /** Of the superuser, as the data directory has it. */
  public Login superuser() {
    var file = data.resolve(PASSWORD_FILE);
    try {
      return new Login(SUPERUSER, Files.exists(file) ? Files.readString(file) : FORMER_PASSWORD);
    } catch (IOException failure) {
      throw new UncheckedIOException("cannot read " + file, failure);
    }
  }

  /** Another server of the same programs and passwords, on a copy of this one's data. */
  public PostgresServer beside(Path copy, int otherPort) {
    return new PostgresServer(binaries, copy, otherPort, hardening);
  }

  public Launch launch(Path log) {
    var command = new ArrayList<>(binaries.command("postgres"));
    command.addAll(List.of("-D", data.toString(), "-p", Integer.toString(port)));
    SETTINGS.forEach(setting -> command.addAll(List.of("-c", setting)));
    hardening.ifPresent(
        with -> tls(with).forEach(setting -> command.addAll(List.of("-c", setting))));
    return new Launch(command, Map.of(), log);
  }

  private static List<String> tls(Hardening with) {
    return List.of(
        "ssl=on",
        "ssl_min_protocol_version=TLSv1.3",
        "ssl_cert_file=" + with.server().certificate(),
        "ssl_key_file=" + with.server().key(),
        "hba_file=" + with.accessRules());
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
    takeFormerPasswordAway();
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

  private void takeFormerPasswordAway() throws IOException, SQLException {
    var file = data.resolve(PASSWORD_FILE);
    if (Files.exists(file)) {
      return;
    }
    try (var connection = administrator("postgres");
        var statement = connection.createStatement()) {
      var password = randomPassword();
      statement.execute("set log_statement = none; set log_min_error_statement = panic");
      // Letters, digits, - and _: nothing to quote.
      statement.execute("alter role " + SUPERUSER + " password '" + password + "'");
      writePrivately(file, password);
    }
  }

  /** A superuser's connection. */
  public Connection administrator(String database) throws SQLException {
    var login = superuser();
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:"
            + port
            + "/"
            + database
            + hardening.map(with -> with.jdbcOptions() + "&").orElse("?")
            + "connectTimeout=2",
        login.user(),
        login.password());
  }
}
