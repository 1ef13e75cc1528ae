package io.evento.server.consumer.operation;

import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.outbox.ScheduleTable;
import io.evento.server.consumer.step.StepTable;
import io.evento.server.persistence.Database;
import io.evento.server.telemetry.LabelledValue;
import io.evento.server.telemetry.Metrics;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** What waits in the tables of consumers, as of the last look. */
final class Backlogs {
  /**
   * @param outbox commands of sagas and observers without an outcome
   * @param schedules commands for later
   * @param sagas that have not ended, by saga
   */
  private record Seen(
      OutboxTable.Waiting outbox, ScheduleTable.Waiting schedules, List<LabelledValue> sagas) {}

  private final Database database;
  private volatile Seen seen =
      new Seen(new OutboxTable.Waiting(0, 0), new ScheduleTable.Waiting(0, 0, 0), List.of());

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
    metrics.gauges(
        "evento_sagas_living", "sagas that have not ended, up to 100,000", () -> seen.sagas());
  }

  private void gauge(Metrics metrics, String name, String help, ToDoubleFunction<Seen> value) {
    metrics.gauge(name, help, () -> value.applyAsDouble(seen));
  }

  /** Asks the database. */
  void look() {
    seen = database.read("look what waits in tables of consumers", Backlogs::look);
  }

  private static Seen look(Connection open) throws SQLException {
    return new Seen(
        OutboxTable.waiting(open),
        ScheduleTable.waiting(open),
        StepTable.living(open).entrySet().stream()
            .map(each -> LabelledValue.of("saga", each.getKey().wire(), each.getValue()))
            .toList());
  }
}
