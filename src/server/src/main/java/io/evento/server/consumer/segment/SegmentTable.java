package io.evento.server.consumer.segment;

import io.evento.server.NodeScoped;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
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
          try (var select = Sql.prepare(open, OF_CONSUMERS)) {
            select.array("text", consumers, ConsumerId::name);
            select.array("int", consumers, ConsumerId::version);
            return select.rows(
                row ->
                    new LeaseRow(
                        SegmentId.read(row),
                        row.getLong(4),
                        row.getObject(5, UUID.class),
                        row.getObject(6, OffsetDateTime.class),
                        row.getBoolean(7)));
          }
        });
  }

  /** Takes segments that are as they were seen, and free; the answer tells which. */
  public List<Lease.Claimed> claim(
      Collection<LeaseRow> seen, String node, UUID incarnation, Duration lease) {
    return connection.run(
        "claim segments",
        open -> {
          try (var claim = Sql.prepare(open, CLAIM)) {
            bind(claim, seen.stream().map(LeaseRow::segment).toList());
            claim.array("bigint", seen, LeaseRow::fence);
            claim.array("timestamptz", seen, SegmentTable::leaseUntil);
            claim.bind(incarnation).bind(node).bind(incarnation).bind(lease.toMillis());
            return claim.rows(SegmentTable::claimed);
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
          try (var reclaim = Sql.prepare(open, RECLAIM)) {
            reclaim.bind(by).bind(lease.toMillis());
            bindLeases(reclaim, leases);
            return reclaim.bind(incarnation).rows(SegmentTable::claimed);
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
          try (var renew = Sql.prepare(open, RENEW)) {
            renew.bind(lease.toMillis());
            bindLeases(renew, leases);
            return segments(renew.bind(incarnation));
          }
        });
  }

  /** Gives leases back; from now on anybody may claim them. */
  public void release(Collection<Lease> leases, UUID incarnation) {
    connection.run(
        "release leases",
        open -> {
          try (var release = Sql.prepare(open, RELEASE)) {
            bindLeases(release, leases);
            return release.bind(incarnation).update();
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
    try (var write = Sql.prepare(open, CHECKPOINT)) {
      bind(write, steps.stream().map(Lease.Step::segment).toList());
      write.array("bigint", steps, Lease.Step::fence).array("uuid", steps, Lease.Step::before);
      write.array("bigint", steps, Lease.Step::known);
      write.array("uuid", steps, step -> step.to().epoch());
      write.array("bigint", steps, step -> step.to().position());
      write.array("uuid", steps, Lease.Step::command);
      write.array("boolean", steps, Lease.Step::rewinds);
      return segments(write.bind(incarnation));
    }
  }

  /** Says why segments do not get on; an empty text says that they do. */
  public void note(Map<Lease, String> notes, UUID incarnation) {
    connection.run(
        "note on segments",
        open -> {
          try (var note = Sql.prepare(open, NOTE)) {
            var said = List.copyOf(notes.entrySet());
            bindLeases(note, said.stream().map(Map.Entry::getKey).toList());
            note.array("text", said, one -> one.getValue().isEmpty() ? null : one.getValue());
            return note.bind(incarnation).update();
          }
        });
  }

  /** Keeps what may have ended sessions. */
  public void doubt(Map<Lease, PoisonCandidates> doubts, UUID incarnation) {
    connection.run(
        "note what sessions ended with",
        open -> {
          try (var update = Sql.prepare(open, DOUBT)) {
            for (var entry : doubts.entrySet()) {
              var lease = entry.getKey();
              var about = entry.getValue();
              update.bind(about.from()).bind(about.upTo()).array("uuid", about.ids());
              update.bind(about.sessions()).bind(about.alone());
              update.bind(lease.segment()).bind(lease.fence());
              update.bind(lease.writtenEpoch()).bind(incarnation);
              update.addToBatch();
            }
            return update.updateBatch();
          }
        });
  }

  /** Where all segments stand by their rows. */
  public List<SegmentProgress> progress() {
    return connection.run(
        "read checkpoints",
        open -> {
          try (var select = Sql.prepare(open, PROGRESS)) {
            return select.rows(
                row ->
                    new SegmentProgress(
                        SegmentId.read(row),
                        new StorePosition(row.getObject(4, UUID.class), row.getLong(5)),
                        row.getObject(6, OffsetDateTime.class).toInstant(),
                        row.getObject(7, OffsetDateTime.class).toInstant(),
                        row.getBoolean(8)));
          }
        });
  }

  private static @Nullable String leaseUntil(LeaseRow row) {
    return row.leaseUntil() == null ? null : row.leaseUntil().toString();
  }

  private static void bindLeases(Sql sql, Collection<Lease> leases) throws SQLException {
    bind(sql, leases.stream().map(Lease::segment).toList());
    sql.array("bigint", leases, Lease::fence).array("uuid", leases, Lease::writtenEpoch);
  }

  /** Binds three arrays: names, versions and numbers. */
  public static void bind(Sql sql, Collection<SegmentId> segments) throws SQLException {
    sql.array("text", segments, segment -> segment.consumer().name());
    sql.array("int", segments, segment -> segment.consumer().version());
    sql.array("int", segments, SegmentId::number);
  }

  private static Set<SegmentId> segments(Sql returning) throws SQLException {
    return new HashSet<>(returning.rows(SegmentId::read));
  }

  private static Lease.Claimed claimed(ResultSet row) throws SQLException {
    return new Lease.Claimed(
        SegmentId.read(row),
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
            row.getBoolean(18)));
  }
}
