package io.evento.cluster;

import io.evento.launcher.Launch;
import io.evento.launcher.StartFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a test needs from Debian's archive, installed if it is missing and we may. */
public final class DebianPackages {

  private static final Path POSTGRES_HOME = Path.of("/usr/lib/postgresql");
  private static final long MINUTES_MAX = 10;

  // A service that a package starts would take ports and processors; dpkg asks this script first.
  private static final String INSTALL =
      """
      policy=/usr/sbin/policy-rc.d
      if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\\nexit 101\\n' > "$policy"
        chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT
      fi
      export DEBIAN_FRONTEND=noninteractive
      apt-get update -q && apt-get install -q -y --no-install-recommends "$@"
      """;

  private DebianPackages() {}

  /** PostgreSQL with all its programs, in the version of this Debian. */
  public static void requirePostgres() {
    require("postgresql", "postgresql-client");
  }

  /**
   * @throws StartFailure if something is missing and cannot be installed; says what to do
   */
  public static void require(String... packages) {
    var missing = Stream.of(packages).filter(name -> !isInstalled(name)).toList();
    if (missing.isEmpty()) {
      return;
    }
    var order = "apt-get install " + String.join(" ", missing);
    if (!isRoot() || !Files.isExecutable(Path.of("/usr/bin/apt-get"))) {
      throw new StartFailure(
          "This test needs packages of Debian that are not installed, and only root on Debian can"
              + " install them. Run this first: "
              + order);
    }
    install(missing, order);
  }

  /** A program of PostgreSQL; of several versions the newest. */
  public static Path postgres(String program) {
    return postgresPrograms().resolve(program);
  }

  /** Where PostgreSQL's programs are. */
  static Path postgresPrograms() {
    try (var versions = Files.list(POSTGRES_HOME)) {
      return versions
          .map(version -> version.resolve("bin"))
          .filter(programs -> Files.isExecutable(programs.resolve("postgres")))
          .max((a, b) -> Integer.compare(version(a), version(b)))
          .orElseThrow(() -> new StartFailure("No PostgreSQL is in " + POSTGRES_HOME + "."));
    } catch (IOException failure) {
      throw new StartFailure("No PostgreSQL is in " + POSTGRES_HOME + ".");
    }
  }

  /** The beginning of a command line that PostgreSQL, which refuses root, can bear. */
  static List<String> asPostgres() {
    return isRoot()
        ? List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
        : List.of();
  }

  static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static int version(Path programs) {
    var name = programs.getName(POSTGRES_HOME.getNameCount()).toString();
    return name.matches("\\d{1,4}") ? Integer.parseInt(name) : 0;
  }

  private static boolean isInstalled(String name) {
    try {
      var query =
          new ProcessBuilder("dpkg-query", "-W", "-f", "${db:Status-Status}", name)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      var status = new String(query.getInputStream().readAllBytes()).trim();
      return query.waitFor(MINUTES_MAX, TimeUnit.MINUTES) && status.equals("installed");
    } catch (IOException noDebian) {
      return false;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static void install(List<String> missing, String order) {
    try {
      var log = Files.createTempFile("apt-get", ".log");
      var command =
          Stream.concat(Stream.of("bash", "-c", INSTALL, "apt-get"), missing.stream())
              .collect(Collectors.toList());
      var installing = new Launch(command, Map.of(), log).spawn(Map.of());
      if (!installing.waitFor(MINUTES_MAX, TimeUnit.MINUTES) || installing.exitValue() != 0) {
        installing.destroyForcibly();
        throw new StartFailure("This failed: " + order, log);
      }
      Files.delete(log);
    } catch (IOException failure) {
      throw new StartFailure("This failed: " + order + ", by " + failure.getMessage());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartFailure("Interrupted in: " + order);
    }
  }
}
