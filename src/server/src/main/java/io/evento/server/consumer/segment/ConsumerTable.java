package io.evento.server.consumer.segment;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The SQL that makes a consumer: table {@code consumer}, and the first rows of {@code
 * consumer_segment} in the same statement, so that one is never there without the other.
 */
@NodeScoped
public class ConsumerTable {
  private static final int SEGMENTS = 4;

  // Whoever comes second waits for the first one's commit and does nothing. Segments are cut once:
  // later splits and merges are not undone by a bundle that declares again.
  // Who becomes a shadow waits for a live version that is being retired, and is live then. What was
  // retired begins anew in the bundle's own database too: its fences are above all that were.
  private static final String CREATE =
      """
      with made as (
        insert into evento.consumer (name, version, kind, contexts, types, start, role)
        values (?, ?, ?, ?, ?, ?,
                case when exists (select from evento.consumer
                                   where name = ? and role = 'live' for key share)
                     then 'shadow' else 'live' end)
        on conflict (name, version) do nothing
        returning name, version),
      fenced as (
        select made.name, made.version,
               case when exists (select from evento.consumer_audit a
                                  where a.name = made.name and a.version = made.version
                                    and a.action = 'retire')
                    then (extract(epoch from clock_timestamp()) * 1000)::bigint else 0 end as fence
          from made)
      insert into evento.consumer_segment
             (name, version, segment, first_slot, last_slot, checkpoint, epoch, fence, reset_fence)
      select fenced.name, fenced.version, cut.segment, cut.first_slot, cut.last_slot, ?, ?,
             fenced.fence, fenced.fence
        from fenced, unnest(?::int[], ?::int[], ?::int[]) as cut(segment, first_slot, last_slot)
      """;

  private static final String REDEFINE =
      """
      update evento.consumer set kind = ?, contexts = ?, types = ?
       where name = ? and version = ? and (kind, contexts, types) is distinct from (?, ?, ?)
      """;

  // Whatever parks, repairs, drops, splits or merges takes this lock first: one after the other.
  private static final String LOCK =
      """
      select 1 from evento.consumer where name = ? and version = ? for no key update
      """;

  private static final String STATUS =
      """
      update evento.consumer set status = ?, note = ?
       where name = ? and version = ? and status = any(?)
      """;

  private static final String LOCK_VERSIONS =
      """
      select version, kind, role, status from evento.consumer where name = ?
       order by version for no key update
      """;

  private static final String COUNT_ASKING =
      """
      update evento.consumer set askings = askings + 1
       where name = ? and version = ? returning askings
      """;

  private static final String ROLE =
      """
      update evento.consumer set role = ? where name = ? and version = ?
      """;

  private static final String SHADOWS =
      """
      select name, version from evento.consumer where role = 'shadow'
      """;

  private static final String FULL =
      """
      select name, version from evento.consumer where status = 'full'
      """;

  // With it go its segments, dead letters, marks of lost events and what it held as a shadow.
  private static final String RETIRE =
      """
      delete from evento.consumer c
       where c.name = ? and c.version = ?
         and not exists (
             select from evento.consumer_segment s
              where s.name = c.name and s.version = c.version
                and greatest(s.lease_until, s.changed_at)
                    > clock_timestamp() - interval '10 seconds')
      """;

  private final LeaseConnection connection;

  @Inject
  public ConsumerTable(LeaseConnection connection) {
    this.connection = connection;
  }

  /**
   * Makes the consumer known, with its segments, or notes what it wants now if it is known.
   *
   * @param start where it begins if it is new
   * @return whether it was new
   */
  public boolean declare(Component component, Consumption consumes, StorePosition start) {
    return connection.run(
        "declare consumer " + ConsumerId.of(component),
        open -> {
          var isNew = createOnce(open, component, consumes, start);
          if (!isNew) {
            redefine(open, component, consumes);
          }
          return isNew;
        });
  }

  private static boolean createOnce(
      Connection open, Component component, Consumption consumes, StorePosition start)
      throws SQLException {
    try {
      return create(open, component, consumes, start);
    } catch (SQLException failure) {
      if (!"23505".equals(failure.getSQLState())) {
        throw failure;
      }
      // Another version became the live one in the same moment; now that is seen.
      return create(open, component, consumes, start);
    }
  }

  private static boolean create(
      Connection open, Component component, Consumption consumes, StorePosition start)
      throws SQLException {
    var count = consumes.segments() == 0 ? SEGMENTS : consumes.segments();
    var numbers = IntStream.range(0, count).boxed().toList();
    try (var insert = Sql.prepare(open, CREATE)) {
      insert.bind(ConsumerId.of(component)).bind(component.kind().wire());
      insert.array("text", consumes.contexts()).array("text", consumes.types());
      insert.bind(consumes.start()).bind(component.name());
      insert.bind(start.position()).bind(start.epoch());
      insert.array("int", numbers);
      insert.array("int", numbers, number -> number * Slots.COUNT / count);
      insert.array("int", numbers, number -> (number + 1) * Slots.COUNT / count - 1);
      return insert.update() > 0;
    }
  }

  private static void redefine(Connection open, Component component, Consumption consumes)
      throws SQLException {
    try (var update = Sql.prepare(open, REDEFINE)) {
      update.bind(component.kind().wire());
      update.array("text", consumes.contexts()).array("text", consumes.types());
      update.bind(ConsumerId.of(component));
      update.bind(component.kind().wire());
      update.array("text", consumes.contexts()).array("text", consumes.types());
      update.update();
    }
  }

  /**
   * Locks a consumer until the transaction ends.
   *
   * @throws EventoException {@code not-found} if there is none
   */
  public static void lock(Connection open, ConsumerId consumer) throws SQLException {
    try (var lock = Sql.prepare(open, LOCK)) {
      if (lock.bind(consumer).first(row -> row.getInt(1)).isEmpty()) {
        throw new EventoException(ErrorCode.NOT_FOUND, "there is no consumer " + consumer);
      }
    }
  }

  /**
   * Counts one more asking for dead letters, in a transaction that has locked the consumer.
   *
   * @return its number, higher than that of every one that was committed before
   */
  public static long countAsking(Connection open, ConsumerId consumer) throws SQLException {
    try (var update = Sql.prepare(open, COUNT_ASKING)) {
      return update.bind(consumer).one(row -> row.getLong(1));
    }
  }

  /**
   * Changes the status within a transaction.
   *
   * @param from those in which it may be changed
   * @param note why; null for no note
   * @return whether it was in one of them
   */
  public static boolean change(
      Connection open, ConsumerId consumer, List<String> from, String to, @Nullable String note)
      throws SQLException {
    try (var update = Sql.prepare(open, STATUS)) {
      return update.bind(to).bind(note).bind(consumer).array("text", from).update() == 1;
    }
  }

  /**
   * Forgets a consumer within a transaction that has locked it.
   *
   * @return false if somebody delivered or changed it within the last ten seconds
   */
  public static boolean retire(Connection open, ConsumerId consumer) throws SQLException {
    try (var delete = Sql.prepare(open, RETIRE)) {
      return delete.bind(consumer).update() == 1;
    }
  }

  /** A version of a consumer. */
  public record Version(ConsumerId id, String kind, Role role, String status) {}

  /** All versions of a name by their number, locked until the transaction ends. */
  public static List<Version> lockVersions(Connection open, String name) throws SQLException {
    try (var lock = Sql.prepare(open, LOCK_VERSIONS)) {
      return lock.bind(name)
          .rows(
              row ->
                  new Version(
                      new ConsumerId(name, row.getInt(1)),
                      row.getString(2),
                      Role.of(row.getString(3)),
                      row.getString(4)));
    }
  }

  /** Gives a version a role; of a name at most one may be live at any time. */
  public static void role(Connection open, ConsumerId consumer, Role role) throws SQLException {
    try (var update = Sql.prepare(open, ROLE)) {
      update.bind(role.wire()).bind(consumer).update();
    }
  }

  /** The versions that are shadows. */
  public static Set<ConsumerId> shadows(Connection open) throws SQLException {
    return ids(open, SHADOWS);
  }

  /** The consumers whose dead letters are full. */
  public static Set<ConsumerId> full(Connection open) throws SQLException {
    return ids(open, FULL);
  }

  private static Set<ConsumerId> ids(Connection open, String query) throws SQLException {
    try (var select = Sql.prepare(open, query)) {
      return new HashSet<>(select.rows(ConsumerId::read));
    }
  }
}
