package io.evento.server.consumer.segment;

import io.evento.server.NodeScoped;
import io.evento.server.eventstore.StorePosition;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of table {@code consumer_segment}. Time is the database's.
 *
 * <p>Each statement is set-based: a pass costs the same few statements however many segments there
 * are. Each write of an owner names epoch, fence and incarnation, and says which rows it found:
 * what is missing in the answer belongs to somebody else.
 *
 * <p>Plans (EXPLAIN ANALYZE, 4 elements): with 80 rows a hash join over the three pages of the
 * table, 0.2 ms; with 4,000 rows one probe of the primary key per element, 0.1 ms. No column that
 * is written is indexed, and half of each page is free, so updates stay in their pages.
 *
 * <p>Keeps invariant I5.
 */
@NodeScoped
public class SegmentTable {
  private static final String OF_CONSUMERS =
      """
      select s.name, s.version, s.segment, s.fence, s.owner_incarnation, s.lease_until,
             coalesce(s.lease_until < clock_timestamp(), true)
        from unnest(?::text[], ?::int[]) as hosted(name, version)
        join evento.consumer c on c.name = hosted.name and c.version = hosted.version
        join evento.consumer_segment s on s.name = c.name and s.version = c.version
       where c.status <> 'paused' and s.status <> 'paused'
         and (s.held_until is null or s.held_until < clock_timestamp())
       order by s.name, s.version, s.segment
      """;

  // The role may be read from before a switch that commits meanwhile; but that raises the fence of
  // the same row, which is compared once more then, so no claim brings an outdated role along.
  // The row must still be as it was seen: whoever came in between has the better right. Rows that
  // are locked are being renewed or claimed, so they are passed over instead of waited for.
  private static final String CLAIM =
      """
      with free as materialized (
        select s.name, s.version, s.segment
          from unnest(?::text[], ?::int[], ?::int[], ?::bigint[], ?::timestamptz[])
               as seen(name, version, segment, fence, lease_until)
          join evento.consumer_segment s
            on s.name = seen.name and s.version = seen.version and s.segment = seen.segment
         where s.fence = seen.fence and s.lease_until is not distinct from seen.lease_until
           and (s.owner_incarnation is null or s.owner_incarnation = ?
                or s.lease_until < clock_timestamp())
           for update of s skip locked)
      update evento.consumer_segment s
         set fence = s.fence + 1, owner = ?, owner_incarnation = ?,
             lease_until = clock_timestamp() + ? * interval '1 millisecond',
             changed_at = clock_timestamp()
        from free
       where s.name = free.name and s.version = free.version and s.segment = free.segment
      returning s.name, s.version, s.segment, s.first_slot, s.last_slot, s.fence,
                s.epoch, s.checkpoint, s.command_id, s.reset_fence, s.merge_at, s.effects_after,
                (select c.role from evento.consumer c
                  where c.name = s.name and c.version = s.version),
                s.doubt_from, s.doubt_upto, s.doubt_ids, s.doubt_sessions, s.doubt_alone
      """;

  // An owner's next lease of the same segment: given to another session, or to be looked at anew.
  private static final String RECLAIM =
      """
      update evento.consumer_segment s
         set fence = s.fence + ?, lease_until = clock_timestamp() + ? * interval '1 millisecond',
             changed_at = clock_timestamp()
        from unnest(?::text[], ?::int[], ?::int[], ?::bigint[], ?::uuid[])
             as mine(name, version, segment, fence, epoch)
       where s.name = mine.name and s.version = mine.version and s.segment = mine.segment
         and s.fence = mine.fence and s.epoch = mine.epoch and s.owner_incarnation = ?
      returning s.name, s.version, s.segment, s.first_slot, s.last_slot, s.fence,
                s.epoch, s.checkpoint, s.command_id, s.reset_fence, s.merge_at, s.effects_after,
                (select c.role from evento.consumer c
                  where c.name = s.name and c.version = s.version),
                s.doubt_from, s.doubt_upto, s.doubt_ids, s.doubt_sessions, s.doubt_alone
      """;

  private static final String RENEW =
      """
      update evento.consumer_segment s
         set lease_until = clock_timestamp() + ? * interval '1 millisecond'
        from unnest(?::text[], ?::int[], ?::int[], ?::bigint[], ?::uuid[])
             as mine(name, version, segment, fence, epoch)
       where s.name = mine.name and s.version = mine.version and s.segment = mine.segment
         and s.fence = mine.fence and s.epoch = mine.epoch and s.owner_incarnation = ?
      returning s.name, s.version, s.segment
      """;

  private static final String RELEASE =
      """
      update evento.consumer_segment s
         set owner = null, owner_incarnation = null, lease_until = null,
             changed_at = clock_timestamp()
        from unnest(?::text[], ?::int[], ?::int[], ?::bigint[], ?::uuid[])
             as mine(name, version, segment, fence, epoch)
       where s.name = mine.name and s.version = mine.version and s.segment = mine.segment
         and s.fence = mine.fence and s.epoch = mine.epoch and s.owner_incarnation = ?
      """;

  // A write whose answer was lost may come again: then the row is in the new epoch already. A row
  // that is behind what was written there is that of a server that has lost it, with the steps that
  // were stored beside it: what is in our memory must not carry it over them.
  private static final String CHECKPOINT =
      """
      update evento.consumer_segment s
         set epoch = done.epoch,
             progress_at = case when done.rewinds or s.checkpoint < done.position
                                then clock_timestamp() else s.progress_at end,
             checkpoint = case when done.rewinds then done.position
                               else greatest(s.checkpoint, done.position) end,
             command_id = case when done.rewinds or s.checkpoint < done.position
                               then done.command_id else s.command_id end
        from unnest(?::text[], ?::int[], ?::int[], ?::bigint[], ?::uuid[], ?::bigint[],
                    ?::uuid[], ?::bigint[], ?::uuid[], ?::boolean[])
             as done(name, version, segment, fence, before, known, epoch, position, command_id,
                     rewinds)
       where s.name = done.name and s.version = done.version and s.segment = done.segment
         and s.fence = done.fence and s.owner_incarnation = ?
         and (s.epoch = done.before and s.checkpoint >= done.known
              or s.epoch = done.epoch and done.epoch <> done.before)
      returning s.name, s.version, s.segment
      """;

  private static final String NOTE =
      """
      update evento.consumer_segment s
         set note = said.note, status = case when said.note is null then 'active' else 'stuck' end,
             changed_at = clock_timestamp()
        from unnest(?::text[], ?::int[], ?::int[], ?::bigint[], ?::uuid[], ?::text[])
             as said(name, version, segment, fence, epoch, note)
       where s.name = said.name and s.version = said.version and s.segment = said.segment
         and s.fence = said.fence and s.epoch = said.epoch and s.owner_incarnation = ?
         and s.status <> 'paused'
      """;

  // Probe of the primary key; a session that ends costs one for each segment that it had.
  private static final String DOUBT =
      """
      update evento.consumer_segment
         set doubt_from = ?, doubt_upto = ?, doubt_ids = ?, doubt_sessions = ?, doubt_alone = ?
       where name = ? and version = ? and segment = ?
         and fence = ? and epoch = ? and owner_incarnation = ?
      """;

  private static final String PROGRESS =
      """
      select s.name, s.version, s.segment, s.epoch, s.checkpoint, clock_timestamp(),
             s.progress_at, c.status <> 'paused' and s.status <> 'paused'
        from evento.consumer_segment s join evento.consumer c using (name, version)
       order by s.name, s.version, s.segment
      """;

  /**
   * Where a segment stands by its row.
   *
   * @param seen when that was, by the database's clock
   * @param progress when it last moved
   * @param isActive whether nobody paused it
   */
  public record SegmentProgress(
      SegmentId segment,
      StorePosition checkpoint,
      Instant seen,
      Instant progress,
      boolean isActive) {}

  private final LeaseConnection connection;

  @Inject
  public SegmentTable(LeaseConnection connection) {
    this.connection = connection;
  }

  /** The segments of consumers, without what is paused or held for an operation. */
  public List<LeaseRow> of(Collection<ConsumerId> consumers) {
    return connection.run(
        "read segments",
        open -> {
          try (var select = open.prepareStatement(OF_CONSUMERS)) {
            select.setArray(1, texts(open, consumers.stream().map(ConsumerId::name)));
            select.setArray(2, array(open, "int", consumers.stream().map(ConsumerId::version)));
            try (var row = select.executeQuery()) {
              var found = new ArrayList<LeaseRow>();
              while (row.next()) {
                found.add(
                    new LeaseRow(
                        segment(row),
                        row.getLong(4),
                        row.getObject(5, UUID.class),
                        row.getObject(6, OffsetDateTime.class),
                        row.getBoolean(7)));
              }
              return found;
            }
          }
        });
  }

  /** Takes segments that are as they were seen, and free; the answer tells which. */
  public List<Lease.Claimed> claim(
      Collection<LeaseRow> seen, String node, UUID incarnation, Duration lease) {
    return connection.run(
        "claim segments",
        open -> {
          try (var claim = open.prepareStatement(CLAIM)) {
            var ids = seen.stream().map(LeaseRow::segment).toList();
            bind(open, claim, 1, ids);
            claim.setArray(4, array(open, "bigint", seen.stream().map(LeaseRow::fence)));
            claim.setArray(
                5, array(open, "timestamptz", seen.stream().map(SegmentTable::leaseUntil)));
            claim.setObject(6, incarnation);
            claim.setString(7, node);
            claim.setObject(8, incarnation);
            claim.setLong(9, lease.toMillis());
            return claimed(claim);
          }
        });
  }

  /**
   * Gives own leases a new fence, so that what was done under the old one is void.
   *
   * @param by how much higher it is
   */
  public List<Lease.Claimed> reclaim(
      Collection<Lease> leases, long by, UUID incarnation, Duration lease) {
    return connection.run(
        "reclaim segments",
        open -> {
          try (var reclaim = open.prepareStatement(RECLAIM)) {
            reclaim.setLong(1, by);
            reclaim.setLong(2, lease.toMillis());
            bindLeases(open, reclaim, 3, leases);
            reclaim.setObject(8, incarnation);
            return claimed(reclaim);
          }
        });
  }

  /**
   * @return the segments that are still owned
   */
  public Set<SegmentId> renew(Collection<Lease> leases, UUID incarnation, Duration lease) {
    return connection.run(
        "renew leases",
        open -> {
          try (var renew = open.prepareStatement(RENEW)) {
            renew.setLong(1, lease.toMillis());
            bindLeases(open, renew, 2, leases);
            renew.setObject(7, incarnation);
            return segments(renew);
          }
        });
  }

  /** Gives leases back; from now on anybody may claim them. */
  public void release(Collection<Lease> leases, UUID incarnation) {
    connection.run(
        "release leases",
        open -> {
          try (var release = open.prepareStatement(RELEASE)) {
            bindLeases(open, release, 1, leases);
            release.setObject(6, incarnation);
            return release.executeUpdate();
          }
        });
  }

  /**
   * Writes checkpoints. Within an epoch they only go forward, unless the step says that it rewinds.
   *
   * @return the segments that are still owned
   */
  public Set<SegmentId> write(Collection<Lease.Step> steps, UUID incarnation) {
    return connection.run("write checkpoints", open -> write(open, steps, incarnation));
  }

  /** As {@link #write(Collection, UUID)}, within a transaction that stands or falls with it. */
  public static Set<SegmentId> write(
      Connection open, Collection<Lease.Step> steps, UUID incarnation) throws SQLException {
    try (var write = open.prepareStatement(CHECKPOINT)) {
      bind(open, write, 1, steps.stream().map(Lease.Step::segment).toList());
      write.setArray(4, array(open, "bigint", steps.stream().map(Lease.Step::fence)));
      write.setArray(5, array(open, "uuid", steps.stream().map(Lease.Step::before)));
      write.setArray(6, array(open, "bigint", steps.stream().map(Lease.Step::known)));
      write.setArray(7, array(open, "uuid", steps.stream().map(s -> s.to().epoch())));
      write.setArray(8, array(open, "bigint", steps.stream().map(s -> s.to().position())));
      write.setArray(9, array(open, "uuid", steps.stream().map(Lease.Step::command)));
      write.setArray(10, array(open, "boolean", steps.stream().map(Lease.Step::rewinds)));
      write.setObject(11, incarnation);
      return segments(write);
    }
  }

  /** Says why segments do not get on; an empty text says that they do. */
  public void note(Map<Lease, String> notes, UUID incarnation) {
    connection.run(
        "note on segments",
        open -> {
          try (var note = open.prepareStatement(NOTE)) {
            var leases = List.copyOf(notes.keySet());
            bindLeases(open, note, 1, leases);
            note.setArray(
                6,
                array(
                    open,
                    "text",
                    leases.stream().map(notes::get).map(n -> n.isEmpty() ? null : n)));
            note.setObject(7, incarnation);
            return note.executeUpdate();
          }
        });
  }

  /** Keeps what may have ended sessions. */
  public void doubt(Map<Lease, PoisonCandidates> doubts, UUID incarnation) {
    connection.run(
        "note what sessions ended with",
        open -> {
          try (var update = open.prepareStatement(DOUBT)) {
            for (var entry : doubts.entrySet()) {
              var lease = entry.getKey();
              var about = entry.getValue();
              update.setLong(1, about.from());
              update.setLong(2, about.upTo());
              update.setArray(3, array(open, "uuid", about.ids().stream()));
              update.setInt(4, about.sessions());
              update.setBoolean(5, about.alone());
              update.setString(6, lease.segment().consumer().name());
              update.setInt(7, lease.segment().consumer().version());
              update.setInt(8, lease.segment().number());
              update.setLong(9, lease.fence());
              update.setObject(10, lease.writtenEpoch());
              update.setObject(11, incarnation);
              update.addBatch();
            }
            return update.executeBatch();
          }
        });
  }

  /** Where all segments stand by their rows. */
  public List<SegmentProgress> progress() {
    return connection.run(
        "read checkpoints",
        open -> {
          try (var select = open.prepareStatement(PROGRESS);
              var row = select.executeQuery()) {
            var found = new ArrayList<SegmentProgress>();
            while (row.next()) {
              found.add(
                  new SegmentProgress(
                      segment(row),
                      new StorePosition(row.getObject(4, UUID.class), row.getLong(5)),
                      row.getObject(6, OffsetDateTime.class).toInstant(),
                      row.getObject(7, OffsetDateTime.class).toInstant(),
                      row.getBoolean(8)));
            }
            return found;
          }
        });
  }

  private static @Nullable String leaseUntil(LeaseRow row) {
    return row.leaseUntil() == null ? null : row.leaseUntil().toString();
  }

  private static void bindLeases(
      Connection open, PreparedStatement statement, int at, Collection<Lease> leases)
      throws SQLException {
    bind(open, statement, at, leases.stream().map(Lease::segment).toList());
    statement.setArray(at + 3, array(open, "bigint", leases.stream().map(Lease::fence)));
    statement.setArray(at + 4, array(open, "uuid", leases.stream().map(Lease::writtenEpoch)));
  }

  public static void bind(
      Connection open, PreparedStatement statement, int at, List<SegmentId> segments)
      throws SQLException {
    statement.setArray(at, texts(open, segments.stream().map(s -> s.consumer().name())));
    statement.setArray(
        at + 1, array(open, "int", segments.stream().map(s -> s.consumer().version())));
    statement.setArray(at + 2, array(open, "int", segments.stream().map(SegmentId::number)));
  }

  private static java.sql.Array texts(Connection open, java.util.stream.Stream<String> texts)
      throws SQLException {
    return array(open, "text", texts);
  }

  private static java.sql.Array array(
      Connection open, String type, java.util.stream.Stream<?> elements) throws SQLException {
    return open.createArrayOf(type, elements.toArray());
  }

  private static SegmentId segment(ResultSet row) throws SQLException {
    return new SegmentId(new ConsumerId(row.getString(1), row.getInt(2)), row.getInt(3));
  }

  public static Set<SegmentId> segments(PreparedStatement returning) throws SQLException {
    try (var row = returning.executeQuery()) {
      var found = new HashSet<SegmentId>();
      while (row.next()) {
        found.add(segment(row));
      }
      return found;
    }
  }

  private static List<Lease.Claimed> claimed(PreparedStatement returning) throws SQLException {
    try (var row = returning.executeQuery()) {
      var found = new ArrayList<Lease.Claimed>();
      while (row.next()) {
        found.add(
            new Lease.Claimed(
                segment(row),
                row.getInt(4),
                row.getInt(5),
                row.getLong(6),
                new StorePosition(row.getObject(7, UUID.class), row.getLong(8)),
                row.getObject(9, UUID.class),
                row.getLong(10),
                Optional.ofNullable(row.getObject(11, Long.class)).orElse(Long.MAX_VALUE),
                row.getLong(12),
                Role.of(row.getString(13)),
                new PoisonCandidates(
                    row.getLong(14),
                    row.getLong(15),
                    Set.of((UUID[]) row.getArray(16).getArray()),
                    row.getInt(17),
                    row.getBoolean(18))));
      }
      return found;
    }
  }
}
