package io.evento.server.cluster;

import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * From when to when processes of nodes were there, by the database's clock. What is over stands in
 * the table {@code node_life}, which a trigger of {@code node} writes when the next process of a
 * name comes.
 */
@NodeScoped
public class NodeLives {
  // Plan: the few rows of node, and an index scan of node_life_end.
  private static final String SINCE =
      """
      select name, incarnation, release, started_at, ended_at, ending from (
        select name, incarnation, release, started_at, ended_at, ending from evento.node_life
         where ended_at > clock_timestamp() - ? * interval '1 hour'
        union all
        select name, incarnation, release, started_at,
               case when is_over then seen_at end,
               case when state = 'gone' then 'left' when is_over then 'lost' end
          from (select *, state = 'gone' or seen_at < clock_timestamp() - ? * interval '1 millisecond' as is_over
                  from evento.node) n
         where not is_over or seen_at > clock_timestamp() - ? * interval '1 hour') lives
       order by started_at desc limit ?
      """;

  /**
   * The life of one process.
   *
   * @param endedAt when it was seen last; null if it is there
   * @param ending {@code left} if it said so, {@code lost} if not; null if it is there
   */
  public record Life(
      String node,
      UUID incarnation,
      String release,
      OffsetDateTime startedAt,
      @Nullable OffsetDateTime endedAt,
      @Nullable String ending) {}

  private final Database database;

  @Inject
  public NodeLives(Database database) {
    this.database = database;
  }

  /**
   * Those of the last hours, also if they began before; the last that began first. Of a week at
   * most. Blocks on the database.
   */
  public List<Life> ofHours(int hours, int limit) {
    return database.read(
        "read lives of nodes",
        connection -> {
          try (var select = Sql.prepare(connection, SINCE)) {
            return select
                .bind(hours)
                .bind(NodeTable.LEASE_MILLIS)
                .bind(hours)
                .bind(limit)
                .rows(
                    row ->
                        new Life(
                            row.getString(1),
                            row.getObject(2, UUID.class),
                            row.getString(3),
                            row.getObject(4, OffsetDateTime.class),
                            row.getObject(5, OffsetDateTime.class),
                            row.getString(6)));
          }
        });
  }
}
