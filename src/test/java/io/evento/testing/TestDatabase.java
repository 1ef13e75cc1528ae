package io.evento.testing;

import io.evento.server.config.ServerConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Migrations;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** A database of one test. */
public final class TestDatabase implements AutoCloseable {
  private final int port;
  private final String hosts;
  private final String name;

  TestDatabase(int port, String name) {
    this(port, PostgresFixture.host(port), name);
  }

  private TestDatabase(int port, String hosts, String name) {
    this.port = port;
    this.hosts = hosts;
    this.name = name;
  }

  static TestDatabase create(int port, String name, String template) throws SQLException {
    try (var admin =
            DriverManager.getConnection(PostgresFixture.url(port, "postgres"), "postgres", "");
        var statement = admin.createStatement()) {
      statement.execute("create database " + name + " template " + template);
      statement.execute("grant create on database " + name + " to " + PostgresFixture.OWNER);
    }
    return new TestDatabase(port, name);
  }

  String name() {
    return name;
  }

  public int port() {
    return port;
  }

  /** The same database, reached through another port. */
  public TestDatabase through(LossyLink link) {
    return new TestDatabase(link.port(), name);
  }

  /** The same database behind a pooler. */
  public TestDatabase through(TransactionPooler pooler) {
    return through(pooler.port());
  }

  /** The same database, reached through another port. */
  public TestDatabase through(int other) {
    return new TestDatabase(other, name);
  }

  /** The same database, reached through the first of two hosts that lets in. */
  public TestDatabase through(int first, int second) {
    return new TestDatabase(
        port, PostgresFixture.host(first) + "," + PostgresFixture.host(second), name);
  }

  /** The same database on two hosts, of which one is the primary; dropped on the first alone. */
  TestDatabase on(int first, int second) {
    return new TestDatabase(
        first, PostgresFixture.host(first) + "," + PostgresFixture.host(second), name);
  }

  public String url() {
    return "jdbc:postgresql://" + hosts + "/" + name;
  }

  /** What a node of that name is configured with. */
  public ServerConfig config(String node) {
    return config(node, false);
  }

  /**
   * What a node of that name is configured with.
   *
   * @param isSynchronous whether it demands a synchronous standby
   */
  public ServerConfig config(String node, boolean isSynchronous) {
    return new ServerConfig(
        new ServerConfig.Node(node, "127.0.0.1", "ws://127.0.0.1:8080/evento", "test"),
        new ServerConfig.Database(
            url(),
            PostgresFixture.SERVER,
            "",
            Optional.of(PostgresFixture.OWNER),
            Optional.of(""),
            Optional.empty(),
            4,
            isSynchronous),
        new ServerConfig.Link(7800, 7900),
        new ServerConfig.Http(List.of()),
        new ServerConfig.WebSocket(true));
  }

  /** Brings the schema to this release. */
  public void migrate() {
    var config = config("migrator");
    var database = new Database(config);
    try {
      new Migrations(config, database).run();
    } catch (SQLException failure) {
      throw new IllegalStateException("not migrated", failure);
    } finally {
      database.close();
    }
  }

  public Connection asAdmin() throws SQLException {
    return DriverManager.getConnection(url(), "postgres", "");
  }

  public Connection asOwner() throws SQLException {
    return DriverManager.getConnection(url(), PostgresFixture.OWNER, "");
  }

  public Connection asServer() throws SQLException {
    return DriverManager.getConnection(url(), PostgresFixture.SERVER, "");
  }

  /** Removes the database and ends every session in it. */
  @Override
  public void close() {
    try (var admin =
            DriverManager.getConnection(PostgresFixture.url(port, "postgres"), "postgres", "");
        var statement = admin.createStatement()) {
      statement.execute("drop database if exists " + name + " with (force)");
    } catch (SQLException failure) {
      throw new IllegalStateException("database not dropped: " + name, failure);
    }
  }
}
