package io.evento.server.monitor;

import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.config.ServerConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;

/** The SQL of tables {@code alarm} and {@code alarm_watch}. Time is the database's. */
@NodeScoped
public class AlarmTable {
  private static final String CLAIM =
      """
      update evento.alarm_watch
         set node = ?, process = ?, until = clock_timestamp() + ? * interval '1 millisecond'
       where process = ? or until < clock_timestamp()
      """;

  // Held until the end of the transaction: who takes over meanwhile waits for what is written here.
  private static final String HOLD =
      """
      select 1 from evento.alarm_watch
       where process = ? and until >= clock_timestamp() for update
      """;

  private static final String RAISE =
      """
      insert into evento.alarm(kind, subject, severity, since, cause, details)
      values (?, ?, ?, clock_timestamp() - ? * interval '1 millisecond', ?, ?::jsonb)
      on conflict (kind, subject) where until is null do nothing
      """;

  private static final String CHANGE =
      """
      update evento.alarm set cause = ?, details = ?::jsonb where id = ? and until is null
      """;

  private static final String END =
      """
      update evento.alarm set until = clock_timestamp() where id = any(?) and until is null
      """;

  // A bounded part at a time.
  private static final String FORGET =
      """
      delete from evento.alarm
       where id = any(array(
             select id from evento.alarm
              where until < clock_timestamp() - ? * interval '1 day' order by until limit 1000))
      """;

  private static final String COLUMNS =
      """
      select id, kind, subject, severity, since, until, cause, details::text
        from evento.alarm
      """;

  // By the index of the active ones, of which there are few.
  private static final String ACTIVE =
      COLUMNS
          + """
             where until is null and id < ? order by id desc limit ?
            """;

  // By the primary key.
  private static final String ALL =
      COLUMNS
          + """
             where id < ? order by id desc limit ?
            """;

  private final Database database;
  private final String node;
  private final UUID process = UUID.randomUUID();

  @Inject
  public AlarmTable(Database database, ServerConfig config) {
    this.database = database;
    this.node = config.node().name();
  }

  /**
   * Takes or keeps the watch.
   *
   * @return false while another process has it
   */
  boolean claim(Duration valid) {
    return database.read(
        "claim the watch for alarms",
        connection -> {
          try (var claim = Sql.prepare(connection, CLAIM)) {
            return claim.bind(node).bind(process).bind(valid.toMillis()).bind(process).update()
                == 1;
          }
        });
  }

  /**
   * Writes what was decided, all or nothing.
   *
   * @return false if another process has the watch by now; nothing was written
   */
  boolean write(AlarmLedger.Decision decision) {
    return database.transact(
        "write alarms",
        connection -> {
          if (!holds(connection)) {
            return false;
          }
          for (var raised : decision.raised().entrySet()) {
            raise(connection, raised.getKey(), raised.getValue());
          }
          for (var changed : decision.changed().entrySet()) {
            change(connection, changed.getKey(), changed.getValue());
          }
          try (var end = Sql.prepare(connection, END)) {
            end.array("bigint", decision.ended()).update();
          }
          return true;
        });
  }

  private boolean holds(Connection connection) throws SQLException {
    try (var hold = Sql.prepare(connection, HOLD)) {
      return hold.bind(process).first(row -> true).isPresent();
    }
  }

  private static void raise(Connection connection, Finding finding, Duration ago)
      throws SQLException {
    try (var insert = Sql.prepare(connection, RAISE)) {
      insert.bind(finding.kind().wire()).bind(finding.subject());
      insert.bind(finding.kind().severity().wire()).bind(ago.toMillis());
      insert.bind(finding.cause()).bind(Codec.text(finding.details())).update();
    }
  }

  private static void change(Connection connection, long id, Finding finding) throws SQLException {
    try (var update = Sql.prepare(connection, CHANGE)) {
      update.bind(finding.cause()).bind(Codec.text(finding.details())).bind(id).update();
    }
  }

  /** Forgets what was over before. */
  void forgetOlder(int days) {
    database.read(
        "forget old alarms",
        connection -> {
          try (var delete = Sql.prepare(connection, FORGET)) {
            return delete.bind(days).update();
          }
        });
  }

  /**
   * The newest ones first.
   *
   * @param before only those with a lower id
   */
  public List<Alarm> page(boolean activeOnly, long before, int limit) {
    return database.read(
        "read alarms",
        connection -> {
          try (var select = Sql.prepare(connection, activeOnly ? ACTIVE : ALL)) {
            return select.bind(before).bind(limit).rows(AlarmTable::alarm);
          }
        });
  }

  private static Alarm alarm(ResultSet row) throws SQLException {
    return new Alarm(
        row.getLong(1),
        row.getString(2),
        row.getString(3),
        row.getString(4),
        row.getObject(5, OffsetDateTime.class),
        row.getObject(6, OffsetDateTime.class),
        row.getString(7),
        new Json(row.getString(8)));
  }
}
