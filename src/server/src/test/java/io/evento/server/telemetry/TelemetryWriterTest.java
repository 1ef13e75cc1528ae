package io.evento.server.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.Threads;
import io.evento.server.cluster.StandardSettings;
import io.evento.server.config.ServerConfig;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TelemetryWriterTest {
  private static final long MINUTE = 1_800_000_000L;
  private static final SeriesKey DEPOSIT = new SeriesKey(Kind.COMMAND, "Account", "Deposit");

  private final TestDatabase where = PostgresFixture.shared().migrated();
  private final Threads threads = new Threads(Thread::new);
  private final Database database = new Database(NodeConfig.of(where, "node-1"));
  private final Metrics metrics = new Metrics();
  private final TelemetryTable table = table("node-1");
  private final TelemetryWriter writer = writer(metrics, table);

  private TelemetryTable table(String node) {
    return new TelemetryTable(database, config(node));
  }

  private ServerConfig config(String node) {
    return NodeConfig.of(where, node);
  }

  private TelemetryWriter writer(Metrics counted, TelemetryTable into) {
    return new TelemetryWriter(
        counted,
        into,
        new FlowTable(database, config("node-1")),
        StandardSettings.of(database, new EntityManagers(database), threads),
        threads);
  }

  @AfterEach
  void stop() {
    threads.stop();
    database.close();
  }

  private static void deposit(Metrics at, int times) {
    at.telemetry().handlersBy(Kind.COMMAND, type -> "Account");
    for (var i = 0; i < times; i++) {
      at.telemetry().done(Kind.COMMAND, "Deposit", TimeUnit.MILLISECONDS.toNanos(4));
    }
  }

  private static void tick(TelemetryWriter writer, long from, int seconds) {
    for (var i = 0; i < seconds; i++) {
      writer.tick(from + i);
    }
  }

  private List<TelemetryTable.Point> points() {
    return table.points(
        List.of(Kind.values()),
        Instant.ofEpochSecond(MINUTE - 3_600),
        Instant.ofEpochSecond(MINUTE + 3_600),
        60);
  }

  private long rows() throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement();
        var row = statement.executeQuery("select count(*) from evento.telemetry_minute")) {
      row.next();
      return row.getLong(1);
    }
  }

  private long count() {
    return points().stream().mapToLong(TelemetryTable.Point::count).sum();
  }

  @Test
  void the_running_minute_is_written_while_it_runs_and_never_counted_twice() {
    deposit(metrics, 3);
    tick(writer, MINUTE + 1, 6);
    await().untilAsserted(() -> assertThat(count()).isEqualTo(3));
    deposit(metrics, 2);
    tick(writer, MINUTE + 7, 6);
    await().untilAsserted(() -> assertThat(count()).isEqualTo(5));
    assertThat(points()).hasSize(1);
    assertThat(points().get(0).at()).isEqualTo(MINUTE);
    assertThat(Times.none().add(points().get(0).total()).count()).isEqualTo(5);
  }

  @Test
  void each_minute_has_what_ran_in_it() {
    deposit(metrics, 3);
    tick(writer, MINUTE + 1, 60);
    deposit(metrics, 2);
    tick(writer, MINUTE + 61, 6);
    await()
        .untilAsserted(
            () ->
                assertThat(points())
                    .extracting(TelemetryTable.Point::at, TelemetryTable.Point::count)
                    .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(MINUTE, 3L),
                        org.assertj.core.groups.Tuple.tuple(MINUTE + 60, 2L)));
  }

  @Test
  void a_node_that_was_started_again_and_others_add_up() {
    var again = new Metrics();
    var other = new Metrics();
    deposit(metrics, 3);
    deposit(again, 4);
    deposit(other, 5);
    tick(writer, MINUTE + 1, 6);
    tick(writer(again, table("node-1")), MINUTE + 1, 6);
    tick(writer(other, table("node-2")), MINUTE + 1, 6);
    await().untilAsserted(() -> assertThat(count()).isEqualTo(12));
    var from = Instant.ofEpochSecond(MINUTE);
    var found =
        table.handlers(
            List.of(Kind.COMMAND), TelemetryTable.Only.ALL, from, from.plusSeconds(60), null, 10);
    var sums = Objects.requireNonNull(found.get(DEPOSIT));
    assertThat(sums.count()).isEqualTo(12);
    assertThat(sums.times(Phase.TOTAL).count()).isEqualTo(12);
    assertThat(sums.times(Phase.TOTAL).percentile(50)).isBetween(3.85, 4.15);
  }

  @Test
  void handlers_come_in_pages() {
    metrics.telemetry().handlersBy(Kind.COMMAND, type -> "Account");
    for (var i = 0; i < 5; i++) {
      metrics.telemetry().failed(Kind.COMMAND, "Type" + i, "rejected", 1);
    }
    tick(writer, MINUTE + 1, 6);
    await().untilAsserted(() -> assertThat(count()).isEqualTo(5));
    var from = Instant.ofEpochSecond(MINUTE);
    var first =
        table.handlers(
            List.of(Kind.COMMAND), TelemetryTable.Only.ALL, from, from.plusSeconds(60), null, 3);
    assertThat(first.keySet())
        .extracting(SeriesKey::type)
        .containsExactly("Type0", "Type1", "Type2");
    var last = new SeriesKey(Kind.COMMAND, "Account", "Type2");
    var second =
        table.handlers(
            List.of(Kind.COMMAND), TelemetryTable.Only.ALL, from, from.plusSeconds(60), last, 3);
    assertThat(second.keySet()).extracting(SeriesKey::type).containsExactly("Type3", "Type4");
    assertThat(second.values())
        .allSatisfy(s -> assertThat(s.errors()).containsEntry("rejected", 1L));
  }

  @Test
  void what_is_older_than_it_is_kept_is_forgotten() throws SQLException {
    deposit(metrics, 1);
    var now = System.currentTimeMillis() / 1_000;
    tick(writer, now, 6);
    await().untilAsserted(() -> assertThat(rows()).isEqualTo(2));
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(
          "update evento.telemetry_minute set minute = minute - interval '169 hours' where type ="
              + " ''");
    }
    assertThat(table.forgetOlder(168, 100)).isEqualTo(1);
    assertThat(rows()).isEqualTo(1);
  }

  @Test
  void prometheus_is_told_by_handler_and_type_and_in_buckets_that_add_up() {
    deposit(metrics, 3);
    metrics.telemetry().failed(Kind.COMMAND, "Deposit", "rejected", TimeUnit.HOURS.toNanos(1));
    tick(writer, MINUTE + 1, 6);
    deposit(metrics, 2);
    tick(writer, MINUTE + 7, 6);
    assertThat(metrics.scrape())
        .contains("evento_handled_total{kind=\"command\",handler=\"Account\",type=\"Deposit\"} 6\n")
        .contains(
            "evento_handled_errors_total{kind=\"command\",handler=\"Account\",type=\"Deposit\","
                + "code=\"rejected\"} 1\n")
        .contains("evento_handled_seconds_bucket{kind=\"command\",le=\"0.002\"} 0\n")
        .contains("evento_handled_seconds_bucket{kind=\"command\",le=\"0.008\"} 5\n")
        .contains("evento_handled_seconds_bucket{kind=\"command\",le=\"+Inf\"} 6\n")
        .contains("evento_handled_seconds_count{kind=\"command\"} 6\n");
  }

  @Test
  void rows_wait_up_to_a_number_and_what_is_dropped_is_said() {
    var unwritten = new UnwrittenRows(2);
    var first = new MinuteRow(60, DEPOSIT, 1, java.util.Map.of(), new byte[4][]);
    var newer = new MinuteRow(60, DEPOSIT, 2, java.util.Map.of(), new byte[4][]);
    var later = new MinuteRow(120, DEPOSIT, 1, java.util.Map.of(), new byte[4][]);
    var last = new MinuteRow(180, DEPOSIT, 1, java.util.Map.of(), new byte[4][]);
    assertThat(unwritten.add(List.of(first))).isZero();
    assertThat(unwritten.add(List.of(newer, later))).isZero();
    unwritten.written(List.of(first));
    assertThat(unwritten.first(10)).containsExactly(newer, later);
    assertThat(unwritten.add(List.of(last))).isEqualTo(1);
    assertThat(unwritten.first(10)).containsExactly(later, last);
  }
}
