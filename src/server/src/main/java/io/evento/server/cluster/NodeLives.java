package io.evento.server.cluster;

import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
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
   * Those of the last hours, also if they began before: first who is there, then the last that
   * began first. Of a week at most. Blocks on the database.
   */
  public List<Life> ofHours(int hours, int limit) {
    return database.read(
        "read lives of nodes", connection -> NodeTable.lives(connection, hours, limit));
  }
}
