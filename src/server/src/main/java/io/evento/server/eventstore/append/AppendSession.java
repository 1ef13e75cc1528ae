package io.evento.server.eventstore.append;

import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.append.AppendFunction.Answer;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.UnfitDatabaseException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The append's connection. What the store says over it goes to {@link KnownStore}, and each call
 * tells the store what is known: one that is older refuses, and the next connection is made to
 * another of the URL's hosts.
 *
 * <p>Confined to the append thread.
 */
final class AppendSession {
  private static final Logger LOG = System.getLogger(AppendSession.class.getName());

  private static final long PROBE_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Database database;
  private final Follower follower;
  private final KnownStore known;
  private @Nullable Connection connection;
  private @Nullable StandbyGuard guard; // of the connection, if there has to be one
  private long confirmed = System.nanoTime();

  AppendSession(Database database, Follower follower, KnownStore known) {
    this.database = database;
    this.follower = follower;
    this.known = known;
  }

  /**
   * Connects if need be, and calls once.
   *
   * @throws SQLException as {@link AppendFailure} reads it
   * @throws NotConnectedException if it came to no call
   */
  Answer call(List<AppendRequest> batch) throws SQLException, NotConnectedException {
    var open = connected();
    var answer = run(open, batch);
    if (!answer.warned()) {
      confirm(open);
      known.learn(answer, open);
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

  private Answer run(Connection open, List<AppendRequest> batch) throws SQLException {
    var memory = known.memory();
    try {
      var claimed = memory == null ? 0 : follower.claimed(memory.seen().epoch());
      return AppendFunction.run(open, memory, claimed, batch);
    } catch (SQLException failure) {
      if (KnownStore.OLDER.equals(failure.getSQLState())) {
        known.refused(String.valueOf(failure.getMessage()));
        database.renew();
      }
      throw failure;
    }
  }

  private Connection connected() throws NotConnectedException {
    if (connection != null) {
      return connection;
    }
    try {
      var opened = AppendConnection.open(database);
      connection = opened;
      guard = database.mustBeSynchronous() ? StandbyGuard.on(opened, database) : null;
      // Epoch and head first: whose store it is has to be known before anything is written.
      var answer = run(opened, List.of());
      if (answer.warned()) {
        throw new SQLException("a warning with the answer", "01000");
      }
      confirm(opened);
      known.learn(answer, opened);
      database.accept();
      return opened;
    } catch (SQLException failure) {
      if (!(failure instanceof UnfitDatabaseException)) {
        database.accept();
      }
      if (connection != null && AppendFailure.of(failure) != AppendFailure.BUSY) {
        database.suspect(connection);
      }
      close();
      throw new NotConnectedException(failure);
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
