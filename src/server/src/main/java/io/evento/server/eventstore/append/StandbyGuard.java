package io.evento.server.eventstore.append;

import io.evento.server.persistence.Database;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * Proves, where {@code evento.db.synchronous=required}, that the commits of the append's connection
 * wait for a synchronous standby.
 *
 * <p><b>Invariant:</b> an answer is acknowledged only if {@code synchronous_standby_names} was set
 * from before its call until after its commit.
 *
 * <p>A commit waits if that setting names somebody and the session's {@code synchronous_commit} is
 * {@code on} or more; the latter is the session's own and nobody else can change it. The setting
 * can be taken away at any moment by a reload, and then those who wait are let go as if their
 * standby had answered, without a warning. So a look before the call is not enough, and neither is
 * one after it, as the setting may have been away between the two. But a session reads the settings
 * again only on a reload, and {@code pg_conf_load_time()} is when it last did. Equal times before
 * and after mean: no reload between, so the setting was there all along.
 *
 * <p>That the look after the commit sees a reload that let the commit go: the postmaster signals
 * its sessions before the checkpointer, which is who lets go; a signalled session reads the
 * settings before its next statement; and the look is the next statement. It cannot be part of the
 * call, whose commit comes after all that it evaluates.
 *
 * <p>Whether somebody named is connected needs no look: without one no commit ends. What waits when
 * its backend is ended or told to stop waiting is a lost answer or comes with a warning, and is
 * settled by a repeat, whose own commit is after it in the same WAL.
 *
 * <p>Keeps invariant I1.
 */
final class StandbyGuard {
  private static final String LOOK =
      """
      select pg_conf_load_time()::text, current_setting('synchronous_standby_names') <> ''
                                        and current_setting('synchronous_commit') in ('on', 'remote_apply')
      """;

  private record Look(String loaded, boolean waits) {}

  private final Look before;

  private StandbyGuard(Look before) {
    this.before = before;
  }

  /**
   * Looks for the first time, before any call.
   *
   * @throws io.evento.server.persistence.UnfitDatabaseException if commits do not wait
   */
  static StandbyGuard on(Connection connection, Database database) throws SQLException {
    var look = look(connection);
    if (!look.waits()) {
      throw database.refuse(
          "evento.db.synchronous is required, but PostgreSQL has no synchronous_standby_names;"
              + " nothing is acknowledged until it has");
    }
    return new StandbyGuard(look);
  }

  /**
   * Looks after a call.
   *
   * @throws SQLException of a lost answer, if its commit may not have waited
   */
  void confirm(Connection connection) throws SQLException {
    if (!look(connection).equals(before)) {
      throw new SQLException(
          "settings were loaded anew during a call, its commit may not have waited for a standby",
          "08007");
    }
  }

  private static Look look(Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        var row = statement.executeQuery(LOOK)) {
      row.next();
      return new Look(row.getString(1), row.getBoolean(2));
    }
  }
}
