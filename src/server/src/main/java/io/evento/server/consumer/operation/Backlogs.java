package io.evento.server.consumer.operation;

import io.evento.server.RepeatedWarning;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.outbox.ScheduleTable;
import io.evento.server.persistence.Database;
import io.evento.server.telemetry.LabelledValue;
import io.evento.server.telemetry.Metrics;
import java.lang.System.Logger;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** What waits in the tables of consumers, as of the last look. */
final class Backlogs {
  private static final Logger LOG = System.getLogger(Backlogs.class.getName());

  /**
   * @param outbox commands of sagas and observers without an outcome
   * @param schedules commands for later
   */
  private record Seen(OutboxTable.Waiting outbox, ScheduleTable.Waiting schedules) {}

  private final RepeatedWarning notLooked = new RepeatedWarning(LOG);
  private final Database database;
  private volatile @Nullable Seen seen;

  Backlogs(Database database, Metrics metrics) {
    this.database = database;
    gauge(
        metrics,
        "evento_outbox_commands",
        "commands of sagas and observers without an outcome, up to 100,000",
        now -> now.outbox().count());
    gauge(
        metrics,
        "evento_outbox_oldest_seconds",
        "age of the oldest of them",
        now -> now.outbox().oldestSeconds());
    gauge(
        metrics,
        "evento_schedules",
        "commands for later, up to 100,000",
        now -> now.schedules().count());
    gauge(
        metrics,
        "evento_schedules_late",
        "commands for later whose time is over by five seconds or more",
        now -> now.schedules().late());
    gauge(
        metrics,
        "evento_schedules_late_seconds",
        "by how much the one that waits longest is late",
        now -> now.schedules().lateSeconds());
  }

  // Not told before it was seen, nor while it cannot be: an old value would look like a new one.
  private void gauge(Metrics metrics, String name, String help, ToDoubleFunction<Seen> value) {
    metrics.gauges(
        name,
        help,
        () -> {
          var now = seen;
          return now == null
              ? List.of()
              : List.of(new LabelledValue(Map.of(), value.applyAsDouble(now)));
        });
  }

  /** Asks the database. */
  void look() {
    try {
      seen = database.read("look what waits in tables of consumers", Backlogs::look);
    } catch (RuntimeException failure) {
      seen = null;
      notLooked.log(() -> "backlogs not looked at cause=" + failure.getMessage());
    }
  }

  private static Seen look(Connection open) throws SQLException {
    return new Seen(OutboxTable.waiting(open), ScheduleTable.waiting(open));
  }
}
