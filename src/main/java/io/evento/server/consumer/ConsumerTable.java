package io.evento.server.consumer;

import io.evento.protocol.Message.Component;
import io.evento.protocol.Message.Consumption;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.StorePosition;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * The SQL that makes a consumer: table {@code consumer}, and the first rows of {@code
 * consumer_segment} in the same statement, so that one is never there without the other.
 */
@NodeScoped
class ConsumerTable {
  private static final int SEGMENTS = 4;

  // Whoever comes second waits for the first one's commit and does nothing. Segments are cut once:
  // later splits and merges are not undone by a bundle that declares again.
  private static final String CREATE =
      """
      with made as (
        insert into evento.consumer (name, version, kind, contexts, types, start)
        values (?, ?, ?, ?, ?, ?)
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

  private final LeaseConnection connection;

  @Inject
  ConsumerTable(LeaseConnection connection) {
    this.connection = connection;
  }

  /**
   * Makes the consumer known, with its segments, or notes what it wants now if it is known.
   *
   * @param start where it begins if it is new
   * @return whether it was new
   */
  boolean declare(Component component, Consumption consumes, StorePosition start) {
    return connection.run(
        "declare consumer " + ConsumerId.of(component),
        open -> {
          var isNew = create(open, component, consumes, start);
          if (!isNew) {
            redefine(open, component, consumes);
          }
          return isNew;
        });
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
      insert.setString(3, component.kind());
      insert.setArray(4, open.createArrayOf("text", consumes.contexts().toArray()));
      insert.setArray(5, open.createArrayOf("text", consumes.types().toArray()));
      insert.setString(6, consumes.start());
      insert.setLong(7, start.position());
      insert.setObject(8, start.epoch());
      insert.setArray(9, open.createArrayOf("int", numbers));
      insert.setArray(10, open.createArrayOf("int", first));
      insert.setArray(11, open.createArrayOf("int", last));
      return insert.executeUpdate() > 0;
    }
  }

  private static void redefine(Connection open, Component component, Consumption consumes)
      throws SQLException {
    try (var update = open.prepareStatement(REDEFINE)) {
      var contexts = open.createArrayOf("text", consumes.contexts().toArray());
      var types = open.createArrayOf("text", consumes.types().toArray());
      update.setString(1, component.kind());
      update.setArray(2, contexts);
      update.setArray(3, types);
      update.setString(4, component.name());
      update.setInt(5, component.version());
      update.setString(6, component.kind());
      update.setArray(7, contexts);
      update.setArray(8, types);
      update.executeUpdate();
    }
  }
}
