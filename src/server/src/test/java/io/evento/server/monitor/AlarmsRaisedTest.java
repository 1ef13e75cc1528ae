package io.evento.server.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.consumer.operation.ConsumerMonitor;
import io.evento.server.gateway.WholeNode;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.PostgresServer;
import io.evento.testing.TestDatabase;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Each cause is planted in a PostgreSQL of its own and taken away again: its alarm is raised, and
 * ends. The clock of the watch is the test's.
 */
class AlarmsRaisedTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int AGES = 120;

  private static PostgresServer server;

  private final AtomicLong clock = new AtomicLong();
  private TestDatabase where;
  private WholeNode node;
  private AlarmWatch watch;

  @BeforeAll
  static void startServer() {
    server = PostgresServer.start();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @BeforeEach
  void start() {
    where = server.migrated("alarms_" + System.nanoTime());
    node = WholeNode.start(where, "node-1", Map.of(Setting.ALARMS_DATABASE_GIGABYTES, 1), Map.of());
    node.get(ConsumerMonitor.class).start();
    watch =
        new AlarmWatch(
            node.get(AlarmTable.class),
            Stream.of(node.get(ConsumerAlarms.class), node.get(DatabaseAlarms.class)),
            seconds ->
                CompletableFuture.completedStage(new NodeReports.Gathered(Map.of(), List.of())),
            node.get(Settings.class),
            node.threads,
            new Metrics(),
            clock::get);
  }

  @AfterEach
  void stop() {
    node.close();
    where.close();
  }

  private void execute(String... statements) throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      for (var one : statements) {
        statement.execute(one);
      }
    }
  }

  /** The watch looks, and looks again when whatever has to be seen for a while was. */
  private List<String> active() {
    watch.look();
    clock.addAndGet(TimeUnit.SECONDS.toNanos(AGES));
    watch.look();
    return watch.active().stream()
        .map(alarm -> (alarm.kind() + ' ' + alarm.subject()).trim())
        .toList();
  }

  private void awaitActive(String... expected) {
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(200))
        .untilAsserted(() -> assertThat(active()).containsExactlyInAnyOrder(expected));
  }

  /** Whether the alarms of a kind are rows that have begun and ended. */
  private void assertEnded(AlarmKind kind) {
    assertThat(node.get(AlarmTable.class).page(false, Long.MAX_VALUE, 100))
        .filteredOn(alarm -> alarm.kind().equals(kind.wire()))
        .isNotEmpty()
        .allSatisfy(alarm -> assertThat(alarm.until()).isAfter(alarm.since()))
        .allSatisfy(alarm -> assertThat(alarm.severity()).isEqualTo(kind.severity().wire()));
  }

  private void consumer() throws SQLException {
    execute(
        "insert into evento.consumer (name, version, kind, contexts, types, start) values"
            + " ('accounts', 1, 'projector', '{}', '{}', 'beginning')");
  }

  @Test
  void a_consumer_that_does_not_get_on_and_gets_on_again() throws SQLException {
    consumer();
    execute(
        "insert into evento.event (position, version, decision, hash, recorded_at, command_id, ord,"
            + " stream_id, context, type, tags, payload) values (1, 1, 1, 1, clock_timestamp() -"
            + " interval '1 minute', gen_random_uuid(), 0, 'Account:a', 'bank', 'Opened', '{}',"
            + " '{}')",
        "insert into evento.consumer_segment (name, version, segment, first_slot, last_slot, epoch,"
            + " progress_at) select 'accounts', 1, 0, 0, 127, id, clock_timestamp() - interval '1"
            + " minute' from evento.store_epoch limit 1");
    awaitActive("consumer-stuck accounts:1");

    execute("update evento.consumer_segment set checkpoint = 1, progress_at = clock_timestamp()");
    awaitActive();
    assertEnded(AlarmKind.CONSUMER_STUCK);
  }

  @Test
  void a_consumer_whose_dead_letters_are_full_and_has_room_again() throws SQLException {
    consumer();
    execute("update evento.consumer set status = 'full'");
    awaitActive("dead-letters-full accounts:1");

    execute("update evento.consumer set status = 'active'");
    awaitActive();
    assertEnded(AlarmKind.DEAD_LETTERS_FULL);
  }

  @Test
  void more_nodes_than_there_are_connections_for_and_fewer_again() throws SQLException {
    execute(
        "insert into evento.node (name, incarnation, url, link_address, release, state, seen_at)"
            + " select 'other-' || i, gen_random_uuid(), 'ws://x', 'x:1', 'test', 'up', now() +"
            + " interval '1 hour' from generate_series(1, 40) i");
    awaitActive("database-connections max_connections");

    execute("update evento.node set state = 'gone' where name like 'other-%'");
    awaitActive();
    assertEnded(AlarmKind.DATABASE_CONNECTIONS);
  }

  @Test
  void a_database_that_nearly_has_its_size_and_has_room_again() throws Exception {
    var folder =
        Path.of(
            Objects.requireNonNull(server.ask("show data_directory")),
            "base",
            Objects.requireNonNull(
                server.ask(
                    where, "select oid from pg_database where datname = current_database()")));
    var filler = folder.resolve("999999999");
    fill(filler);
    awaitActive("database-disk size");

    Files.delete(filler);
    awaitActive();
    assertEnded(AlarmKind.DATABASE_DISK);
  }

  /** With nothing, which takes no room. */
  private static void fill(Path file) throws IOException {
    try (var filler = new RandomAccessFile(file.toFile(), "rw")) {
      filler.setLength(1L << 30);
    }
  }

  @Test
  void a_slot_whose_reader_is_cut_off_and_is_dropped() throws SQLException {
    execute("alter system set max_slot_wal_keep_size = '1MB'", "select pg_reload_conf()");
    execute("select pg_create_physical_replication_slot('nobody', true)");
    try {
      for (var i = 0; i < 4; i++) {
        execute("select pg_logical_emit_message(false, 'x', 'y')", "select pg_switch_wal()");
      }
      execute("checkpoint");
      awaitActive("database-disk slot nobody", "database-standby slot nobody");
    } finally {
      execute("select pg_drop_replication_slot('nobody')", "alter system reset all");
    }

    awaitActive();
    assertEnded(AlarmKind.DATABASE_DISK);
  }

  @Test
  void commits_that_wait_for_a_standby_that_is_not_there_and_wait_for_nobody_again()
      throws SQLException {
    // Nodes wait for nobody: what they write here is not what is tried.
    execute(
        "alter role evento_server set synchronous_commit = local",
        "alter system set synchronous_standby_names = 'somebody'",
        "select pg_reload_conf()");
    try {
      node.database.renew();
      awaitActive("database-synchronous synchronous_standby_names");
    } finally {
      execute(
          "alter system reset all",
          "select pg_reload_conf()",
          "alter role evento_server reset synchronous_commit");
    }
    awaitActive();
    assertEnded(AlarmKind.DATABASE_SYNCHRONOUS);
  }

  @Test
  void a_table_that_is_dead_for_the_most_part_and_vacuumed_again() throws SQLException {
    execute(
        "create table evento.filler(x int) with (autovacuum_enabled = false)",
        "insert into evento.filler select generate_series(1, 150000)",
        "delete from evento.filler");
    awaitActive("database-bloat filler");

    execute("vacuum evento.filler");
    awaitActive();
    assertEnded(AlarmKind.DATABASE_BLOAT);
  }

  @Test
  void vacuum_that_is_off_and_on_again() throws SQLException {
    execute("alter system set autovacuum = off", "select pg_reload_conf()");
    try {
      awaitActive("database-bloat autovacuum");
    } finally {
      execute("alter system reset all", "select pg_reload_conf()");
    }
    awaitActive();
    assertEnded(AlarmKind.DATABASE_BLOAT);
  }

  @Test
  void transaction_numbers_that_run_out_and_are_frozen_again() throws SQLException {
    // As if nothing had been frozen for 1.1 billion transactions; a vacuum puts it right.
    execute(
        "update pg_database set datfrozenxid = ((txid_current() - 1100000000 + 8589934592) %"
            + " 4294967296)::text::xid where datname = current_database()");
    awaitActive("database-wraparound");

    execute("vacuum (freeze)");
    awaitActive();
    assertEnded(AlarmKind.DATABASE_WRAPAROUND);
  }
}
