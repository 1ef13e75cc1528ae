package io.evento.server.consumer;

import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.AppendedEvents;
import io.evento.server.eventstore.follow.Follower;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Writes events as the append would, one batch after the other, and can lose some again. */
public final class Store implements AutoCloseable {
  private static final String INSERT =
      """
      insert into evento.event (position, version, decision, hash, recorded_at, command_id, ord,
                                stream_id, context, type, tags, meta, payload, answer)
      values (?, ?, 1, 1, ?, ?, 0, ?, ?, ?, '{}', null, ?, null)
      """;

  /** Above every version that {@link #fill} writes. */
  private static final long FILLED = 1_000_000;

  private final Connection connection;
  private final Map<String, Long> versions = new HashMap<>();
  private long head;

  private Store(TestDatabase database) throws SQLException {
    connection = database.asAdmin();
    connection.setAutoCommit(false);
  }

  /** The database without events and consumers, in its first epoch. */
  public static Store emptied(TestDatabase database) throws SQLException {
    try (var admin = database.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(
          "truncate evento.event, evento.consumer, evento.consumer_audit, evento.saga_state,"
              + " evento.consumer_command, evento.scheduled_message, evento.command_result"
              + " cascade");
      statement.execute("delete from evento.store_epoch where ordinal > 1");
    }
    return new Store(database);
  }

  /** What is to be written to an account. */
  public record Draft(String account, String type, String context) {
    public static Draft of(String account) {
      return new Draft(account, "MoneyDeposited", "bank");
    }
  }

  /** Commits events and tells followers, as the appending node does. */
  public List<RecordedEvent> append(Collection<Follower> followers, List<Draft> drafts)
      throws SQLException {
    var epoch = epoch();
    var base = head;
    var written = new ArrayList<RecordedEvent>();
    try (var insert = connection.prepareStatement(INSERT)) {
      for (var draft : drafts) {
        var event = event(draft);
        written.add(event);
        insert.setLong(1, event.position());
        insert.setLong(2, event.version());
        insert.setObject(3, OffsetDateTime.parse(event.time()));
        insert.setObject(4, event.commandId());
        insert.setString(5, "Account:" + draft.account);
        insert.setString(6, draft.context);
        insert.setString(7, draft.type);
        insert.setString(8, event.payload().text());
        insert.addBatch();
      }
      insert.executeBatch();
    }
    connection.commit();
    followers.forEach(follower -> follower.offer(new AppendedEvents(epoch, base, head, written)));
    return written;
  }

  private RecordedEvent event(Draft draft) {
    var version = versions.merge(draft.account, FILLED, (last, any) -> last + 1);
    var id = UUID.randomUUID();
    return new RecordedEvent(
        ++head,
        new RecordedEvent.Stream("Account", draft.account),
        version,
        draft.type,
        draft.context,
        OffsetDateTime.now(ZoneOffset.UTC).toString(),
        id,
        id.toString(),
        null,
        Json.EMPTY_OBJECT,
        new Json("{\"amount\":1}"));
  }

  /**
   * Many events at once, nobody being told: position p goes to account {@code a-(p mod streams)}.
   */
  public void fill(int count, int streams) throws SQLException {
    try (var insert =
        connection.prepareStatement(
            """
            insert into evento.event (position, version, decision, hash, recorded_at, command_id,
                                      ord, stream_id, context, type, tags, payload)
            select p, p / ? + 1, 1, 1, clock_timestamp(), gen_random_uuid(), 0,
                   'Account:a-' || p % ?, 'bank', 'MoneyDeposited', '{}', '{"amount":1}'
              from generate_series(?::bigint + 1, ?::bigint + ?) p
            """)) {
      insert.setInt(1, streams);
      insert.setInt(2, streams);
      insert.setLong(3, head);
      insert.setLong(4, head);
      insert.setInt(5, count);
      insert.executeUpdate();
    }
    connection.commit();
    head += count;
  }

  public long head() {
    return head;
  }

  public StorePosition at(long position) throws SQLException {
    return new StorePosition(epoch(), position);
  }

  public UUID epoch() throws SQLException {
    try (var select = connection.createStatement();
        var row =
            select.executeQuery(
                "select id from evento.store_epoch order by ordinal desc limit 1")) {
      row.next();
      var id = row.getObject(1, UUID.class);
      connection.commit();
      return id;
    }
  }

  /** As after a lossy promotion: what stood above is gone, and the next events open a new epoch. */
  public void loseAbove(long position) throws SQLException {
    delete(position);
    open(position);
    connection.commit();
  }

  /** As after a restore: what stood above is gone, for checkpoints too, and nobody has noticed. */
  public void putBack(long position) throws SQLException {
    delete(position);
    try (var rewind =
        connection.prepareStatement(
            """
            update evento.consumer_segment set checkpoint = ?, command_id = null
             where checkpoint > ?
            """)) {
      rewind.setLong(1, position);
      rewind.setLong(2, position);
      rewind.executeUpdate();
    }
    connection.commit();
  }

  /** As the first append after a restore does. */
  public void openEpoch() throws SQLException {
    open(head);
    connection.commit();
  }

  private void delete(long position) throws SQLException {
    try (var delete = connection.prepareStatement("delete from evento.event where position > ?")) {
      delete.setLong(1, position);
      delete.executeUpdate();
    }
    head = position;
    versions.replaceAll((account, version) -> version + 1_000);
  }

  private void open(long position) throws SQLException {
    try (var open =
        connection.prepareStatement(
            """
            insert into evento.store_epoch (ordinal, starts_after, timeline, at)
            select max(ordinal) + 1, ?, 'lost', clock_timestamp() from evento.store_epoch
            """)) {
      open.setLong(1, position);
      open.executeUpdate();
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
