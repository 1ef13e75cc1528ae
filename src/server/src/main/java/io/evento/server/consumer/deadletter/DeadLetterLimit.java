package io.evento.server.consumer.deadletter;

import io.evento.server.consumer.segment.AuditTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/**
 * How many dead letters a consumer may have: it is paused when there is no room for one more, and
 * goes on when there is room again. Each method is part of its caller's transaction, which has the
 * lock on the consumer.
 */
public final class DeadLetterLimit {
  private static final String COUNT =
      """
      select count(*) from evento.dead_letter
       where name = ? and version = ? and dropped_at is null
      """;

  private DeadLetterLimit() {}

  /**
   * Pauses the consumer where there is no room.
   *
   * @param more letters that are to be parked
   * @param most that it may have
   */
  static boolean isFull(Connection open, ConsumerId consumer, int more, int most)
      throws SQLException {
    var count = count(open, consumer);
    if (count + more <= most) {
      return false;
    }
    var note = "dead letters are full: " + count + " of " + most + " and more to park";
    if (ConsumerTable.change(open, consumer, List.of("active"), "full", note)) {
      AuditTable.add(open, consumer, AuditTable.SERVER, "full", note, null);
    }
    return true;
  }

  /** Full consumers go on when a tenth is free, not with each letter that is removed. */
  public static void goOnIfThereIsRoom(Connection open, ConsumerId consumer, int most)
      throws SQLException {
    if (count(open, consumer) <= most - Math.max(1, most / 10)
        && ConsumerTable.change(open, consumer, List.of("full"), "active", null)) {
      AuditTable.add(
          open, consumer, AuditTable.SERVER, "resume", "there is room for dead letters", null);
    }
  }

  /** How many letters a consumer has, without those that were dropped. */
  public static long count(Connection open, ConsumerId consumer) throws SQLException {
    try (var select = Sql.prepare(open, COUNT)) {
      return select.bind(consumer).one(row -> row.getLong(1));
    }
  }
}
