package io.evento.server.eventstore.append;

import io.evento.server.eventstore.append.AppendFunction.Answer;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.persistence.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What this node knows of its store, and by that, which servers may be its database.
 *
 * <p><b>Invariant.</b> After a node has learned of an epoch, nothing is appended by it, read by it
 * or written by it in a store that has less than it knows, but for one that was promoted since or
 * that an operator accepted. Why it holds: each new connection is looked at before anybody gets it
 * ({@link #check}); a connection that was there before is cut off when a new epoch is learned; and
 * the append, which alone acknowledges, tells the function with each call what is known, and the
 * function refuses under the gate. What has less, and when that was meant, says {@code
 * store_state_1}.
 *
 * <p>It is kept in memory: a node that starts knows nothing and takes the store that it finds.
 */
public final class KnownStore {
  /** Of {@code append_4}: the store is older than what the node knows. */
  static final String OLDER = "EV001";

  /** The server let in, and the connection must not be used. */
  private static final String NOT_THIS_ONE = "08004";

  /** No such function, no such schema: a copy of before the release that this node migrated to. */
  private static final Set<String> SCHEMA_IS_OLDER = Set.of("42883", "3F000");

  private static final String LOOK =
      """
      select refused from evento.store_state_1(?::uuid, ?, ?, ?)
      """;

  private final Database database;
  private final Follower follower;
  private final Runnable onRefusal;
  private volatile @Nullable StoreMemory learned;
  private volatile @Nullable String refusal;

  /**
   * @param onRefusal called when the store behind a new connection was refused, by its opener
   */
  KnownStore(Database database, Follower follower, Runnable onRefusal) {
    this.database = database;
    this.follower = follower;
    this.onRefusal = onRefusal;
    database.vetBy(this::check);
  }

  /** The newest that is known, be it from the append or from reading; null for nothing. */
  @Nullable StoreMemory memory() {
    var mine = learned;
    // Its head, and not what peers tell of: see there.
    var seen = follower.head().orElse(null);
    if (mine == null) {
      return seen == null ? null : new StoreMemory(seen, null, null);
    }
    if (seen == null) {
      return mine;
    }
    if (seen.epoch().equals(mine.seen().epoch())) {
      return mine.at(Math.max(mine.seen().position(), seen.position()));
    }
    // A later life of the same store was read, whose server the append did not meet yet.
    return follower.knows(mine.seen().epoch()) ? new StoreMemory(seen, null, null) : mine;
  }

  /**
   * Takes what the store said of itself.
   *
   * @param over the connection over which it did
   */
  void learn(Answer answer, Connection over) {
    var before = learned;
    var isNew = before == null || !before.seen().epoch().equals(answer.epoch());
    learned = merged(before, answer);
    refusal = null;
    if (isNew) {
      follower.vouch(answer.epoch());
      if (before == null) {
        // Opened before anything was known: some may lead to another store.
        database.renew();
      } else {
        // Opened under another epoch: some may lead to the server of that one.
        database.renewAllBut(over);
      }
    }
  }

  private static StoreMemory merged(@Nullable StoreMemory before, Answer answer) {
    var timeline = answer.timeline();
    if (before == null) {
      return new StoreMemory(answer.head(), answer.system(), timeline);
    }
    if (timeline == null) {
      return new StoreMemory(answer.head(), before.system(), before.timeline());
    }
    var system = answer.system();
    var known = before.timeline();
    var isSame = system == null || before.system() == null || system.equals(before.system());
    var highest = isSame && known != null && known.compareTo(timeline) > 0 ? known : timeline;
    return new StoreMemory(answer.head(), system, highest);
  }

  /** Notes that a store was refused, by the function or at a new connection. */
  void refused(String why) {
    refusal = why;
  }

  /** Why the last store that was met was refused; null if it was fit. */
  @Nullable
  public String refusal() {
    return refusal;
  }

  /**
   * Looks at the store behind a new connection.
   *
   * @throws SQLException if it is older than what is known, or does not answer
   */
  private void check(Connection connection) throws SQLException {
    var memory = memory();
    if (memory == null) {
      return;
    }
    try (var look = connection.prepareStatement(LOOK)) {
      bind(look, 1, memory);
      try (var row = look.executeQuery()) {
        row.next();
        var why = row.getString(1);
        if (why != null) {
          throw refuse(why, null);
        }
      }
    } catch (SQLException failure) {
      if (SCHEMA_IS_OLDER.contains(String.valueOf(failure.getSQLState()))) {
        throw refuse("its schema is older; restart a node that migrates", failure);
      }
      throw failure;
    }
  }

  private SQLException refuse(String why, @Nullable SQLException cause) {
    refused(why);
    // An idle append would not notice, and the node would stay ready.
    onRefusal.run();
    return new SQLException(
        "the store is older than what this node knows: " + why, NOT_THIS_ONE, cause);
  }

  /** Four parameters: epoch, head, system, timeline. */
  static void bind(java.sql.PreparedStatement statement, int first, StoreMemory memory)
      throws SQLException {
    statement.setString(first, memory.seen().epoch().toString());
    statement.setLong(first + 1, memory.seen().position());
    statement.setObject(first + 2, memory.system(), java.sql.Types.BIGINT);
    statement.setString(first + 3, memory.timeline());
  }
}
