package io.evento.cluster;

import io.evento.launcher.Launch;
import io.evento.launcher.StartFailure;
import io.evento.launcher.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipInputStream;

/** Brings the schema to the release of a WAR, as a process that alone has the owner's password. */
final class Migration {
  private static final long SECONDS_MAX = 180;
  private static final String NEEDED = "WEB-INF/";

  private Migration() {}

  /**
   * @param unpacked where the WAR's classes go; what was there is replaced
   * @throws StartFailure if the schema is not that of the release afterwards
   */
  static void run(Path war, Path unpacked, Database database, Path ownersPassword, Path log)
      throws IOException, InterruptedException {
    Tree.delete(unpacked);
    unpack(war, unpacked);
    var classes =
        unpacked.resolve("WEB-INF/classes") + ":" + unpacked.resolve("WEB-INF/lib") + "/*";
    var options =
        List.of(
            "-Xmx128m",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            classes,
            "io.evento.server.persistence.MigrationJob");
    var job =
        new Launch(
                Launch.java(options),
                Map.of(
                    "EVENTO_DB_URL", database.url(),
                    "EVENTO_DB_USER", database.server().user(),
                    "EVENTO_DB_OWNER_USER", database.owner().user(),
                    "EVENTO_DB_OWNER_PASSWORD_FILE", ownersPassword.toString()),
                log)
            .spawn(Map.of());
    if (!job.waitFor(SECONDS_MAX, TimeUnit.SECONDS) || job.exitValue() != 0) {
      job.destroyForcibly();
      throw new StartFailure("The schema was not migrated.", log);
    }
  }

  private static void unpack(Path war, Path target) throws IOException {
    try (var zip = new ZipInputStream(Files.newInputStream(war))) {
      for (var entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        var file = target.resolve(entry.getName()).normalize();
        if (entry.isDirectory() || !entry.getName().startsWith(NEEDED)) {
          continue;
        }
        if (!file.startsWith(target)) {
          throw new IOException("a name in " + war + " leads elsewhere: " + entry.getName());
        }
        Files.createDirectories(file.getParent());
        Files.copy(zip, file);
      }
    }
  }
}
