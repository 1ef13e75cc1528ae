package io.evento.scenario;

import static org.awaitility.Awaitility.await;

import io.evento.launcher.LocalCluster;
import io.evento.launcher.Member;
import io.evento.launcher.PostgresServer;
import io.evento.launcher.Signal;
import io.evento.launcher.Tree;
import io.evento.testing.HotCopy;
import io.evento.testing.ProcessTree;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/**
 * A streaming, synchronous standby of the cluster's PostgreSQL, at the second host of the URL that
 * nodes and banks know.
 */
final class Standby implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final Member primary;
  private final PostgresServer primaryServer;
  private final PostgresServer server;
  private final Member process;

  private Standby(LocalCluster cluster) {
    primary = cluster.postgres().orElseThrow();
    primaryServer = cluster.postgresServer().orElseThrow();
    server =
        primaryServer.beside(
            primaryServer.data().resolveSibling("pg-standby"), primaryServer.port() + 1);
    process =
        new Member(
            "standby",
            "",
            server.launch(primary.log().resolveSibling("standby.log")),
            server::answers,
            Signal.INT,
            new Unwatched());
  }

  /** Copies the running primary, and returns when every commit waits for the copy. */
  static Standby of(LocalCluster cluster) throws Exception {
    var standby = new Standby(cluster);
    try {
      standby.follow();
      return standby;
    } catch (Exception failure) {
      standby.close();
      throw failure;
    }
  }

  private void follow() throws Exception {
    Tree.delete(server.data());
    try (var admin = primaryServer.administrator("postgres")) {
      HotCopy.standby(
          admin,
          primaryServer.data(),
          server.data(),
          primaryServer.port(),
          "postgres",
          "postgres",
          "standby");
      process.start();
      process.awaitReady(LIMIT);
      try (var statement = admin.createStatement()) {
        statement.execute("alter system set synchronous_standby_names = 'ANY 1 (standby)'");
        statement.execute("select pg_reload_conf()");
      }
      await("synchronous standby").atMost(LIMIT).until(() -> isSynchronous(admin));
    }
  }

  private static boolean isSynchronous(Connection admin) throws SQLException {
    try (var statement = admin.createStatement();
        var row =
            statement.executeQuery(
                "select count(*) from pg_stat_replication where sync_state = 'quorum'")) {
      row.next();
      return row.getInt(1) == 1;
    }
  }

  /** All processes of the primary stop where they are: it accepts connections and says nothing. */
  void freezePrimary() {
    ProcessTree.signal("STOP", primary.pid().orElseThrow());
  }

  /** All processes of the primary are gone at once. */
  void killPrimary() {
    ProcessTree.kill(primary.pid().orElseThrow());
  }

  /** Returns when the standby takes writes. */
  void promote() throws SQLException {
    try (var admin = server.administrator("postgres");
        var statement = admin.createStatement()) {
      statement.execute("select pg_promote(true, 60)");
    }
  }

  /** Ends the former primary, moves this one to its port with all that it has, and starts it. */
  void takeOver() throws InterruptedException, IOException {
    primary.pid().ifPresent(ProcessTree::kill);
    process.endBy(Signal.INT);
    await("the former primary is gone").atMost(LIMIT).until(() -> primary.pid().isEmpty());
    Tree.delete(primaryServer.data());
    Files.move(server.data(), primaryServer.data());
    primary.start();
    primary.awaitReady(LIMIT);
  }

  /** Leaves a primary alone in its place, whatever the test did. */
  @Override
  public void close() throws Exception {
    if (process.pid().isEmpty()) {
      return;
    }
    if (!isStandby()) {
      takeOver();
      return;
    }
    primary.pid().ifPresent(pid -> ProcessTree.signal("CONT", pid));
    primary.start();
    primary.awaitReady(LIMIT);
    try (var admin = primaryServer.administrator("postgres");
        var statement = admin.createStatement()) {
      statement.execute("alter system reset synchronous_standby_names");
      statement.execute("select pg_reload_conf()");
    }
    process.endBy(Signal.INT);
  }

  private boolean isStandby() throws SQLException {
    try (var admin = server.administrator("postgres");
        var statement = admin.createStatement();
        var row = statement.executeQuery("select pg_is_in_recovery()")) {
      row.next();
      return row.getBoolean(1);
    }
  }

  private static final class Unwatched implements Member.Watcher {
    @Override
    public void started(Member member) {
      // The test knows.
    }

    @Override
    public void endedByItself(Member member, int exitCode) {
      System.out.println("[cluster] " + member + " ended by itself, its log is " + member.log());
    }

    @Override
    public void ended(Member member) {
      // The test knows.
    }
  }
}
