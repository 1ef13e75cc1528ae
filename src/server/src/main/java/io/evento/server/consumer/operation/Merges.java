package io.evento.server.consumer.operation;

import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.consumer.delivery.SegmentMerges;
import io.evento.server.consumer.segment.AuditTable;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.SegmentTable;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;

/** Joins segments that wait for each other, once both are there. Blocks on the database. */
@NodeScoped
public class Merges implements SegmentMerges {
  private static final Logger LOG = System.getLogger(Merges.class.getName());

  /** Long enough for an owner to give a segment back and to learn where to stop now. */
  private static final long HOLD_MILLIS = 1_500;

  private final Database database;
  private final UUID incarnation;

  @Inject
  Merges(Database database, Links links) {
    this(database, links.incarnation());
  }

  public Merges(Database database, UUID incarnation) {
    this.database = database;
    this.incarnation = incarnation;
  }

  /**
   * Joins what has met.
   *
   * @return whether anything did
   */
  boolean join() {
    var any = false;
    for (var met : database.read("look for merges", OperationTable::met)) {
      any |= database.transact("merge segments", open -> join(open, met));
    }
    return any;
  }

  private static boolean join(Connection open, OperationTable.Met met) throws SQLException {
    ConsumerTable.lock(open, met.consumer());
    var rows = OperationTable.lock(open, met.consumer());
    // Looked at again under the locks.
    if (!OperationTable.met(open).contains(met)) {
      return false;
    }
    var first = find(rows, met.first());
    var second = find(rows, met.second());
    OperationTable.merge(open, met.consumer(), first, second);
    var detail =
        "segment "
            + met.second()
            + " is part of segment "
            + met.first()
            + " from position "
            + first.checkpoint().position()
            + " on";
    AuditTable.add(open, met.consumer(), AuditTable.SERVER, "merged", detail, null);
    LOG.log(Level.INFO, () -> "segments merged consumer=" + met.consumer() + " " + detail);
    return true;
  }

  @Override
  public void told(Lease lease) {
    database.read(
        "note where bundle stands", open -> OperationTable.told(open, lease, incarnation));
  }

  @Override
  public void meetAt(Lease.Step step, long position) {
    var consumer = step.segment().consumer();
    database.transact(
        "put off merge",
        open -> {
          ConsumerTable.lock(open, consumer);
          var rows = OperationTable.lock(open, consumer);
          var ours = find(rows, step.segment().number());
          var with = ours.mergeWith();
          var at = ours.mergeAt();
          if (with == null
              || at == null
              || at >= position
              || !SegmentTable.write(open, List.of(step), incarnation).contains(step.segment())) {
            return false;
          }
          OperationTable.meetAt(open, consumer, List.of(ours.segment(), with), position);
          OperationTable.hold(open, consumer, List.of(ours.segment(), with), HOLD_MILLIS);
          return true;
        });
  }

  private static OperationTable.Row find(List<OperationTable.Row> rows, int segment) {
    return rows.stream().filter(row -> row.segment() == segment).findFirst().orElseThrow();
  }
}
