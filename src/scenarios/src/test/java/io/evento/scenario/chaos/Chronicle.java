package io.evento.scenario.chaos;

import io.evento.scenario.chaos.check.SegmentChange;
import io.evento.scenario.fixture.Cluster;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Every write to a lease or checkpoint, on the server and in the bank, as the database itself notes
 * it in the same transaction: a look now and then would miss what lasts for a moment only.
 */
final class Chronicle {
  private static final String BEGIN =
      """
      create schema if not exists chronicle;
      create table if not exists chronicle.segment(
        n bigint generated always as identity, at timestamptz not null default clock_timestamp(),
        consumer text, first_slot int, last_slot int, fence bigint, owner uuid, owner_name text,
        lease_until timestamptz, checkpoint bigint,
        writer text not null default current_setting('application_name'));
      truncate chronicle.segment;
      create or replace function chronicle.note_segment() returns trigger language plpgsql
      security definer set search_path = pg_catalog as $$
      begin
        insert into chronicle.segment(consumer, first_slot, last_slot, fence, owner, owner_name,
                                      lease_until, checkpoint)
        values ('server ' || new.name || ':' || new.version, new.first_slot, new.last_slot,
                new.fence, new.owner_incarnation, new.owner, new.lease_until, new.checkpoint);
        return null;
      end $$;
      create or replace function chronicle.note_checkpoint() returns trigger language plpgsql
      security definer set search_path = pg_catalog as $$
      begin
        insert into chronicle.segment(consumer, first_slot, last_slot, fence, checkpoint)
        values ('bank ' || new.consumer, new.first_slot, new.last_slot, new.fence, new.position);
        return null;
      end $$;
      create or replace trigger chronicle after insert or update on evento.consumer_segment
        for each row execute function chronicle.note_segment();
      create or replace trigger chronicle after insert or update on bank.evento_checkpoint
        for each row execute function chronicle.note_checkpoint();
      """;

  // Numbers of one row's writes are in their order, as the row is locked while one is drawn.
  private static final String ALL =
      """
      select consumer, first_slot, last_slot, fence, owner, owner_name, lease_until, checkpoint,
             writer, at
        from chronicle.segment order by n
      """;

  private final Cluster cluster;

  private Chronicle(Cluster cluster) {
    this.cluster = cluster;
  }

  /** Notes from now on. */
  static Chronicle of(Cluster cluster) throws SQLException {
    try (var connection = cluster.administrator();
        var statement = connection.createStatement()) {
      statement.execute(BEGIN);
    }
    return new Chronicle(cluster);
  }

  /** In the order of the writes. */
  List<SegmentChange> changes() throws SQLException {
    try (var connection = cluster.administrator()) {
      return changes(connection);
    }
  }

  private static List<SegmentChange> changes(Connection connection) throws SQLException {
    try (var select = connection.prepareStatement(ALL);
        var rows = select.executeQuery()) {
      var changes = new ArrayList<SegmentChange>();
      while (rows.next()) {
        changes.add(
            new SegmentChange(
                rows.getString(1),
                rows.getInt(2),
                rows.getInt(3),
                rows.getLong(4),
                rows.getObject(5, UUID.class),
                rows.getString(6),
                instant(rows, 7),
                rows.getLong(8),
                rows.getString(9),
                rows.getObject(10, OffsetDateTime.class).toInstant()));
      }
      return changes;
    }
  }

  private static Instant instant(ResultSet rows, int column) throws SQLException {
    var time = rows.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }
}
