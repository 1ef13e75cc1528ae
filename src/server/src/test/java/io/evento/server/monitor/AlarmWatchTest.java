package io.evento.server.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.Threads;
import io.evento.server.cluster.StandardSettings;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AlarmWatchTest {
  private static final Finding GONE =
      new Finding(AlarmKind.NODE_GONE, "node-9", "Node node-9 went", Map.of("node", "node-9"));

  private final TestDatabase where = PostgresFixture.shared().migrated();
  private final Threads threads = new Threads(Thread::new);
  private final Database database = new Database(NodeConfig.of(where, "node-1"));
  private final AtomicLong clock = new AtomicLong();
  private final List<Finding> wrong = new ArrayList<>();
  private boolean isBlind;
  private final Metrics metrics = new Metrics();
  private final AlarmTable table = table("node-1");
  private final AlarmWatch watch = watch(table, metrics);

  private AlarmTable table(String node) {
    return new AlarmTable(database, NodeConfig.of(where, node));
  }

  private AlarmWatch watch(AlarmTable of, Metrics counted) {
    return new AlarmWatch(
        of,
        Stream.of(new Planted()),
        seconds -> CompletableFuture.completedStage(new NodeReports.Gathered(Map.of(), List.of())),
        StandardSettings.of(database, new EntityManagers(database), threads),
        threads,
        counted,
        clock::get);
  }

  private final class Planted implements AlarmRule {
    @Override
    public Set<AlarmKind> kinds() {
      return Set.of(AlarmKind.NODE_GONE);
    }

    @Override
    public List<Finding> find(NodeReports.Gathered reports) {
      if (isBlind) {
        throw new IllegalStateException("cannot be told now");
      }
      return List.copyOf(wrong);
    }
  }

  private void look(int secondsLater) {
    clock.addAndGet(TimeUnit.SECONDS.toNanos(secondsLater));
    watch.look();
  }

  private List<Alarm> all() {
    return table.page(false, Long.MAX_VALUE, 100);
  }

  @AfterEach
  void stop() {
    threads.stop();
    database.close();
  }

  @Test
  void a_cause_raises_an_alarm_and_its_end_ends_it() {
    wrong.add(GONE);
    look(0);
    look(5);
    assertThat(watch.active()).hasSize(1);
    assertThat(watch.active().get(0).kind()).isEqualTo("node-gone");
    assertThat(watch.active().get(0).severity()).isEqualTo("critical");
    assertThat(watch.active().get(0).details().text()).contains("node-9");
    assertThat(metrics.scrape())
        .contains("evento_alarm{kind=\"node-gone\",severity=\"critical\"} 1.0");
    wrong.clear();
    look(5);
    look(5);
    assertThat(watch.active()).isEmpty();
    assertThat(all()).hasSize(1);
    assertThat(all().get(0).until()).isAfter(all().get(0).since());
    assertThat(metrics.scrape())
        .contains("evento_alarm{kind=\"node-gone\",severity=\"critical\"} 0.0");
  }

  @Test
  void a_cause_that_comes_back_is_another_alarm() {
    for (var i = 0; i < 2; i++) {
      wrong.add(GONE);
      look(5);
      wrong.clear();
      look(5);
      look(5);
    }
    assertThat(all()).hasSize(2);
    assertThat(table.page(false, all().get(0).id(), 100)).hasSize(1);
  }

  @Test
  void while_a_rule_fails_its_alarms_stay() {
    wrong.add(GONE);
    look(0);
    isBlind = true;
    look(60);
    look(60);
    assertThat(watch.active()).hasSize(1);
  }

  @Test
  void one_process_has_the_watch_until_it_says_nothing_for_long() throws SQLException {
    var others = new Metrics();
    var other = watch(table("node-2"), others);
    look(0);
    wrong.add(GONE);
    other.look();
    assertThat(all()).isEmpty();
    look(5);
    other.look();
    assertThat(other.active()).as("who has not the watch reads what is active").hasSize(1);
    wrong.clear();
    other.look();
    clock.addAndGet(TimeUnit.MINUTES.toNanos(1));
    other.look();
    assertThat(other.active()).hasSize(1);
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute("update evento.alarm_watch set until = now() - interval '1 second'");
    }
    other.look();
    clock.addAndGet(TimeUnit.MINUTES.toNanos(1));
    other.look();
    assertThat(other.active()).isEmpty();
  }

  @Test
  void who_lost_the_watch_meanwhile_writes_nothing() throws SQLException {
    assertThat(table.claim(java.time.Duration.ofSeconds(15))).isTrue();
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute("update evento.alarm_watch set process = gen_random_uuid()");
    }
    var raise =
        new AlarmLedger.Decision(Map.of(GONE, java.time.Duration.ZERO), Map.of(), List.of());
    assertThat(table.write(raise)).isFalse();
    assertThat(all()).isEmpty();
  }

  @Test
  void what_is_over_for_long_is_forgotten() throws SQLException {
    wrong.add(GONE);
    look(0);
    wrong.clear();
    look(5);
    look(5);
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute("update evento.alarm set until = now() - interval '31 days'");
    }
    look(3_601);
    assertThat(all()).isEmpty();
  }
}
