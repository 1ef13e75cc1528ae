package io.evento.server.consumer.operation;

import io.evento.server.NodeScoped;
import io.evento.server.eventstore.proof.Finding;
import io.evento.server.eventstore.proof.FindingKind;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Compares the checkpoints of all consumers with the store, each row and the store as one statement
 * sees them.
 */
@NodeScoped
public class Checkpoints {
  // One of an epoch that is over may stand above what that epoch left: its consumer was not looked
  // at since, and rewinds then. What it left is where the later ones begin.
  private static final String PLACES =
      """
      select s.name, s.version, s.segment, s.checkpoint,
             case when o.id is null then 'unknown'
                  when s.checkpoint > h.head and l.least is null then 'beyond'
                  when s.checkpoint <= coalesce(l.least, h.head) and e.command_id <> s.command_id
                    then 'other' else '' end as wrong
        from evento.consumer_segment s
       cross join (select greatest(evento.store_floor_1(), coalesce(max(position), 0)) as head
                     from evento.event) h
        left join evento.store_epoch o on o.id = s.epoch
        left join lateral (select min(n.starts_after) as least
                             from evento.store_epoch n where n.ordinal > o.ordinal) l on true
        left join evento.event e on e.position = s.checkpoint
       order by s.name, s.version, s.segment
      """;

  // All 128, each once.
  private static final String SLOTS =
      """
      select s.name, s.version, count(*), count(distinct slot)
        from evento.consumer_segment s
       cross join lateral generate_series(s.first_slot::int, s.last_slot) slot
       group by s.name, s.version having count(*) <> 128 or count(distinct slot) <> 128
      """;

  private final Database database;

  @Inject
  public Checkpoints(Database database) {
    this.database = database;
  }

  /**
   * What was looked at.
   *
   * @param segments how many
   */
  public record Look(int segments, List<Finding> findings) {}

  /** Looks at all of them; blocks on the database. */
  public Look look() {
    return database.read(
        "verify checkpoints",
        open -> {
          var findings = new ArrayList<Finding>();
          int segments;
          try (var select = Sql.prepare(open, PLACES)) {
            segments =
                select
                    .rows(
                        row -> {
                          place(row, findings);
                          return 1;
                        })
                    .size();
          }
          slots(open, findings);
          return new Look(segments, findings);
        });
  }

  private static void place(ResultSet row, List<Finding> findings) throws SQLException {
    var what = row.getString(5);
    if (what.isEmpty()) {
      return;
    }
    findings.add(
        new Finding(
            FindingKind.CHECKPOINT_WRONG,
            row.getLong(4),
            null,
            "Consumer "
                + row.getString(1)
                + ":"
                + row.getInt(2)
                + ", segment "
                + row.getInt(3)
                + ": "
                + switch (what) {
                  case "unknown" -> "its checkpoint is of an epoch that the store never had";
                  case "beyond" -> "its checkpoint is beyond the store";
                  default -> "at its checkpoint stands another event than the one that it has seen";
                }));
  }

  private static void slots(Connection open, List<Finding> findings) throws SQLException {
    try (var select = Sql.prepare(open, SLOTS)) {
      select.each(
          row ->
              findings.add(
                  new Finding(
                      FindingKind.SLOTS_WRONG,
                      null,
                      null,
                      "Consumer "
                          + row.getString(1)
                          + ":"
                          + row.getInt(2)
                          + ": of its 128 slots its segments have "
                          + row.getInt(4)
                          + ", "
                          + (row.getInt(3) - row.getInt(4))
                          + " more than once")));
    }
  }
}
