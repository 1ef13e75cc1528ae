package io.evento.scenario.chaos.fault;

import io.evento.launcher.StartFailure;
import io.evento.launcher.Tree;
import io.evento.scenario.fixture.Cluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * PostgreSQL's disk is full to the last byte for a while. For that its data move to a small disk
 * and back, and PostgreSQL is restarted twice more. Half of the times its log uses up what it had
 * put by: then PostgreSQL itself ends, and comes back by itself or by an operator.
 */
final class FullDisk {
  private static final long ROOM = 64L << 20;
  private static final int PAGE = 4_096;
  private static final Duration AT_WORK = Duration.ofSeconds(2);
  private static final Duration READY_MAX = Duration.ofSeconds(60);
  private static final Duration FULL_WITHIN = Duration.ofSeconds(30);
  private static final long FILLED_EVERY_MILLIS = 50;
  private static final long COPY_SECONDS_MAX = 120;

  private static final String USE_UP_LOG =
      """
      select pg_logical_emit_message(true, 'chaos', 'full disk'), pg_switch_wal()
      """;

  private static final String TAKE_ROOM =
      """
      create table chaos_takes_room as select repeat('x', 1000) from generate_series(1, 1000)
      """;

  private static final String DISK_FULL = "53100";

  private final Cluster cluster;
  private final CountDownLatch stopped;

  FullDisk(Cluster cluster, CountDownLatch stopped) {
    this.cluster = cluster;
    this.stopped = stopped;
  }

  void bring(Hit hit) throws Exception {
    var postgres = cluster.postgres();
    var data = postgres.data();
    var aside = data.resolveSibling("pg-aside");
    postgres.stopFast();
    Tree.delete(aside);
    Files.move(data, aside);
    Files.createDirectory(
        data, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    var disk = diskWith(aside, data);
    try {
      postgres.start();
      awaitNodes();
      stopped.await(AT_WORK.toMillis(), TimeUnit.MILLISECONDS);
      suffer(disk, hit);
      startAgain();
      awaitNodes();
    } finally {
      // On another thread, as it must not be cut short: who waits so hears no interrupt.
      CompletableFuture.runAsync(() -> bringBack(disk, data, aside)).join();
    }
    postgres.start();
  }

  /** Where that fails, all is as it was. */
  private static SmallDisk diskWith(Path aside, Path data)
      throws IOException, InterruptedException {
    try {
      var disk = SmallDisk.over(data, size(aside) + ROOM);
      try {
        copy(aside, data);
        return disk;
      } catch (IOException | InterruptedException failure) {
        disk.close();
        throw failure;
      }
    } catch (IOException | InterruptedException failure) {
      Files.delete(data);
      Files.move(aside, data);
      throw failure;
    }
  }

  /**
   * Until it is copied, the disk has the only data with all that was acknowledged. So where that
   * fails the disk stays, and PostgreSQL goes on there: with what was put aside nobody would see
   * what is missing.
   */
  private void bringBack(SmallDisk disk, Path data, Path aside) {
    var back = data.resolveSibling("pg-back");
    try {
      cluster.postgres().stopFast();
      Tree.delete(back);
      copy(data, back);
      disk.close();
      Files.delete(data);
      Files.move(back, data);
      Tree.delete(aside);
    } catch (IOException failure) {
      throw new UncheckedIOException("PostgreSQL's data stay on the small disk", failure);
    } catch (InterruptedException asked) {
      throw new IllegalStateException("PostgreSQL's data stay on the small disk", asked);
    }
  }

  private void suffer(SmallDisk disk, Hit hit) throws IOException, InterruptedException {
    try {
      disk.fill();
      awaitFull(disk);
      if (new Random(hit.seed()).nextBoolean()) {
        useUpLog();
      }
      var due = System.nanoTime() + hit.length().toNanos();
      do {
        disk.fill();
      } while (!stopped.await(FILLED_EVERY_MILLIS, TimeUnit.MILLISECONDS)
          && System.nanoTime() - due < 0);
      System.out.println(
          "[chaos] the disk was full, and PostgreSQL "
              + (cluster.postgres().processes().isEmpty() ? "ended" : "went on"));
    } finally {
      disk.free();
    }
  }

  /**
   * A fault that did not happen would prove nothing. Room may come back until all of it is used.
   */
  private void awaitFull(SmallDisk disk) throws IOException, InterruptedException {
    var due = System.nanoTime() + FULL_WITHIN.toNanos();
    while (findsRoom()) {
      if (System.nanoTime() - due >= 0) {
        throw new IllegalStateException("PostgreSQL still finds room on a disk that is full");
      }
      TimeUnit.MILLISECONDS.sleep(FILLED_EVERY_MILLIS);
      disk.fill();
    }
  }

  /** Where it has ended it needs none. */
  private boolean findsRoom() {
    try (var superuser = cluster.administrator();
        var statement = superuser.createStatement()) {
      superuser.setAutoCommit(false);
      statement.execute(TAKE_ROOM);
      superuser.rollback();
      return true;
    } catch (SQLException refused) {
      return !DISK_FULL.equals(refused.getSQLState()) && !cluster.postgres().processes().isEmpty();
    }
  }

  /** Until it has no file for its log, and cannot make one. */
  private void useUpLog() {
    var due = System.nanoTime() + FULL_WITHIN.toNanos();
    try (var superuser = cluster.administrator();
        var statement = superuser.createStatement()) {
      // A standby, if there is one, takes its time.
      statement.execute("set synchronous_commit = local");
      while (System.nanoTime() - due < 0) {
        statement.execute(USE_UP_LOG);
      }
      throw new IllegalStateException("PostgreSQL's log still has room after " + FULL_WITHIN);
    } catch (SQLException full) {
      System.out.println("[chaos] the log is full: " + full.getMessage());
    }
  }

  /** As an operator does who freed the disk. It may end once more by what it met until then. */
  private void startAgain() throws InterruptedException {
    var due = System.nanoTime() + READY_MAX.toNanos();
    while (true) {
      try {
        cluster.postgres().start();
        return;
      } catch (StartFailure ended) {
        if (System.nanoTime() - due >= 0) {
          throw ended;
        }
      }
    }
  }

  private void awaitNodes() throws InterruptedException {
    for (var node : cluster.nodes()) {
      node.awaitReady(READY_MAX);
    }
  }

  private static long size(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      var bytes = 0L;
      for (var file : files.toList()) {
        bytes += Files.isRegularFile(file) ? (Files.size(file) / PAGE + 1) * PAGE : PAGE;
      }
      return bytes;
    }
  }

  private static void copy(Path from, Path to) throws IOException, InterruptedException {
    Files.createDirectories(to);
    var copying = new ProcessBuilder("cp", "-a", from + "/.", to.toString()).inheritIO().start();
    if (!copying.waitFor(COPY_SECONDS_MAX, TimeUnit.SECONDS) || copying.exitValue() != 0) {
      copying.destroy();
      throw new IOException("cannot copy " + from + " to " + to);
    }
  }
}
