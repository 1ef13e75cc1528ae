package io.evento.server.persistence;

import io.evento.server.config.DatabaseTls;
import io.evento.server.config.Secret;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/**
 * Brings the schema to this release and ends: a job of its own, so that no node needs the
 * credentials of the schema's owner, who could delete events.
 *
 * <p>It runs out of the unpacked WAR, without an application server:
 *
 * <pre>{@code
 * java -cp 'WEB-INF/classes:WEB-INF/lib/*' io.evento.server.persistence.MigrationJob
 * }</pre>
 *
 * <p>The environment says the rest, as it does for a node: {@code EVENTO_DB_URL}, {@code
 * EVENTO_DB_OWNER_USER} ({@code evento_owner}), {@code EVENTO_DB_OWNER_PASSWORD} or {@code
 * EVENTO_DB_OWNER_PASSWORD_FILE}, and the role that the nodes work under, {@code EVENTO_DB_USER}
 * ({@code evento_server}). It ends with 0 when the schema is that of this release or newer.
 */
public final class MigrationJob {
  /** A table may be locked for a moment, a server may start: what fails is tried again so long. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final long PAUSE_MILLIS = 1_000;

  private MigrationJob() {}

  public static void main(String[] arguments) throws InterruptedException {
    System.exit(run(System.getenv(), PATIENCE, System.out) ? 0 : 1);
  }

  /**
   * @param patience how long what fails is tried again
   * @param out told what was done, without secrets
   * @return whether the schema is that of this release or newer
   */
  static boolean run(Map<String, String> environment, Duration patience, PrintStream out)
      throws InterruptedException {
    ConnectionFactory connections;
    Properties login;
    String server;
    try {
      var url =
          value(environment, "evento.db.url")
              .orElseThrow(() -> new IllegalArgumentException("EVENTO_DB_URL is needed"));
      if (!value(environment, "evento.security").orElse("on").equals("open")) {
        DatabaseTls.require(url, value(environment, DatabaseTls.KEY).orElse("verify-full"));
      }
      connections = new ConnectionFactory(url, connection -> {}, () -> {});
      login = login(environment);
      server = value(environment, "evento.db.user").orElse("evento_server");
    } catch (IllegalArgumentException wrong) {
      out.println(wrong.getMessage());
      return false;
    }
    var end = System.nanoTime() + patience.toNanos();
    while (true) {
      try {
        var source = new OpeningDataSource(() -> connections.open(login, Migrations.MIGRATION_MAX));
        var done = Migrations.flyway(source, server).migrate();
        out.println(
            "schema is migrated steps="
                + done.migrationsExecuted
                + " version="
                + (done.targetSchemaVersion == null
                    ? done.initialSchemaVersion
                    : done.targetSchemaVersion));
        return true;
      } catch (RuntimeException failure) {
        if (System.nanoTime() - end >= 0) {
          out.println("schema is not migrated cause=" + failure.getMessage());
          return false;
        }
        Thread.sleep(PAUSE_MILLIS);
      }
    }
  }

  private static Properties login(Map<String, String> environment) {
    var login = new Properties();
    login.setProperty("user", value(environment, "evento.db.owner.user").orElse("evento_owner"));
    login.setProperty(
        "password",
        Secret.of(key -> value(environment, key), "evento.db.owner.password").orElse(""));
    login.setProperty("ApplicationName", "evento-migration");
    return login;
  }

  /** As MicroProfile Config finds a key in the environment. */
  private static Optional<String> value(Map<String, String> environment, String key) {
    return Optional.ofNullable(
            environment.get(key.replaceAll("[^A-Za-z0-9]", "_").toUpperCase(Locale.ROOT)))
        .filter(text -> !text.isBlank());
  }
}
