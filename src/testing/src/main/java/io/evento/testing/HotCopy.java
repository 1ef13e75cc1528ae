package io.evento.testing;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;

/**
 * A base backup of a running PostgreSQL by its own functions, as the embedded binaries have no
 * {@code pg_basebackup}. The copy starts as a streaming standby.
 */
public final class HotCopy {
  private static final Set<String> OF_THE_RUNNING_ONE = Set.of("postmaster.pid", "postmaster.opts");

  private HotCopy() {}

  /**
   * Copies the data directory of a running primary and makes the copy a standby of it.
   *
   * @param admin a superuser's connection to the primary; stays open
   * @param port of the primary at 127.0.0.1
   * @param user a role that may replicate, with the password or an empty one
   * @param name under which the standby stands in {@code pg_stat_replication}
   */
  public static void standby(
      Connection admin, Path from, Path to, int port, String user, String password, String name)
      throws SQLException, IOException {
    try (var statement = admin.createStatement()) {
      statement.execute("select pg_backup_start('standby', true)");
      copy(from, to);
      try (var label = statement.executeQuery("select labelfile from pg_backup_stop(false)")) {
        label.next();
        Files.writeString(to.resolve("backup_label"), label.getString(1));
      }
    }
    Files.createFile(to.resolve("standby.signal"));
    Files.write(
        to.resolve("postgresql.auto.conf"),
        List.of(
            "primary_conninfo = 'host=127.0.0.1 port=%d user=%s password=''%s'' application_name=%s'"
                .formatted(port, user, password, name),
            // Else the copy, once promoted, would wait for a standby that nobody gave it.
            "synchronous_standby_names = ''"),
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes about)
              throws IOException {
            Files.copy(dir, to.resolve(from.relativize(dir)), StandardCopyOption.COPY_ATTRIBUTES);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes about)
              throws IOException {
            // The standby streams its WAL.
            if (!OF_THE_RUNNING_ONE.contains(file.getFileName().toString())
                && !file.startsWith(from.resolve("pg_wal"))) {
              try {
                Files.copy(
                    file, to.resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
              } catch (NoSuchFileException goneMeanwhile) {
                return FileVisitResult.CONTINUE;
              }
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
        });
  }
}
