package io.evento.server.consumer.segment;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.StorePosition;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
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
  private static final String CREATE =
      """
      with made as (
        insert into evento.consumer (name, version, kind, contexts, types, start, role)
        values (?, ?, ?, ?, ?, ?,
                case when exists (select from evento.consumer
                                   where name = ? and role = 'live')
                     then 'shadow' else 'live' end)
        on conflict (name, version) do nothing
        returning name, version)
      insert into evento.consumer_segment
             (name, version, segment, first_slot, last_slot, checkpoint, epoch)
      select made.name, made.version, cut.segment, cut.first_slot, cut.last_slot, ?, ?
        from made, unnest(?::int[], ?::int[], ?::int[]) as cut(segment, first_slot, last_slot)
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
    var numbers = new Integer[count];
    var first = new Integer[count];
    var last = new Integer[count];
    for (var i = 0; i < count; i++) {
      numbers[i] = i;
      first[i] = i * Slots.COUNT / count;
      last[i] = (i + 1) * Slots.COUNT / count - 1;
    }
    try (var insert = open.prepareStatement(CREATE)) {
      insert.setString(1, component.name());
      insert.setInt(2, component.version());
      insert.setString(3, component.kind().wire());
      insert.setArray(4, open.createArrayOf("text", consumes.contexts().toArray()));
      insert.setArray(5, open.createArrayOf("text", consumes.types().toArray()));
      insert.setString(6, consumes.start());
      insert.setString(7, component.name());
      insert.setLong(8, start.position());
      insert.setObject(9, start.epoch());
      insert.setArray(10, open.createArrayOf("int", numbers));
      insert.setArray(11, open.createArrayOf("int", first));
      insert.setArray(12, open.createArrayOf("int", last));
      return insert.executeUpdate() > 0;
    }
  }

  private static void redefine(Connection open, Component component, Consumption consumes)
      throws SQLException {
    try (var update = open.prepareStatement(REDEFINE)) {
      var contexts = open.createArrayOf("text", consumes.contexts().toArray());
      var types = open.createArrayOf("text", consumes.types().toArray());
      update.setString(1, component.kind().wire());
      update.setArray(2, contexts);
      update.setArray(3, types);
      update.setString(4, component.name());
      update.setInt(5, component.version());
      update.setString(6, component.kind().wire());
      update.setArray(7, contexts);
      update.setArray(8, types);
      update.executeUpdate();
    }
  }

  /**
   * Locks a consumer until the transaction ends.
   *
   * @throws EventoException {@code not-found} if there is none
   */
  public static void lock(Connection open, ConsumerId consumer) throws SQLException {
    try (var lock = open.prepareStatement(LOCK)) {
      lock.setString(1, consumer.name());
      lock.setInt(2, consumer.version());
      try (var row = lock.executeQuery()) {
        if (!row.next()) {
          throw new EventoException(ErrorCode.NOT_FOUND, "there is no consumer " + consumer);
        }
      }
    }
  }

  /**
   * Counts one more asking for dead letters, in a transaction that has locked the consumer.
   *
   * @return its number, higher than that of every one that was committed before
   */
  public static long countAsking(Connection open, ConsumerId consumer) throws SQLException {
    try (var update = open.prepareStatement(COUNT_ASKING)) {
      update.setString(1, consumer.name());
      update.setInt(2, consumer.version());
      try (var row = update.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
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
    try (var update = open.prepareStatement(STATUS)) {
      update.setString(1, to);
      update.setString(2, note);
      update.setString(3, consumer.name());
      update.setInt(4, consumer.version());
      update.setArray(5, open.createArrayOf("text", from.toArray()));
      return update.executeUpdate() == 1;
    }
  }

  /** A version of a consumer. */
  public record Version(ConsumerId id, String kind, Role role, String status) {}

  /** All versions of a name by their number, locked until the transaction ends. */
  public static List<Version> lockVersions(Connection open, String name) throws SQLException {
    try (var lock = open.prepareStatement(LOCK_VERSIONS)) {
      lock.setString(1, name);
      try (var row = lock.executeQuery()) {
        var found = new ArrayList<Version>();
        while (row.next()) {
          found.add(
              new Version(
                  new ConsumerId(name, row.getInt(1)),
                  row.getString(2),
                  Role.of(row.getString(3)),
                  row.getString(4)));
        }
        return found;
      }
    }
  }

  /** Gives a version a role; of a name at most one may be live at any time. */
  public static void role(Connection open, ConsumerId consumer, Role role) throws SQLException {
    try (var update = open.prepareStatement(ROLE)) {
      update.setString(1, role.wire());
      update.setString(2, consumer.name());
      update.setInt(3, consumer.version());
      update.executeUpdate();
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
    try (var select = open.prepareStatement(query);
        var row = select.executeQuery()) {
      var found = new HashSet<ConsumerId>();
      while (row.next()) {
        found.add(new ConsumerId(row.getString(1), row.getInt(2)));
      }
      return found;
    }
  }
}
