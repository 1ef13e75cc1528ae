package io.evento.server.routing;

import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.util.Collection;
import java.util.UUID;

/** The SQL of table {@code service_claim}. Time is the database's. */
@NodeScoped
class ClaimTable {
  // A claim is free once it expired, or once the process that holds it is gone.
  private static final String CLAIM =
      """
      insert into evento.service_claim as held (command_id, hash, node, incarnation, expires_at)
      values (?, ?, ?, ?, clock_timestamp() + ? * interval '1 millisecond')
      on conflict (command_id) do update
         set node = excluded.node, incarnation = excluded.incarnation,
             expires_at = excluded.expires_at
       where held.hash = excluded.hash
         and (held.expires_at < clock_timestamp() or held.incarnation = excluded.incarnation
              or not held.incarnation = any (?))
      """;

  private static final String HASH =
      """
      select hash from evento.service_claim where command_id = ?
      """;

  private static final String RELEASE =
      """
      delete from evento.service_claim where command_id = ? and incarnation = ?
      """;

  private static final String FORGET_EXPIRED =
      """
      delete from evento.service_claim where expires_at < clock_timestamp() - interval '1 minute'
      """;

  /** How an attempt to claim ended. */
  enum Claim {
    OURS,
    HELD,
    /** The id is in use for another command. */
    ID_REUSED
  }

  private final Database database;

  @Inject
  ClaimTable(Database database) {
    this.database = database;
  }

  /**
   * @param millis how long it holds
   * @param live incarnations of the nodes that are alive
   */
  Claim claim(
      UUID command, long hash, String node, UUID incarnation, int millis, Collection<UUID> live) {
    return database.transact(
        "claim service command",
        connection -> {
          try (var insert = connection.prepareStatement(CLAIM)) {
            insert.setObject(1, command);
            insert.setLong(2, hash);
            insert.setString(3, node);
            insert.setObject(4, incarnation);
            insert.setInt(5, millis);
            insert.setArray(6, connection.createArrayOf("uuid", live.toArray()));
            if (insert.executeUpdate() == 1) {
              return Claim.OURS;
            }
          }
          try (var select = connection.prepareStatement(HASH)) {
            select.setObject(1, command);
            try (var row = select.executeQuery()) {
              return row.next() && row.getLong(1) != hash ? Claim.ID_REUSED : Claim.HELD;
            }
          }
        });
  }

  void release(UUID command, UUID incarnation) {
    database.read(
        "release service command",
        connection -> {
          try (var delete = connection.prepareStatement(RELEASE)) {
            delete.setObject(1, command);
            delete.setObject(2, incarnation);
            return delete.executeUpdate();
          }
        });
  }

  void forgetExpired() {
    database.read(
        "forget expired claims",
        connection -> {
          try (var delete = connection.prepareStatement(FORGET_EXPIRED)) {
            return delete.executeUpdate();
          }
        });
  }
}
