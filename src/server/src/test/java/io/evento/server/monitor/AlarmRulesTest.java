package io.evento.server.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.cluster.Membership;
import io.evento.server.gateway.WholeNode;
import io.evento.server.setting.Setting;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.Metrics;
import io.evento.server.telemetry.TelemetryWriter;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each cause is planted in a real database, and taken away again. */
class AlarmRulesTest {
  private static final NodeReports.Gathered NO_REPORTS =
      new NodeReports.Gathered(Map.of(), List.of());

  private final TestDatabase where = PostgresFixture.shared().migrated();
  private final WholeNode node =
      WholeNode.start(where, "node-1", Map.of(Setting.ALARMS_DATABASE_GIGABYTES, 1), Map.of());

  @AfterEach
  void stop() {
    node.close();
  }

  private void execute(String... statements) throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      for (var one : statements) {
        statement.execute(one);
      }
    }
  }

  private static List<String> found(AlarmRule rule, NodeReports.Gathered reports) {
    return rule.find(reports).stream()
        .map(finding -> finding.kind().wire() + ' ' + finding.subject())
        .sorted()
        .toList();
  }

  private List<String> nodes() {
    return found(node.get(NodeAlarms.class), NO_REPORTS);
  }

  private void foreignNode(String name, String release, String state, String age)
      throws SQLException {
    execute(
        "insert into evento.node(name, incarnation, url, link_address, release, state, started_at,"
            + " seen_at) values ('%s', gen_random_uuid(), 'ws://x', 'x:1', '%s', '%s', now(), now()"
                .formatted(name, release, state)
            + " - interval '"
            + age
            + "') on conflict (name) do update set state = excluded.state, seen_at ="
            + " excluded.seen_at");
  }

  private void awaitNodes(String... expected) {
    await()
        .atMost(Duration.ofSeconds(15))
        .untilAsserted(() -> assertThat(nodes()).containsExactly(expected));
  }

  @Test
  void a_node_that_went_without_a_word_is_missed_until_it_says_goodbye() throws SQLException {
    foreignNode("node-2", "test", "up", "1 minute");
    awaitNodes("node-gone node-2");
    foreignNode("node-2", "test", "gone", "1 minute");
    awaitNodes();
  }

  @Test
  void a_node_that_is_gone_for_a_day_is_missed_no_more() throws SQLException {
    foreignNode("node-2", "test", "up", "25 hours");
    await()
        .atMost(Duration.ofSeconds(15))
        .until(() -> node.get(Membership.class).members().find("node-2").isPresent());
    assertThat(nodes()).isEmpty();
  }

  @Test
  void releases_beside_each_other_are_seen() throws SQLException {
    foreignNode("node-2", "other", "up", "-1 hour");
    awaitNodes("version-skew ");
    foreignNode("node-2", "other", "gone", "1 minute");
    awaitNodes();
  }

  @Test
  void a_timer_that_makes_no_passes_and_an_unfit_database_are_seen() {
    var rule = node.get(NodeAlarms.class);
    assertThat(found(rule, reports(14_000, null))).isEmpty();
    assertThat(found(rule, reports(16_000, null))).containsExactly("timer-old node-1");
    assertThat(found(rule, reports(1_000, "a pooler stands before it")))
        .containsExactly("database-unfit node-1");
  }

  @Test
  void a_clock_that_is_off_by_more_than_five_seconds_is_seen_on_either_side() {
    var rule = node.get(NodeAlarms.class);
    assertThat(found(rule, reports(0, null, 5_000L))).isEmpty();
    assertThat(found(rule, reports(0, null, 5_001L))).containsExactly("node-clock node-1");
    assertThat(found(rule, reports(0, null, -5_001L))).containsExactly("node-clock node-1");
  }

  private static NodeReports.Gathered reports(long timerMillis, @Nullable String unfit) {
    return reports(timerMillis, unfit, null);
  }

  private static NodeReports.Gathered reports(
      long timerMillis, @Nullable String unfit, @Nullable Long clockAhead) {
    return new NodeReports.Gathered(
        Map.of(
            "node-1", new NodeReport(0, 0, null, timerMillis, 100, unfit, clockAhead, List.of())),
        List.of());
  }

  @Test
  void a_node_tells_of_its_timer_its_pool_and_its_beat() {
    var report = node.get(NodeReports.class).own(60);
    assertThat(report.pool()).isNotNull();
    assertThat(report.beatMillis()).isLessThan(2_500);
    assertThat(report.timerMillis()).isNotNegative();
  }

  @Test
  void a_command_that_waits_for_a_handler_is_seen_once_it_was_tried() throws SQLException {
    var rule = node.get(HandlerAlarms.class);
    execute(
        "insert into evento.consumer_command(id, name, version, key, slot, born, type, payload,"
            + " correlation, hear, next_at) values (gen_random_uuid(), 'transfers', 1, 'k', 0, 0,"
            + " 'Reserve', '{}', 'c', true, now() + interval '1 hour')");
    assertThat(found(rule, NO_REPORTS)).isEmpty();
    execute("update evento.consumer_command set attempts = 1, error = 'no-handler: nobody'");
    assertThat(found(rule, NO_REPORTS)).containsExactly("handler-missing Reserve");
    execute("delete from evento.consumer_command");
    assertThat(found(rule, NO_REPORTS)).isEmpty();
  }

  @Test
  void a_command_that_callers_send_to_nobody_is_seen_for_a_minute() throws SQLException {
    var rule = node.get(HandlerAlarms.class);
    var telemetry = node.get(Metrics.class).telemetry();
    telemetry.handlersBy(Kind.COMMAND, type -> "Account");
    telemetry.failed(Kind.COMMAND, "Deposit", "no-handler", 1_000);
    telemetry.failed(Kind.COMMAND, "Withdraw", "rejected", 1_000);
    node.get(TelemetryWriter.class).start();
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () -> assertThat(found(rule, NO_REPORTS)).containsExactly("handler-missing Deposit"));
    // What failed in a minute's last second is written when the next one has begun.
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () -> {
              execute(
                  "update evento.telemetry_minute set minute = date_trunc('minute', now())"
                      + " - interval '1 minute'");
              assertThat(found(rule, NO_REPORTS)).containsExactly("handler-missing Deposit");
            });
    execute("update evento.telemetry_minute set minute = minute - interval '2 minutes'");
    assertThat(found(rule, NO_REPORTS)).isEmpty();
  }

  private List<String> database() {
    return found(node.get(DatabaseAlarms.class), NO_REPORTS).stream()
        // What the shared server of the tests is set to for the sake of speed.
        .filter(finding -> !finding.endsWith(" fsync") && !finding.endsWith(" full_page_writes"))
        .filter(finding -> !finding.startsWith("database-connections"))
        .toList();
  }

  @Test
  void a_setting_that_breaks_a_promise_is_seen() throws SQLException {
    assertThat(database()).isEmpty();
    try (var connection = where.asServer()) {
      var name = connection.getCatalog();
      execute("alter role evento_server in database \"" + name + "\" set synchronous_commit = off");
      node.database.renew();
      await()
          .atMost(Duration.ofSeconds(10))
          .untilAsserted(
              () -> assertThat(database()).containsExactly("database-setting synchronous_commit"));
      execute("alter role evento_server in database \"" + name + "\" reset synchronous_commit");
      node.database.renew();
      await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> assertThat(database()).isEmpty());
    }
  }
}
