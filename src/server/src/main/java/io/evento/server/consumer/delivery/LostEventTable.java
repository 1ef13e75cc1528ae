package io.evento.server.consumer.delivery;

import io.evento.server.consumer.segment.ConsumerId;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The SQL of table {@code consumer_loss}. */
public final class LostEventTable {
  // The same loss is found from the row's checkpoint and from the bundle's own: one row tells of
  // both.
  private static final String ADD =
      """
      insert into evento.consumer_loss as known
             (name, version, segment, epoch, first_slot, last_slot, from_position, to_position,
              events, streams, certain)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      on conflict (name, version, segment, epoch) do update
         set first_slot = least(known.first_slot, excluded.first_slot),
             last_slot = greatest(known.last_slot, excluded.last_slot),
             from_position = least(known.from_position, excluded.from_position),
             to_position = greatest(known.to_position, excluded.to_position),
             events = greatest(known.events, excluded.events),
             streams = array(select distinct s from unnest(known.streams || excluded.streams) s
                              order by s limit 100),
             certain = known.certain or excluded.certain
       where (known.first_slot, known.last_slot, known.from_position, known.to_position)
             is distinct from (least(known.first_slot, excluded.first_slot),
                               greatest(known.last_slot, excluded.last_slot),
                               least(known.from_position, excluded.from_position),
                               greatest(known.to_position, excluded.to_position))
          or not known.streams @> excluded.streams or excluded.certain and not known.certain
      """;

  private static final String ALL =
      """
      select name, version, segment, epoch, first_slot, last_slot, from_position, to_position,
             events, streams, certain, at
        from evento.consumer_loss order by name, version, segment, at
      """;

  // What was found in a segment that was split since goes with all segments, or by a person's word.
  private static final String CLEAR =
      """
      delete from evento.consumer_loss
       where name = ? and version = ? and first_slot >= ? and last_slot <= ?
         and from_position > ?
      """;

  private LostEventTable() {}

  /**
   * @return whether it was not known
   */
  static boolean add(Connection open, LostEvents.Loss loss) throws SQLException {
    try (var insert = open.prepareStatement(ADD)) {
      insert.setString(1, loss.name());
      insert.setInt(2, loss.version());
      insert.setInt(3, loss.segment());
      insert.setObject(4, loss.epoch());
      insert.setInt(5, loss.firstSlot());
      insert.setInt(6, loss.lastSlot());
      insert.setLong(7, loss.from());
      insert.setLong(8, loss.to());
      insert.setObject(9, loss.events(), java.sql.Types.INTEGER);
      insert.setArray(10, open.createArrayOf("text", loss.streams().toArray()));
      insert.setBoolean(11, loss.certain());
      return insert.executeUpdate() == 1;
    }
  }

  public static List<LostEvents.Loss> all(Connection open) throws SQLException {
    try (var select = open.prepareStatement(ALL);
        var row = select.executeQuery()) {
      var found = new ArrayList<LostEvents.Loss>();
      while (row.next()) {
        found.add(
            new LostEvents.Loss(
                row.getString(1),
                row.getInt(2),
                row.getInt(3),
                row.getObject(4, UUID.class),
                row.getInt(5),
                row.getInt(6),
                row.getLong(7),
                row.getLong(8),
                row.getObject(9, Integer.class),
                List.of((String[]) row.getArray(10).getArray()),
                row.getBoolean(11),
                row.getObject(12, OffsetDateTime.class)));
      }
      return found;
    }
  }

  /**
   * Forgets what a range of slots lost above a position.
   *
   * @return how many rows
   */
  public static int clear(
      Connection open, ConsumerId consumer, int firstSlot, int lastSlot, @Nullable Long above)
      throws SQLException {
    try (var delete = open.prepareStatement(CLEAR)) {
      delete.setString(1, consumer.name());
      delete.setInt(2, consumer.version());
      delete.setInt(3, firstSlot);
      delete.setInt(4, lastSlot);
      delete.setLong(5, above == null ? 0 : above);
      return delete.executeUpdate();
    }
  }
}
