package io.evento.testing;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.OptionalLong;

/**
 * A primary PostgreSQL and its streaming standby, of one test:
 *
 * <pre>{@code
 * try (var pair = PostgresPair.start()) {
 *   var store = pair.migrated("store");        // its URL names both hosts, the first one first
 *   pair.synchronous();                         // a commit waits for the standby
 *   pair.first().freeze();                      // or kill(), crash(), stop()
 *   pair.lag();                                 // the standby lives, and confirms nothing
 *   pair.promote();                             // the second is the primary from here on
 *   pair.first().thaw();                        // two primaries: a split brain
 *   pair.rejoin();                              // the first is wiped and follows the second
 * }
 * }</pre>
 *
 * Each server keeps its port all its life. Both listen on 127.0.0.1 and trust everybody there.
 */
public final class PostgresPair implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final PostgresServer first;
  private final PostgresServer second;
  private boolean isFirstPrimary = true;
  private OptionalLong stopped = OptionalLong.empty();

  private PostgresPair(PostgresServer first, PostgresServer second) {
    this.first = first;
    this.second = second;
  }

  /** Starts both; replication is asynchronous until {@link #synchronous}. */
  public static PostgresPair start() {
    var first = PostgresServer.start();
    var pair = new PostgresPair(first, PostgresServer.absent());
    try {
      pair.follow(pair.second, first);
      return pair;
    } catch (RuntimeException failure) {
      pair.close();
      throw failure;
    }
  }

  /** The one that was the primary at the start. */
  public PostgresServer first() {
    return first;
  }

  public PostgresServer second() {
    return second;
  }

  /** The one that serves: the first until {@link #promote}. */
  public PostgresServer primary() {
    return isFirstPrimary ? first : second;
  }

  /** The other one, whatever it does. */
  public PostgresServer standby() {
    return isFirstPrimary ? second : first;
  }

  /** A new database with the schema of this release; its URL names both hosts, first and second. */
  public TestDatabase migrated(String name) {
    var alone = primary().migrated(name);
    caughtUp();
    return alone.on(first.port(), second.port());
  }

  /** From now on every commit at the primary waits for the standby. */
  public void synchronous() {
    primary().configure("synchronous_standby_names", "ANY 1 (*)");
    await("synchronous standby")
        .atMost(LIMIT)
        .until(
            () ->
                "1"
                    .equals(
                        primary()
                            .ask(
                                "select count(*) from pg_stat_replication"
                                    + " where sync_state in ('sync', 'quorum')")));
  }

  /** From now on no commit waits; whoever waits is let go, as by an operator's reload. */
  public void asynchronous() {
    primary().configure("synchronous_standby_names", "");
  }

  /** Waits until the standby has applied all that the primary wrote up to now. */
  public void caughtUp() {
    var written = primary().ask("select pg_current_wal_lsn()");
    await("standby caught up")
        .atMost(LIMIT)
        .until(
            () ->
                "t"
                    .equals(
                        standby()
                            .ask("select pg_last_wal_replay_lsn() >= '" + written + "'::pg_lsn")));
  }

  /**
   * The standby lives and answers, but takes no more WAL and confirms none: a commit that waits for
   * it waits until {@link #goOn}, or until the primary ends the connection, a minute later.
   */
  public void lag() {
    var receiver = standby().ask("select pid from pg_stat_wal_receiver");
    if (receiver == null) {
      throw new IllegalStateException("the standby does not stream");
    }
    stopped = OptionalLong.of(Long.parseLong(receiver));
    ProcessTree.signal("STOP", stopped.getAsLong());
  }

  /** Ends {@link #lag}, if there is one. */
  public void goOn() {
    stopped.ifPresent(receiver -> ProcessTree.signal("CONT", receiver));
    stopped = OptionalLong.empty();
  }

  /** Makes the standby a primary, whatever the old one does, and returns once it takes writes. */
  public void promote() {
    standby().ask("select pg_promote(true, 60)");
    isFirstPrimary = !isFirstPrimary;
  }

  /** Ends the one that is not the primary, and makes a new standby of the primary in its place. */
  public void rejoin() {
    standby().kill();
    follow(standby(), primary());
  }

  private void follow(PostgresServer standby, PostgresServer primary) {
    try (var admin = primary.admin()) {
      standby.wipe();
      HotCopy.standby(
          admin, primary.data(), standby.data(), primary.port(), "postgres", "", "standby");
      standby.begin();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    } catch (SQLException failure) {
      throw new IllegalStateException("no base backup", failure);
    }
  }

  @Override
  public void close() {
    try {
      second.close();
    } finally {
      first.close();
    }
  }
}
