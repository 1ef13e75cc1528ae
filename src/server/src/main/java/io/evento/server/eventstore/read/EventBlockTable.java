package io.evento.server.eventstore.read;

import io.evento.server.NodeScoped;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.persistence.ArrayLiteral;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of table {@code event_block}: which types, contexts and types of aggregates stand in each
 * block of positions. Whoever looks for rare events leaps over the blocks that have none. Its
 * methods block on the database.
 */
@NodeScoped
public class EventBlockTable {
  /** Positions of a block, as the functions of V41 have it. */
  public static final int BLOCK = 4_000;

  // 4,000 events are read for a block: 10 ms.
  private static final String NEXT =
      """
      select evento.event_blocks_next_1(1)
      """;

  private static final String LAST =
      """
      select coalesce(max(block), 0) from evento.event_block
      """;

  // Index scans on event_block_number, in its order and up to the first block that fits.
  static final String FROM =
      """
      select evento.event_block_from_1(?, ?::text[], ?::text[], ?::text[])
      """;

  static final String BACK =
      """
      select evento.event_block_back_1(?, ?::text[], ?::text[], ?::text[])
      """;

  private final Database database;

  @Inject
  public EventBlockTable(Database database) {
    this.database = database;
  }

  /** The block that a position is in. */
  static long blockOf(long position) {
    return (position - 1) / BLOCK + 1;
  }

  /** The last position of which a block tells. */
  public long upTo() {
    return database.read(
        "read blocks",
        open -> {
          try (var select = Sql.prepare(open, LAST)) {
            return select.one(row -> row.getLong(1)) * BLOCK;
          }
        });
  }

  /**
   * Makes the next block if it is full, unless another session does; a transaction of its own.
   *
   * @return whether it made one
   */
  public boolean makeNext() {
    return database.read(
        "make a block",
        open -> {
          try (var call = Sql.prepare(open, NEXT)) {
            return call.one(row -> row.getInt(1)) > 0;
          }
        });
  }

  /** Whether blocks may tell where there is nothing that a filter lets through. */
  static boolean tellOf(EventFilter filter) {
    return !filter.types().isEmpty() || filter.context() != null || filter.aggregateType() != null;
  }

  /**
   * @return no event after {@code position}, and not after this one, passes the filter
   */
  long leapFrom(long position, EventFilter filter) {
    return Math.max(position, (find(FROM, blockOf(position + 1), filter) - 1) * BLOCK);
  }

  /**
   * @return no event before {@code position}, and not before this one, passes the filter
   */
  long leapBack(long position, EventFilter filter) {
    return position <= 1
        ? position
        : Math.min(position, find(BACK, blockOf(position - 1), filter) * BLOCK + 1);
  }

  private long find(String which, long block, EventFilter filter) {
    return database.read(
        "look at blocks",
        open -> {
          try (var select = Sql.prepare(open, which)) {
            return select
                .bind(block)
                .bind(filter.types().isEmpty() ? null : ArrayLiteral.of(filter.types()))
                .bind(only(filter.context()))
                .bind(only(filter.aggregateType()))
                .one(row -> row.getLong(1));
          }
        });
  }

  private static @Nullable String only(@Nullable String name) {
    return name == null ? null : ArrayLiteral.of(List.of(name));
  }
}
