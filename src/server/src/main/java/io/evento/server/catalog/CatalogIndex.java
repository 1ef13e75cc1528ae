package io.evento.server.catalog;

import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The catalog in memory for pages, which ask for parts of it and must not make the database read
 * all of it each time. It is at most two seconds old: that often a small question finds out whether
 * anything was declared or removed.
 */
@NodeScoped
public class CatalogIndex {
  private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Database database;
  private final LongSupplier nanos;
  private volatile @Nullable Known known;

  private record Known(CatalogPicture picture, CatalogVersion version, long at) {}

  @Inject
  public CatalogIndex(Database database) {
    this(database, System::nanoTime);
  }

  CatalogIndex(Database database, LongSupplier nanos) {
    this.database = database;
    this.nanos = nanos;
  }

  /** Blocks on the database, if what is in memory may be too old. */
  public CatalogPicture picture() {
    var now = known;
    return now != null && nanos.getAsLong() - now.at() < FRESH_NANOS
        ? now.picture()
        : fresh().picture();
  }

  private synchronized Known fresh() {
    var now = nanos.getAsLong();
    var before = known;
    if (before != null && now - before.at() < FRESH_NANOS) {
      return before;
    }
    var fresh = database.read("read catalog", connection -> read(connection, before, now));
    known = fresh;
    return fresh;
  }

  private static Known read(Connection open, @Nullable Known before, long now) throws SQLException {
    var version = CatalogVersion.read(open);
    if (before != null && before.version().equals(version)) {
      return new Known(before.picture(), version, now);
    }
    return new Known(
        new CatalogPicture(CatalogTable.types(open), CatalogTable.components(open)), version, now);
  }
}
