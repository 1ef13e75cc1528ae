package io.evento.scenario;

import static org.awaitility.Awaitility.await;

import io.evento.launcher.Member;
import io.evento.launcher.PostgresServer;
import io.evento.launcher.Signal;
import io.evento.launcher.Tree;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A backup of the cluster's PostgreSQL as its manual has it: a copy of the files of the running
 * server, and every WAL file from then on. From these it goes back to a time, as often as is
 * wanted.
 */
final class Archive implements AutoCloseable {

  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final Member process;
  private final PostgresServer server;
  private final Path wal;
  private final Path base;

  /** Keeps every WAL file from now on, for which the server starts anew. */
  Archive(Member process, PostgresServer server)
      throws IOException, InterruptedException, SQLException {
    this.process = process;
    this.server = server;
    this.wal = server.data().resolveSibling("pg-archive");
    this.base = server.data().resolveSibling("pg-base");
    Tree.delete(wal);
    Tree.delete(base);
    Files.createDirectories(wal);
    execute("alter system set archive_mode = on");
    execute("alter system set archive_command = 'cp \"%p\" \"" + wal + "/%f\"'");
    process.endBy(Signal.INT);
    start();
  }

  /** Copies the files while the server works. */
  void copy() throws IOException, SQLException {
    try (var session = server.administrator("postgres");
        var statement = session.createStatement()) {
      statement.execute("select pg_backup_start('base', true)");
      copyRunning(server.data(), base);
      // Returns when all WAL that the copy needs is in the archive.
      try (var ended = statement.executeQuery("select labelfile from pg_backup_stop(true)")) {
        ended.next();
        Files.writeString(base.resolve("backup_label"), ended.getString(1));
      }
    }
  }

  /** By the server's clock. */
  String now() throws SQLException {
    return text("select clock_timestamp()::text");
  }

  /** Loses the server and all that was committed after a time. */
  void restoreTo(String time) throws IOException, InterruptedException, SQLException {
    var last = text("select pg_walfile_name(pg_switch_wal())");
    await("WAL is archived").atMost(LIMIT).until(() -> Files.exists(wal.resolve(last)));
    process.endBy(Signal.QUIT);
    Tree.delete(server.data());
    Tree.copy(base, server.data());
    Files.createFile(server.data().resolve("recovery.signal"));
    Files.writeString(
        server.data().resolve("postgresql.auto.conf"),
        """
        restore_command = 'cp "%s/%%f" "%%p"'
        recovery_target_time = '%s'
        recovery_target_action = 'promote'
        """
            .formatted(wal, time),
        StandardOpenOption.APPEND);
    start();
    await("recovery ends")
        .atMost(LIMIT)
        .until(() -> text("select pg_is_in_recovery()").equals("f"));
  }

  private void start() throws InterruptedException {
    process.start();
    process.awaitReady(LIMIT);
  }

  private String text(String query) throws SQLException {
    try (var connection = server.administrator("postgres");
        var statement = connection.createStatement();
        var row = statement.executeQuery(query)) {
      row.next();
      return row.getString(1);
    }
  }

  private void execute(String order) throws SQLException {
    try (var connection = server.administrator("postgres");
        var statement = connection.createStatement()) {
      statement.execute(order);
    }
  }

  /** Files come and go meanwhile; what matters of them is in the WAL. */
  private static void copyRunning(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
              throws IOException {
            Files.copy(
                directory,
                to.resolve(from.relativize(directory).toString()),
                StandardCopyOption.COPY_ATTRIBUTES);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            var name = from.relativize(file);
            if (!name.startsWith("pg_wal") && !name.startsWith("postmaster.pid")) {
              copy(file, to.resolve(name.toString()));
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure)
              throws IOException {
            if (failure instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw failure;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
              throws IOException {
            if (failure != null && !(failure instanceof NoSuchFileException)) {
              throw failure;
            }
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static void copy(Path file, Path to) throws IOException {
    try {
      Files.copy(file, to, StandardCopyOption.COPY_ATTRIBUTES);
    } catch (NoSuchFileException gone) {
      Files.deleteIfExists(to);
    }
  }

  /** The server goes on without an archive. */
  @Override
  public void close() throws SQLException, IOException {
    execute("alter system set archive_command = 'true'");
    execute("alter system reset archive_mode");
    execute("alter system reset restore_command");
    execute("alter system reset recovery_target_time");
    execute("alter system reset recovery_target_action");
    execute("select pg_reload_conf()");
    Tree.delete(wal);
    Tree.delete(base);
  }
}
