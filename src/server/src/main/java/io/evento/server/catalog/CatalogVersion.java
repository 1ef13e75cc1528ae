package io.evento.server.catalog;

import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * Which changes of the catalog have been committed; another one after each. The row is written by
 * triggers alone. Read it before what it is about: what is read then is of this version or a later
 * one.
 *
 * @param transaction that counted last; after a loss of the database's last moments, the same
 *     number may come again for something else
 */
record CatalogVersion(long number, String transaction) {
  private static final String READ = "select number, by_tx::text from evento.catalog_version";

  static CatalogVersion read(Connection open) throws SQLException {
    try (var select = Sql.prepare(open, READ)) {
      return select.one(row -> new CatalogVersion(row.getLong(1), row.getString(2)));
    }
  }
}
