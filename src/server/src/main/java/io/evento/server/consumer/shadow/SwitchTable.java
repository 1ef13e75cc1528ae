package io.evento.server.consumer.shadow;

import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The SQL that moves commands between outbox and shadows: what becomes of held ones in a switch,
 * and of those that nobody will ever send. All of it within transactions of others.
 */
public final class SwitchTable {
  // While commands are being sent there is no switch, but there are dry runs.
  private static final String OF_VERSION =
      """
      select w.id,
      """
          + HeldBeside.OPEN
          + HeldBeside.HELD_BESIDE
          + " and not "
          + HeldBeside.SENT_TOO
          + " and c.settled_at is null)";

  private static final String RELEASE =
      """
      with gone as (
        delete from evento.shadow_command where name = ? and version = ? and id = any(?)
        returning *)
      insert into evento.consumer_command
             (id, name, version, key, slot, born, type, payload, correlation, cause, hear, next_at,
              principal)
      select id, name, version, key, slot, born, type, payload, correlation, cause, hear,
             clock_timestamp(), principal
        from gone on conflict (id) do nothing
      """;

  private static final String DISCARD =
      """
      with gone as (
        delete from evento.shadow_command where name = ? and version = ? and id = any(?)
        returning name, version),
      counted as (
        insert into evento.shadow_comparison as c (name, version, discarded)
        select name, version, count(*) from gone group by name, version
        on conflict (name, version) do update set discarded = c.discarded + excluded.discarded)
      select count(*) from gone
      """;

  private static final String FOLLOW =
      """
      with gone as (
        delete from evento.consumer_command where name = ? and version = ? returning *)
      insert into evento.shadow_command
             (name, version, id, key, slot, born, type, payload, correlation, cause, hear,
              created_at, settled_at, outcome, principal)
      select name, version, id, key, slot, born, type, payload, correlation, cause, hear,
             created_at, settled_at, outcome, principal
        from gone on conflict (name, version, id) do nothing
      """;

  /**
   * What a switch does with held commands.
   *
   * @param released are sent
   * @param discarded are not, as the other version has decided otherwise about the same
   */
  public record Fates(List<UUID> released, List<UUID> discarded) {}

  private SwitchTable() {}

  /**
   * What has to become of what a version holds, were it live instead of another one from now on.
   * What has an outcome already is in neither list: it is found by the next look.
   */
  public static Fates fates(Connection open, ConsumerId consumer, ConsumerId former)
      throws SQLException {
    var released = new ArrayList<UUID>();
    var discarded = new ArrayList<UUID>();
    try (var select = Sql.prepare(open, OF_VERSION)) {
      select
          .bind((long) former.version())
          .bind(consumer)
          .each(
              row -> (row.getBoolean(2) ? released : discarded).add(row.getObject(1, UUID.class)));
    }
    var ended = new ArrayList<>(released);
    ended.addAll(discarded);
    var known = OutcomeReader.withOutcome(open, ended);
    released.removeAll(known);
    discarded.removeAll(known);
    return new Fates(released, discarded);
  }

  /** Has held commands sent. */
  public static void release(Connection open, ConsumerId consumer, List<UUID> ids)
      throws SQLException {
    try (var release = Sql.prepare(open, RELEASE)) {
      release.bind(consumer).array("uuid", ids).update();
    }
  }

  /** Drops held commands, and counts them. */
  public static long discard(Connection open, ConsumerId consumer, List<UUID> ids)
      throws SQLException {
    try (var discard = Sql.prepare(open, DISCARD)) {
      return discard.bind(consumer).array("uuid", ids).one(row -> row.getLong(1));
    }
  }

  /**
   * Puts what a version sent, and has not heard the end of, among what shadows hold, so that the
   * ids in the outbox are free for the version that is live now.
   */
  public static void follow(Connection open, ConsumerId consumer) throws SQLException {
    try (var follow = Sql.prepare(open, FOLLOW)) {
      follow.bind(consumer).update();
    }
  }
}
