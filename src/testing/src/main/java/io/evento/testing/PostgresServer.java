package io.evento.testing;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL of one test, which may crash it, copy it or put a copy in its place. It listens on
 * the same port all its life.
 */
public final class PostgresServer implements AutoCloseable {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  /** Two JVMs of one test run may have servers at the same time. */
  private static final long OWN = ProcessHandle.current().pid();

  private final File binaries;
  private final Path home;
  private final int port;
  private Path data;

  private PostgresServer(File binaries, Path home, int port) {
    this.binaries = binaries;
    this.home = home;
    this.port = port;
    this.data = home.resolve("data");
  }

  /** Starts a new one with the roles of a real installation. */
  public static PostgresServer start() {
    var server = absent();
    try {
      server.run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "-D", server.dir());
      server.begin();
      PostgresFixture.makeRoles(server.admin());
      return server;
    } catch (SQLException failure) {
      throw new IllegalStateException("roles not made", failure);
    }
  }

  /** A place for a server whose data somebody else makes, before it begins. */
  static PostgresServer absent() {
    PostgresFixture.shared(); // unpacks the binaries
    try {
      var home =
          Path.of("target", "pg-server", OWN + "-" + NUMBER.incrementAndGet()).toAbsolutePath();
      deleteTree(home);
      Files.createDirectories(home);
      return new PostgresServer(unpacked(), home, FreePorts.one());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static File unpacked() {
    var found = PostgresFixture.UNPACKED.listFiles((dir, name) -> name.startsWith("PG-"));
    return new File(Objects.requireNonNull(found)[0], "bin").getAbsoluteFile();
  }

  /** A new database with the schema of this release. */
  public TestDatabase migrated(String name) {
    try {
      var database = TestDatabase.create(port, name, "template1");
      database.migrate();
      return database;
    } catch (SQLException failure) {
      throw new IllegalStateException("no database " + name, failure);
    }
  }

  public int port() {
    return port;
  }

  /** Where its data lie. */
  Path data() {
    return data;
  }

  /** First column of the first row, as a superuser; null if it is null. */
  public @Nullable String ask(String sql) {
    return ask("postgres", sql);
  }

  /** The same, of one of its databases. */
  public @Nullable String ask(TestDatabase database, String sql) {
    return ask(database.name(), sql);
  }

  private @Nullable String ask(String database, String sql) {
    try (var admin = admin(database);
        var statement = admin.createStatement();
        var row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    } catch (SQLException failure) {
      throw new IllegalStateException("not answered: " + sql, failure);
    }
  }

  /** Runs statements without a result, each in a transaction of its own, as a superuser. */
  public void execute(String... statements) {
    try (var admin = admin();
        var statement = admin.createStatement()) {
      for (var sql : statements) {
        statement.execute(sql);
      }
    } catch (SQLException failure) {
      throw new IllegalStateException("not done: " + List.of(statements), failure);
    }
  }

  /** Changes a setting of the running server, as {@code alter system} and a reload do. */
  public void configure(String setting, String value) {
    execute("alter system set " + setting + " = '" + value + "'", "select pg_reload_conf()");
  }

  /** Stops all its processes where they are: connections stay, nobody answers. */
  public void freeze() {
    ProcessTree.signal("STOP", pid());
  }

  /** Lets a frozen server go on. */
  public void thaw() {
    ProcessTree.signal("CONT", pid());
  }

  /** Kills all its processes at once, frozen or not; nothing if it does not run. */
  public void kill() {
    if (Files.exists(data.resolve("postmaster.pid"))) {
      ProcessTree.kill(pid());
      try {
        // Its number may be another process' by the next time.
        Files.delete(data.resolve("postmaster.pid"));
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
  }

  private long pid() {
    try {
      return Long.parseLong(Files.readAllLines(data.resolve("postmaster.pid")).get(0).strip());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Forgets the data of a server that does not run. */
  void wipe() {
    try {
      deleteTree(data);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  public Connection admin() throws SQLException {
    return admin("postgres");
  }

  private Connection admin(String database) throws SQLException {
    return DriverManager.getConnection(PostgresFixture.url(port, database), "postgres", "");
  }

  /** Starts it after a stop, and waits until it takes connections. */
  public void begin() {
    run(
        "pg_ctl",
        "-D",
        dir(),
        "-l",
        home.resolve("log").toString(),
        "-w",
        "-o",
        "-p " + port + " -c max_connections=100 -c wal_level=replica -c unix_socket_directories=",
        "start");
  }

  /** Stops it as a power failure would, as far as memory and connections go. */
  public void crash() {
    run("pg_ctl", "-D", dir(), "-m", "immediate", "-w", "stop");
  }

  public void stop() {
    run("pg_ctl", "-D", dir(), "-m", "fast", "-w", "stop");
  }

  /** Copies the data of a stopped server as a disk snapshot would, and gives the copy's name. */
  public Path snapshot() {
    var copy = home.resolve("copy-" + NUMBER.incrementAndGet());
    spawn(List.of("cp", "-a", dir(), copy.toString()));
    return copy;
  }

  /** Puts a snapshot in the place of a stopped server's data. */
  public void putBack(Path snapshot) {
    data = snapshot;
  }

  /** Starts a stopped server as a standby whose primary is gone, and promotes it. */
  public void beginPromoted() {
    try {
      Files.createFile(data.resolve("standby.signal"));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    begin();
    run("pg_ctl", "-D", dir(), "-w", "promote");
  }

  private String dir() {
    return data.toString();
  }

  private void run(String program, String... arguments) {
    var command = new ArrayList<String>();
    if ("root".equals(System.getProperty("user.name"))) {
      command.addAll(List.of("unshare", "-U")); // PostgreSQL does not run as root
    }
    command.add(new File(binaries, program).getPath());
    command.addAll(List.of(arguments));
    spawn(command);
  }

  private void spawn(List<String> command) {
    try {
      var output = home.resolve("commands").toFile();
      var process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(output))
              .start();
      if (!process.waitFor(90, TimeUnit.SECONDS) || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new IllegalStateException(command + " failed: " + Files.readString(output.toPath()));
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    } catch (InterruptedException asked) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", asked);
    }
  }

  private static void deleteTree(Path root) throws IOException {
    if (Files.exists(root)) {
      try (var all = Files.walk(root)) {
        for (var each : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(each);
        }
      }
    }
  }

  @Override
  public void close() {
    kill();
    try {
      deleteTree(home);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
