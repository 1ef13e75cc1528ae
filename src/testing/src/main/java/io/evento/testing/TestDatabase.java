package io.evento.testing;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ServiceLoader;

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

  /**
   * Brings the schema to this release.
   *
   * @throws IllegalStateException if it cannot, or if these tests have none
   */
  public void migrate() {
    var schema =
        ServiceLoader.load(Schema.class)
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no Schema on the class path"));
    try {
      schema.make(this);
    } catch (SQLException failure) {
      throw new IllegalStateException("not migrated", failure);
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
