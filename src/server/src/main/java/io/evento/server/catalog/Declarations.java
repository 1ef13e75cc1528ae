package io.evento.server.catalog;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What each node knows by heart of all declarations, whoever made them. Immutable.
 *
 * @param version that it is of, or later; null before it was read
 * @param events the types of events that somebody declares
 */
record Declarations(
    @Nullable CatalogVersion version, PersonalSchemas personal, Set<String> events) {
  static final Declarations UNREAD = new Declarations(null, PersonalSchemas.NONE, Set.of());

  /** Reads them, unless nothing has changed since. */
  static Declarations read(Connection open, Declarations before) throws SQLException {
    var version = CatalogVersion.read(open);
    return version.equals(before.version)
        ? before
        : new Declarations(version, PersonalSchemas.read(open), CatalogTable.eventTypes(open));
  }
}
