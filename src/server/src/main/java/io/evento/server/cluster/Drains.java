package io.evento.server.cluster;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What operators ask of nodes: to hand over what they have and to take nothing new, and to be a
 * full member again. The wish is in the database, where the node finds it at its next heartbeat,
 * whichever node was asked. It is of the process, and ends with it. Its methods block on the
 * database.
 */
@NodeScoped
public class Drains {
  private static final Logger LOG = System.getLogger(Drains.class.getName());

  private final Database database;

  /**
   * What was done, or would be.
   *
   * @param action {@code drain} or {@code undrain}
   * @param isChanged whether it was not so before
   * @param detail in a sentence
   * @param others nodes that are up and that nobody asked to hand over; they get what it has
   */
  public record Done(
      String action,
      String node,
      boolean dryRun,
      boolean isChanged,
      String detail,
      List<String> others) {}

  /**
   * What was asked of a process that is there still.
   *
   * @param by who asked
   * @param reason in his words; null for none
   */
  public record Wish(String node, OffsetDateTime askedAt, String by, @Nullable String reason) {}

  @Inject
  public Drains(Database database) {
    this.database = database;
  }

  /**
   * Asks a node to hand over what it has. To ask again changes nothing.
   *
   * @param by who asks, by which node and from which address
   * @throws EventoException {@code not-found}; {@code conflict} if it is not up, or if no other
   *     node would be left
   */
  public Done drain(String name, @Nullable String reason, Sql.Columns by, boolean dryRun) {
    return change(
        "drain",
        name,
        dryRun,
        (open, node, others) -> {
          if (node.state() != NodeState.UP && node.state() != NodeState.DRAINING) {
            throw conflict(name + " is " + node.state().wire() + " and has nothing to hand over");
          }
          if (others.isEmpty() && !node.isAskedToDrain()) {
            throw conflict("no other node is up to take what " + name + " has");
          }
          return DrainTable.drain(open, node, reason, by)
              ? name + " hands over what it has and takes nothing new"
              : null;
        });
  }

  /**
   * Takes that back: the node is a full member again.
   *
   * @throws EventoException {@code not-found}
   */
  public Done undrain(String name, @Nullable String reason, Sql.Columns by, boolean dryRun) {
    return change(
        "undrain",
        name,
        dryRun,
        (open, node, others) ->
            DrainTable.undrain(open, node, reason, by) ? name + " is a full member again" : null);
  }

  /** Whom operators asked to hand over, by name. */
  public List<Wish> all() {
    return database.read("read drains", DrainTable::all);
  }

  private interface Work {
    /**
     * @return what was done; null if it was so already
     */
    @Nullable String on(Connection open, Node node, List<String> others) throws SQLException;
  }

  private Done change(String action, String name, boolean dryRun, Work work) {
    var done =
        database.audited(
            action + " node",
            open -> {
              DrainTable.lock(open);
              var members = new Members(NodeTable.all(open));
              var node =
                  members
                      .find(name)
                      .orElseThrow(
                          () ->
                              new EventoException(
                                  ErrorCode.NOT_FOUND, "no node is called " + name));
              var others = members.keeping(name);
              var detail = work.on(open, node, others);
              if (dryRun) {
                open.rollback();
              }
              return new Done(
                  action,
                  name,
                  dryRun,
                  detail != null,
                  detail == null ? "nothing changes: that is so already" : detail,
                  others);
            });
    if (!dryRun && done.isChanged()) {
      LOG.log(
          Level.INFO, () -> "operation " + action + " node=" + name + RequestCorrelation.logged());
    }
    return done;
  }

  private static EventoException conflict(String why) {
    return new EventoException(ErrorCode.CONFLICT, why);
  }
}
