package io.evento.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One embedded PostgreSQL for all tests of a JVM, with the roles that a real installation has. Each
 * test takes databases of its own; what has to stop or break a server starts a {@link
 * PostgresServer}.
 */
public final class PostgresFixture {
  /** Owns the schema, runs the migrations. */
  public static final String OWNER = "evento_owner";

  /** The nodes' role. */
  public static final String SERVER = "evento_server";

  /** Where the binaries are unpacked; {@code mvn clean} heals a half-unpacked directory. */
  static final File UNPACKED = new File("target/embedded-pg");

  private static final AtomicInteger NUMBER = new AtomicInteger();

  private static final String TEMPLATE = "evento_template";

  private final EmbeddedPostgres postgres;
  private boolean isTemplateMade;

  private PostgresFixture() {
    try {
      postgres =
          EmbeddedPostgres.builder()
              .setOverrideWorkingDirectory(UNPACKED)
              .setServerConfig("synchronous_commit", "on")
              .setServerConfig("shared_buffers", "128MB")
              .setServerConfig("max_wal_size", "2GB")
              .start();
      makeRoles(admin("postgres"));
    } catch (IOException failure) {
      throw new UncheckedIOException("embedded PostgreSQL does not start", failure);
    } catch (SQLException failure) {
      throw new IllegalStateException("roles not made", failure);
    }
  }

  private static final class Holder {
    private static final PostgresFixture SHARED = new PostgresFixture();
  }

  /** The server of this JVM; started at the first call. */
  public static PostgresFixture shared() {
    return Holder.SHARED;
  }

  /** The roles and their settings, as an administrator makes them once per cluster. */
  static void makeRoles(Connection admin) throws SQLException {
    try (admin;
        var statement = admin.createStatement()) {
      for (var role : new String[] {OWNER, SERVER}) {
        statement.execute("create role " + role + " login");
      }
      statement.execute("alter role " + SERVER + " set synchronous_commit = on");
      statement.execute(
          "alter role " + SERVER + " set idle_in_transaction_session_timeout = '10s'");
      statement.execute("alter role " + SERVER + " set client_connection_check_interval = '1s'");
    }
  }

  /** A new database with the schema of this release. */
  public TestDatabase migrated() {
    return make(template());
  }

  /** Migrated once and then copied, which takes a tenth of the time. */
  private synchronized String template() {
    if (!isTemplateMade) {
      try (var admin = admin("postgres");
          var statement = admin.createStatement()) {
        statement.execute("create database " + TEMPLATE);
        statement.execute("grant create on database " + TEMPLATE + " to " + OWNER);
      } catch (SQLException failure) {
        throw new IllegalStateException("no template", failure);
      }
      new TestDatabase(postgres.getPort(), TEMPLATE).migrate();
      isTemplateMade = true;
    }
    return TEMPLATE;
  }

  /** A new database without a schema. */
  public TestDatabase empty() {
    return make("template1");
  }

  private TestDatabase make(String template) {
    var name = "test_" + NUMBER.incrementAndGet();
    try {
      return TestDatabase.create(postgres.getPort(), name, template);
    } catch (SQLException failure) {
      throw new IllegalStateException("no database " + name, failure);
    }
  }

  private Connection admin(String database) throws SQLException {
    return DriverManager.getConnection(url(postgres.getPort(), database), "postgres", "");
  }

  static String url(int port, String database) {
    return "jdbc:postgresql://" + host(port) + "/" + database;
  }

  static String host(int port) {
    return "127.0.0.1:" + port;
  }
}
