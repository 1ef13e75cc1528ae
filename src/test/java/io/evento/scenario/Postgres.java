package io.evento.scenario;

import io.evento.launcher.LocalCluster;
import io.evento.launcher.Member;
import io.evento.launcher.PostgresServer;
import io.evento.launcher.Signal;
import io.evento.launcher.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;

/** The cluster's PostgreSQL, to crash it and to look into it. */
public final class Postgres {

  private static final String DATABASE = "evento";

  private final LocalCluster cluster;
  private final Member process;
  private final PostgresServer server;

  Postgres(LocalCluster cluster) {
    this.cluster = cluster;
    this.process = cluster.postgres().orElseThrow();
    this.server = cluster.postgresServer().orElseThrow();
  }

  /** As {@code pg_ctl stop -m immediate}: no checkpoint, recovery at the next start. */
  public void stopImmediately() throws InterruptedException {
    process.endBy(Signal.QUIT);
  }

  /** Starts it again and waits until it answers. */
  public void start() throws InterruptedException {
    process.start();
    process.awaitReady(SharedCluster.START_MAX);
  }

  /** Stops cleanly, keeps a copy of the data as they are, and starts again. */
  public void backUp() throws InterruptedException, IOException {
    process.endBy(Signal.INT);
    Tree.delete(copy());
    Tree.copy(server.data(), copy());
    start();
  }

  /** Loses what was written since {@link #backUp}, as an operator who restores a plain copy. */
  public void restore() throws InterruptedException, IOException {
    process.endBy(Signal.INT);
    Tree.delete(server.data());
    Files.move(copy(), server.data());
    start();
  }

  /** Keeps all its WAL from now on, to restore from it; close it. */
  Archive archive() throws InterruptedException, IOException, SQLException {
    return new Archive(process, server);
  }

  /** A standby for which every commit waits from now on; close it. */
  Standby synchronousStandby() throws Exception {
    return Standby.of(cluster);
  }

  private Path copy() {
    return server.data().resolveSibling("pg-copy");
  }

  /** A superuser's connection to the nodes' database; close it. */
  public Connection administrator() throws SQLException {
    return server.administrator(DATABASE);
  }

  /** Cuts a server-side connection of a random node every second until it is closed. */
  public BackendCutter cutABackendEverySecond() {
    return new BackendCutter(this);
  }
}
