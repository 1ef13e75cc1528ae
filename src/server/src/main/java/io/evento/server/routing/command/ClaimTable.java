package io.evento.server.routing.command;

import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** The SQL of table {@code service_claim}. Time is the database's. */
@NodeScoped
public class ClaimTable {
  // A claim is free once it expired, or once the process that holds it is gone. Whether it may be
  // run again is what was declared when it was run first. Our own claim is no other run's: we may
  // not have heard that we have it.
  private static final String CLAIM =
      """
      insert into evento.service_claim as held
             (command_id, hash, node, incarnation, expires_at, retry)
      values (?, ?, ?, ?, clock_timestamp() + ? * interval '1 millisecond', ?)
      on conflict (command_id) do update
         set node = excluded.node, incarnation = excluded.incarnation,
             expires_at = excluded.expires_at,
             runs = held.runs
                    + case when held.incarnation = excluded.incarnation then 0 else 1 end
       where held.hash = excluded.hash
         and (held.expires_at < clock_timestamp() or held.incarnation = excluded.incarnation
              or not held.incarnation = any (?))
      returning held.runs > 1 and not held.retry
      """;

  private static final String HASH =
      """
      select hash from evento.service_claim where command_id = ?
      """;

  private static final String RELEASE =
      """
      delete from evento.service_claim where command_id = ? and incarnation = ?
      """;

  // Index scans on service_claim_expiry.
  private static final String FORGET_EXPIRED =
      """
      delete from evento.service_claim
       where expires_at < clock_timestamp() - interval '1 minute' and retry
      """;

  private static final String LEFT =
      """
      select command_id, hash from evento.service_claim
       where expires_at < clock_timestamp() - interval '1 minute' and not retry
       order by expires_at limit ?
      """;

  private static final String CLAIMED =
      """
      select command_id from evento.service_claim where command_id = any (?)
      """;

  private static final String FORGET =
      """
      delete from evento.service_claim where command_id = ? and expires_at < clock_timestamp()
      """;

  /** A run that is over and never told how it ended. */
  record Left(UUID command, long hash) {}

  /** How an attempt to claim ended. */
  enum Claim {
    OURS,
    /** Ours, after a run that never told how it ended, and it is not to be run again. */
    LEFT,
    HELD,
    /** The id is in use for another command. */
    ID_REUSED
  }

  private final Database database;

  @Inject
  public ClaimTable(Database database) {
    this.database = database;
  }

  /**
   * @param millis how long it holds
   * @param retry whether it may be run again, should nobody tell how this run ended
   * @param live incarnations of the nodes that are alive
   */
  Claim claim(
      UUID command,
      long hash,
      String node,
      UUID incarnation,
      int millis,
      boolean retry,
      Collection<UUID> live) {
    return database.transact(
        "claim service command",
        connection -> {
          try (var insert = Sql.prepare(connection, CLAIM)) {
            insert.bind(command).bind(hash).bind(node).bind(incarnation).bind(millis).bind(retry);
            var isLeft = insert.array("uuid", live).first(row -> row.getBoolean(1));
            if (isLeft.isPresent()) {
              return isLeft.get() ? Claim.LEFT : Claim.OURS;
            }
          }
          try (var select = Sql.prepare(connection, HASH)) {
            var other = select.bind(command).first(row -> row.getLong(1)).filter(h -> h != hash);
            return other.isPresent() ? Claim.ID_REUSED : Claim.HELD;
          }
        });
  }

  void release(UUID command, UUID incarnation) {
    database.read(
        "release service command",
        connection -> {
          try (var delete = Sql.prepare(connection, RELEASE)) {
            return delete.bind(command).bind(incarnation).update();
          }
        });
  }

  /** Some of the runs that never told how they ended, and are not to be run again. */
  List<Left> left(int max) {
    return database.read(
        "read claims that were left",
        connection -> {
          try (var select = Sql.prepare(connection, LEFT)) {
            return select
                .bind(max)
                .rows(row -> new Left(row.getObject(1, UUID.class), row.getLong(2)));
          }
        });
  }

  /** Which of some commands are claimed, by whomever. */
  Set<UUID> claimed(Collection<UUID> commands) {
    return database.read(
        "read claims",
        connection -> {
          try (var select = Sql.prepare(connection, CLAIMED)) {
            select.array("uuid", commands);
            return new HashSet<>(select.rows(row -> row.getObject(1, UUID.class)));
          }
        });
  }

  /** Forgets one that is over. */
  void forget(UUID command) {
    database.read(
        "forget claim",
        connection -> {
          try (var delete = Sql.prepare(connection, FORGET)) {
            return delete.bind(command).update();
          }
        });
  }

  /** Forgets what is over and may be run again. */
  void forgetExpired() {
    database.read(
        "forget expired claims",
        connection -> {
          try (var delete = Sql.prepare(connection, FORGET_EXPIRED)) {
            return delete.update();
          }
        });
  }
}
