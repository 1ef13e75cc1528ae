package io.evento.server.personal;

import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The SQL of table {@code erasure}, and the lock that it and {@code subject_key} share. */
final class ErasureTable {
  // Until the end of the transaction. Who makes keys excludes only who erases.
  private static final String LOCK_FOR_KEYS =
      """
      select evento.lock_erasure_1(true)
      """;

  // Twice a second on every node: one step in erasure_ordinal, and one in erasure_untold.
  static final String LOOK =
      """
      select coalesce((select max(ordinal) from evento.erasure), 0),
             exists (select from evento.erasure where position is null)
      """;

  private static final String AMONG =
      """
      select subject from evento.erasure where subject = any(?)
      """;

  private static final String ALL =
      """
      select subject, id, erased_at, erased_by, reason from evento.erasure order by ordinal
      """;

  private static final String SINCE =
      """
      select subject, id, erased_at, erased_by, reason from evento.erasure
       where ordinal > ? order by ordinal
      """;

  static final String UNTOLD =
      """
      select subject, id, erased_at, erased_by, reason from evento.erasure
       where position is null order by ordinal limit 100
      """;

  private static final String FIND =
      """
      select subject, id, erased_at, erased_by, reason, position, ordinal from evento.erasure
       where subject = ?
      """;

  private static final String EVENT_ID =
      """
      select event_id from evento.erasure where subject = ?
      """;

  // Takes the lock for erasure, drops the keys, and audits it.
  private static final String ERASE =
      """
      select evento.erase_1(?, ?, ?::text[]::timestamptz[], ?, ?, ?, ?)
      """;

  private static final String TOLD =
      """
      update evento.erasure set position = ? where subject = ?
      """;

  private ErasureTable() {}

  /**
   * What is there.
   *
   * @param last number of the newest one, 0 for none
   * @param hasUntold whether there is one of which no event is known
   */
  record Look(long last, boolean hasUntold) {}

  /**
   * @param position of the event that tells it; null if it is not known yet
   * @param ordinal its number, from 1
   */
  record Row(Erasure erasure, @Nullable Long position, long ordinal) {}

  static void lockForKeys(Connection open) throws SQLException {
    lock(open, LOCK_FOR_KEYS);
  }

  private static void lock(Connection open, String statement) throws SQLException {
    try (var select = open.prepareStatement(statement)) {
      select.execute();
    }
  }

  static Look look(Connection open) throws SQLException {
    try (var select = Sql.prepare(open, LOOK)) {
      return select.one(row -> new Look(row.getLong(1), row.getBoolean(2)));
    }
  }

  static List<String> among(Connection open, Collection<String> subjects) throws SQLException {
    try (var select = Sql.prepare(open, AMONG)) {
      return select.array("text", subjects).rows(row -> row.getString(1));
    }
  }

  static List<Erasure> all(Connection open) throws SQLException {
    try (var select = Sql.prepare(open, ALL)) {
      return select.rows(ErasureTable::erasure);
    }
  }

  /** Those that came after the one of a number. */
  static List<Erasure> since(Connection open, long ordinal) throws SQLException {
    try (var select = Sql.prepare(open, SINCE)) {
      return select.bind(ordinal).rows(ErasureTable::erasure);
    }
  }

  static List<Erasure> untold(Connection open) throws SQLException {
    try (var select = Sql.prepare(open, UNTOLD)) {
      return select.rows(ErasureTable::erasure);
    }
  }

  static Optional<Row> find(Connection open, String subject) throws SQLException {
    try (var select = Sql.prepare(open, FIND)) {
      return select
          .bind(subject)
          .first(row -> new Row(erasure(row), row.getObject(6, Long.class), row.getLong(7)));
    }
  }

  /** Command id of the event that tells of a subject's erasure. */
  static Optional<UUID> eventId(Connection open, String subject) throws SQLException {
    try (var select = Sql.prepare(open, EVENT_ID)) {
      return select.bind(subject).first(row -> row.getObject(1, UUID.class));
    }
  }

  private static Erasure erasure(ResultSet row) throws SQLException {
    return new Erasure(
        row.getString(1),
        row.getString(2),
        row.getObject(3, OffsetDateTime.class).toInstant().toString(),
        row.getString(4),
        row.getString(5));
  }

  /**
   * Has them in the table, and drops all keys of their subjects.
   *
   * @param isReplay whether they were done before, at the time that they say; else the database
   *     says when
   * @param address of whoever asked for it; empty for nobody
   * @return how many keys there were
   */
  static int erase(
      Connection open, List<Erasure> erasures, boolean isReplay, String node, String address)
      throws SQLException {
    try (var call = Sql.audited(open, ERASE)) {
      return call.array("text", erasures, Erasure::subject)
          .array("text", erasures, Erasure::id)
          .array("text", erasures, one -> isReplay ? one.at() : null)
          .array("text", erasures, Erasure::by)
          .array("text", erasures, Erasure::reason)
          .bind(node)
          .bind(address)
          .one(row -> row.getInt(1));
    }
  }

  static void told(Connection open, String subject, long position) throws SQLException {
    try (var update = Sql.prepare(open, TOLD)) {
      update.bind(position).bind(subject).update();
    }
  }
}
