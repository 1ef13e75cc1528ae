package io.evento.server.eventstore.proof;

import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import io.evento.server.persistence.UncheckedSqlException;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The SQL of table {@code chain_block}: the hash chain over the events. Its methods block on the
 * database.
 */
@NodeScoped
public class ChainTable {
  /** Positions of a block, as the functions of V32 have it. */
  public static final int BLOCK = 1_000;

  private static final String NEXT =
      """
      select evento.chain_next_1(1)
      """;

  // A block of 1,000 events of 1 MB takes some ten seconds, longer than the pool waits.
  private static final Duration PATIENCE = Duration.ofSeconds(120);

  private static final String PATIENT =
      """
      set local statement_timeout = '110s'
      """;

  private static final String COLUMNS =
      """
      select block, hash, epoch, at from evento.chain_block
      """;

  // Backward scan of the primary key.
  private static final String LAST = COLUMNS + " order by block desc limit 1";
  private static final String AT = COLUMNS + " where block = ?";

  // 10,000 events of 700 bytes: 130 ms, nearly all of it SHA-256 and the text of the rows.
  private static final String BROKEN =
      """
      select d.block, c.hash is null
        from evento.chain_digests_1(?, ?) d
        left join evento.chain_block c on c.block = d.block
        left join evento.chain_block b on b.block = d.block - 1
       where c.hash is distinct from sha256(coalesce(b.hash, '') || d.digest)
       order by d.block
      """;

  // Positions whose event is another one than the block was made of.
  private static final String OTHERS =
      """
      select p.position, e.stream_id, substr(c.marks, (8 * p.i - 7)::int, 8) = ?, e.position is null
        from evento.chain_digests_1(?, ?) d
        join evento.chain_block c on c.block = d.block
       cross join lateral (select i, ? * (d.block - 1) + i as position
                             from generate_series(1, ?) i) p
        left join evento.event e on e.position = p.position
       where substr(c.marks, (8 * p.i - 7)::int, 8) <> substr(d.marks, (8 * p.i - 7)::int, 8)
       order by p.position
      """;

  private static final byte[] NO_MARK = new byte[8];

  private final Database database;

  @Inject
  public ChainTable(Database database) {
    this.database = database;
  }

  /**
   * A block.
   *
   * @param hash 32 bytes
   * @param epoch that was the present one when it was made
   */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares blocks
  public record Block(long number, byte[] hash, UUID epoch, OffsetDateTime at) {
    /** The last position that it covers. */
    public long position() {
      return number * BLOCK;
    }

    public String hex() {
      return HexFormat.of().formatHex(hash);
    }
  }

  /**
   * Makes the next block, unless another session does; a transaction of its own.
   *
   * @return whether it made one
   */
  boolean next() {
    return patiently(
        "make a block of the chain",
        open -> {
          try (var call = Sql.prepare(open, NEXT)) {
            return call.one(row -> row.getInt(1)) > 0;
          }
        });
  }

  /**
   * Does what is about one block. Where its events are so large that the pool does not wait for it,
   * that is done once more by a connection that does.
   */
  private <T> T patiently(String what, Database.Work<T> work) {
    try {
      return database.read(what, work);
    } catch (UncheckedSqlException failure) {
      if (!failure.isTimeout()) {
        throw failure;
      }
    }
    try (var open = database.direct("chain", PATIENCE, Map.of())) {
      open.setAutoCommit(false);
      try (var set = open.createStatement()) {
        set.execute(PATIENT);
      }
      var done = work.on(open);
      open.commit();
      return done;
    } catch (SQLException failure) {
      throw new UncheckedSqlException(what, failure);
    }
  }

  /** The last block; empty if none is full yet. */
  public Optional<Block> last() {
    return database.read("read the chain", this::last);
  }

  private Optional<Block> last(Connection open) throws SQLException {
    try (var select = Sql.prepare(open, LAST)) {
      return select.first(ChainTable::block);
    }
  }

  private static Block block(ResultSet row) throws SQLException {
    return new Block(
        row.getLong(1),
        row.getBytes(2),
        row.getObject(3, UUID.class),
        row.getObject(4, OffsetDateTime.class));
  }

  /**
   * Compares blocks with the events that they cover.
   *
   * @param from a block
   * @param to the last one; what is beyond the chain is left out
   * @param floor up to here a position without event is not found as missing
   */
  List<Finding> compare(long from, long to, long floor) {
    var what = "verify the chain";
    Database.Work<List<Finding>> work =
        open -> {
          var end = Math.min(to, last(open).map(Block::number).orElse(0L));
          return from > end ? List.of() : compare(open, from, end, floor);
        };
    return from == to ? patiently(what, work) : database.read(what, work);
  }

  private static List<Finding> compare(Connection open, long from, long to, long floor)
      throws SQLException {
    var found = new ArrayList<Finding>();
    try (var select = Sql.prepare(open, BROKEN)) {
      select.bind(from).bind(to);
      for (var broken : select.rows(row -> new Broken(row.getLong(1), row.getBoolean(2)))) {
        var others = broken.isAbsent() ? List.<Other>of() : others(open, broken.block());
        others.stream().filter(other -> !other.isGone()).map(Other::finding).forEach(found::add);
        others.stream()
            .filter(other -> other.isGone() && other.position() <= floor)
            .findFirst()
            .map(Other::archived)
            .ifPresent(found::add);
        if (others.isEmpty()) {
          found.add(broken.finding());
        }
      }
    }
    return found;
  }

  private record Broken(long block, boolean isAbsent) {
    Finding finding() {
      return new Finding(
          FindingKind.CHAIN_BROKEN,
          (block - 1) * BLOCK + 1,
          null,
          isAbsent
              ? "Block " + block + " is not in the chain, though later ones are"
              : "The hash of block "
                  + block
                  + " does not follow from the block before and its events, though each of these"
                  + " is as it was marked: the chain itself was changed");
    }
  }

  /** What is gone is found by its position, which is missing; or stands below the floor. */
  private record Other(long position, String stream, boolean wasNone, boolean isGone) {
    Finding archived() {
      return new Finding(
          FindingKind.FLOOR_MOVED,
          position,
          null,
          "From here on events are not there that the chain has, though the store is said to begin"
              + " above them");
    }

    Finding finding() {
      return new Finding(
          FindingKind.EVENT_CHANGED,
          position,
          stream,
          wasNone
              ? "There was no event here when the chain came to it"
              : "This is not the event, as all its columns say, that was here when the chain came"
                  + " to it");
    }
  }

  private static List<Other> others(Connection open, long block) throws SQLException {
    try (var select = Sql.prepare(open, OTHERS)) {
      return select
          .bind(NO_MARK)
          .bind(block)
          .bind(block)
          .bind(BLOCK)
          .bind(BLOCK)
          .rows(
              row ->
                  new Other(
                      row.getLong(1), row.getString(2), row.getBoolean(3), row.getBoolean(4)));
    }
  }

  /**
   * Compares a block with what an operator exported.
   *
   * @param hash 32 bytes
   */
  public List<Finding> compare(long block, byte[] hash) {
    return database.read(
        "compare with the anchor",
        open -> {
          try (var select = Sql.prepare(open, AT)) {
            var kept = select.bind(block).first(ChainTable::block);
            if (kept.filter(one -> Arrays.equals(one.hash(), hash)).isPresent()) {
              return List.of();
            }
            return List.of(
                new Finding(
                    FindingKind.CHAIN_BROKEN,
                    (block - 1) * BLOCK + 1,
                    null,
                    kept.map(
                                one ->
                                    "Block "
                                        + block
                                        + " has the hash "
                                        + one.hex()
                                        + " now, another one than was exported: events at or below"
                                        + " position "
                                        + one.position())
                            .orElseGet(
                                () ->
                                    "The chain is shorter than the anchor, block "
                                        + block
                                        + " is not in it: events of that block or before it")
                        + " were rewritten together with the chain, or lost and numbered anew"));
          }
        });
  }
}
