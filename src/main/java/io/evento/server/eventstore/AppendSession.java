package io.evento.server.eventstore;

import io.evento.server.eventstore.AppendCall.Answer;
import io.evento.server.persistence.Database;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
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

  private final Database database;
  private final Follower follower;
  private final KnownStore known;
  private @Nullable Connection connection;

  AppendSession(Database database, Follower follower, KnownStore known) {
    this.database = database;
    this.follower = follower;
    this.known = known;
  }

  /**
   * Connects if need be, and calls once.
   *
   * @throws SQLException as {@link Trouble} reads it
   * @throws NotConnectedException if it came to no call
   */
  Answer call(List<Proposal> batch) throws SQLException, NotConnectedException {
    var answer = run(connected(), batch);
    if (!answer.warned()) {
      known.learn(answer);
    }
    return answer;
  }

  private Answer run(Connection open, List<Proposal> batch) throws SQLException {
    var memory = known.memory();
    try {
      var claimed = memory == null ? 0 : follower.claimed(memory.seen().epoch());
      return AppendCall.run(open, memory, claimed, batch);
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
      // Epoch and head first: whose store it is has to be known before anything is written.
      var answer = run(opened, List.of());
      if (answer.warned()) {
        throw new SQLException("a warning with the answer", "01000");
      }
      known.learn(answer);
      return opened;
    } catch (SQLException failure) {
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
