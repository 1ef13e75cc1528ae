package io.evento.server.persistence;

import io.evento.server.NodeScoped;
import io.evento.server.config.ServerConfig;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;

/**
 * Brings the schema to this release, or waits until somebody did.
 *
 * <p>Nodes without the owner's credentials wait until somebody did, such as {@link MigrationJob}.
 *
 * <p>Nodes that start at once take turns: Flyway holds an advisory lock. A schema that is newer
 * than this release is accepted, as a migration has to leave the previous release running.
 *
 * <p>Versions 6, 10 and 14 do not exist and must never be added: a new migration takes a number
 * above the highest, as Flyway refuses one below what a database has already.
 */
@NodeScoped
public class Migrations {
  private static final Logger LOG = System.getLogger(Migrations.class.getName());

  /** To learn how far the schema is. */
  private static final Duration ANSWERS = Duration.ofSeconds(10);

  /** One statement of a migration may read a whole table; a host that hangs is not waited for. */
  static final Duration MIGRATION_MAX = Duration.ofHours(1);

  private final ServerConfig.Database config;
  private final Database database;

  @Inject
  public Migrations(ServerConfig config, Database database) {
    this.config = config.database();
    this.database = database;
  }

  /**
   * Migrates with the owner's credentials, or checks without them.
   *
   * @throws SQLException if the database must not be worked with, or does not answer
   * @throws RuntimeException if the database is not there or not ready; the caller tries again
   */
  public void run() throws SQLException {
    try (var probe = database.direct("boot", ANSWERS, PoolerCheck.PROPERTIES)) {
      requireSession(probe);
    }
    database.accept();
    if (config.ownerUser().isEmpty()) {
      check();
      return;
    }
    var schema = flyway(database.asOwner(ANSWERS), config.user());
    if (schema.info().pending().length > 0) {
      migrate();
    } else {
      schema.validate();
    }
  }

  private void requireSession(Connection probe) throws SQLException {
    try {
      database.requireSession(probe);
    } catch (SQLException failure) {
      database.suspect(probe);
      throw failure;
    }
  }

  private void migrate() {
    var done = flyway(database.asOwner(MIGRATION_MAX), config.user()).migrate();
    LOG.log(
        Level.INFO,
        () ->
            "schema migrated steps="
                + done.migrationsExecuted
                + " version="
                + done.targetSchemaVersion);
  }

  private void check() {
    var pending = flyway(database.pool(), config.user()).info().pending();
    if (pending.length > 0) {
      throw new IllegalStateException(
          "schema lacks "
              + pending.length
              + " migrations of this release: run MigrationJob, or start a node with"
              + " evento.db.owner.user");
    }
  }

  /**
   * @param server the role that nodes work under, which the migrations grant to
   */
  static Flyway flyway(DataSource source, String server) {
    return Flyway.configure(Migrations.class.getClassLoader())
        .dataSource(source)
        .locations("classpath:db/migration")
        .schemas("evento")
        .defaultSchema("evento")
        .createSchemas(true)
        .placeholders(Map.of("server", server))
        .connectRetries(0)
        .ignoreMigrationPatterns("*:future")
        // Who waits for a table's lock holds up all that come after: less than a lease lasts.
        .initSql("set lock_timeout = '2s'")
        .load();
  }
}
