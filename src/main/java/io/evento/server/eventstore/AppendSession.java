package io.evento.server.eventstore;

import io.evento.server.eventstore.AppendCall.Answer;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.UnfitDatabaseException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The append's connection, and what was learned over it and its predecessors. A store that turns
 * out to have less than this node saw of it opens a new epoch.
 *
 * <p>Confined to the append thread.
 */
final class AppendSession {
  private static final Logger LOG = System.getLogger(AppendSession.class.getName());

  private static final long PROBE_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Database database;
  private final Follower follower;
  private @Nullable Connection connection;
  private @Nullable StandbyGuard guard; // of the connection, if there has to be one
  private @Nullable StorePosition learned;
  private long confirmed = System.nanoTime();

  AppendSession(Database database, Follower follower) {
    this.database = database;
    this.follower = follower;
  }

  /**
   * Connects if need be, and calls once.
   *
   * @throws SQLException as {@link Trouble} reads it
   * @throws NotConnectedException if it came to no call
   */
  Answer call(List<Proposal> batch) throws SQLException, NotConnectedException {
    var open = connected();
    var answer = AppendCall.run(open, memoryFor(batch), batch);
    if (!answer.warned()) {
      confirm(open);
      learn(answer);
    }
    return answer;
  }

  private void confirm(Connection open) throws SQLException {
    if (guard != null) {
      guard.confirm(open);
      confirmed = System.nanoTime();
    }
  }

  /** Whether nothing was said for a while of commits that have to wait for a standby. */
  boolean isProbeDue() {
    return database.mustBeSynchronous() && System.nanoTime() - confirmed > PROBE_NANOS;
  }

  private Connection connected() throws NotConnectedException {
    if (connection != null) {
      return connection;
    }
    try {
      var opened = AppendConnection.open(database);
      connection = opened;
      guard = database.mustBeSynchronous() ? StandbyGuard.on(opened, database) : null;
      // Epoch and head first: conditions and the memory speak of them.
      var answer = AppendCall.run(opened, memory(), List.of());
      if (answer.warned()) {
        throw new SQLException("a warning with the answer", "01000");
      }
      confirm(opened);
      learn(answer);
      database.accept();
      return opened;
    } catch (SQLException failure) {
      if (!(failure instanceof UnfitDatabaseException)) {
        database.accept();
      }
      if (connection != null && Trouble.of(failure) != Trouble.BUSY) {
        database.suspect(connection);
      }
      close();
      throw new NotConnectedException(failure);
    }
  }

  private @Nullable StorePosition memory() {
    var seen = follower.seenAnywhere();
    if (learned == null) {
      return seen.orElse(null);
    }
    return seen.isPresent() && seen.get().epoch().equals(learned.epoch())
        ? learned.at(Math.max(learned.position(), seen.get().position()))
        : learned;
  }

  private @Nullable StorePosition memoryFor(List<Proposal> batch) {
    var mine = memory();
    var conditions = conditionEpoch(batch);
    // Positions in conditions are of their own epoch, whatever this node believes.
    return conditions == null || (mine != null && conditions.equals(mine.epoch()))
        ? mine
        : new StorePosition(conditions, 0);
  }

  /** Epoch of the batch's conditions, which is one; null if there are none. */
  private static @Nullable UUID conditionEpoch(List<Proposal> batch) {
    return batch.stream()
        .map(Proposal::condition)
        .filter(Objects::nonNull)
        .map(condition -> condition.after().epoch())
        .findFirst()
        .orElse(null);
  }

  private void learn(Answer answer) {
    var before = learned;
    learned = answer.head();
    if (before == null || !before.epoch().equals(answer.epoch())) {
      follower.wake();
    }
  }

  void close() {
    var present = connection;
    connection = null;
    if (present != null) {
      try {
        present.close();
      } catch (SQLException alreadyGone) {
        LOG.log(Level.DEBUG, "append connection closed badly", alreadyGone);
      }
    }
  }
}
