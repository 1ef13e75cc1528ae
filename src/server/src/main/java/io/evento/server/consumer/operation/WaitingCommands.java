package io.evento.server.consumer.operation;

import io.evento.server.NodeScoped;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.outbox.ScheduleTable;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.util.HashMap;
import java.util.Map;

/** Commands that were tried and wait: of sagas and observers, and those for later that are due. */
@NodeScoped
public class WaitingCommands {
  private final Database database;

  @Inject
  public WaitingCommands(Database database) {
    this.database = database;
  }

  /** How many of each type, counted up to some thousand. Asks the database. */
  public Map<String, Long> byType() {
    return database.read(
        "count waiting commands",
        open -> {
          var all = new HashMap<>(OutboxTable.triedByType(open));
          ScheduleTable.triedByType(open).forEach((type, n) -> all.merge(type, n, Long::sum));
          return all;
        });
  }
}
