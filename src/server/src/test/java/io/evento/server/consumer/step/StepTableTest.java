package io.evento.server.consumer.step;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.Events;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.Store;
import io.evento.server.consumer.outbox.OutboxEntry;
import io.evento.server.consumer.outbox.OutboxStore;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.outbox.PendingSagaInput;
import io.evento.server.consumer.outbox.ScheduleTable;
import io.evento.server.consumer.segment.Association;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.LeaseConnection;
import io.evento.server.consumer.segment.SegmentTable;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.security.Reading;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A step is stored as a whole, once, and by the owner of its segment alone. */
@Tag("I6")
class StepTableTest {
  private static final ConsumerId SAGA = new ConsumerId("greeting", 1);
  private static final UUID EPOCH = UUID.randomUUID();
  private static final UUID OWNER = UUID.randomUUID();
  private static final Duration LEASE = Duration.ofSeconds(5);

  private static TestDatabase where;
  private static Database database;
  private static LeaseConnection connection;
  private static SegmentTable segments;
  private static StepTable table;
  private static OutboxTable outbox;
  private static ScheduleTable schedules;

  private Lease lease;

  @BeforeAll
  static void migrate() {
    where = PostgresFixture.shared().migrated();
    database = new Database(NodeConfig.of(where, "a"));
    connection = new LeaseConnection(database);
    segments = new SegmentTable(connection);
    table = new StepTable(database);
    outbox = new OutboxTable(database);
    schedules = new ScheduleTable(database);
  }

  @AfterAll
  static void drop() {
    connection.close();
    database.close();
    where.close();
  }

  @BeforeEach
  void claim() throws SQLException {
    Store.emptied(where).close();
    var component = SteppingBundle.saga();
    var consumes =
        new Consumption(List.of(), List.of(), "beginning", 1, Map.of("MoneyDeposited", ""));
    new ConsumerTable(connection).declare(component, consumes, new StorePosition(EPOCH, 10));
    lease = claimBy("a", OWNER);
  }

  private static Lease claimBy(String node, UUID incarnation) {
    var seen = segments.of(List.of(SAGA));
    return new Lease(segments.claim(seen, node, incarnation, LEASE).get(0), Long.MAX_VALUE);
  }

  @Test
  void state_checkpoint_commands_and_deadlines_are_stored_together() throws SQLException {
    var result =
        new StepMessage.Result(
            new Json("{\"n\":1}"),
            false,
            List.of(SteppingBundle.command("Greet", "{\"a\":1}")),
            List.of(new StepMessage.Deadline("hang", 0L, null)));
    assertThat(table.take(step(lease, OWNER, event(11, "k"), result))).isTrue();

    assertThat(checkpoint()).isEqualTo(11);
    var state = saga();
    assertThat(state.state().text()).isEqualTo("{\"n\":1}");
    assertThat(state.born()).isEqualTo(11);
    assertThat(count("evento.consumer_command where type = 'Greet' and born = 11")).isEqualTo(1);
    assertThat(schedules.due(SAGA, 0, 127, List.of(), 10))
        .extracting(PendingSagaInput.Deadline::key)
        .containsExactly("k");
  }

  @Test
  void a_late_step_of_a_fenced_off_owner_changes_nothing() throws SQLException {
    var late =
        step(
            lease,
            OWNER,
            event(11, "k"),
            SteppingBundle.to("{\"by\":\"late\"}", SteppingBundle.command("Greet", "{}")));
    segments.release(List.of(lease), OWNER);
    var other = UUID.randomUUID();
    var next = claimBy("b", other);

    assertThat(table.take(late)).isFalse();
    assertThat(checkpoint()).isEqualTo(10);
    assertThat(table.states(SAGA, List.of("k"))).isEmpty();
    assertThat(count("evento.consumer_command")).isZero();

    var own = SteppingBundle.to("{\"by\":\"owner\"}");
    assertThat(table.take(step(next, other, event(11, "k"), own))).isTrue();
    assertThat(table.take(late)).isFalse();
    assertThat(saga().state().text()).contains("owner");
  }

  @Test
  void a_step_of_the_same_node_under_an_older_fence_changes_nothing() throws SQLException {
    var late = step(lease, OWNER, event(11, "k"), SteppingBundle.to("{}"));
    segments.reclaim(List.of(lease), 1, OWNER, LEASE);
    assertThat(table.take(late)).isFalse();
    assertThat(checkpoint()).isEqualTo(10);
  }

  @Test
  void a_step_that_waits_for_a_claim_sees_it() throws Exception {
    var late = step(lease, OWNER, event(11, "k"), SteppingBundle.to("{}"));
    var thread = Executors.newSingleThreadExecutor();
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      admin.setAutoCommit(false);
      statement.execute("update evento.consumer_segment set fence = fence + 1");
      var taken = thread.submit(() -> table.take(late));
      org.awaitility.Awaitility.await("the step waits for the row")
          .until(() -> count("pg_locks where not granted") > 0);
      admin.commit();
      assertThat(taken.get(5, TimeUnit.SECONDS)).isFalse();
    } finally {
      thread.shutdownNow();
    }
    assertThat(table.states(SAGA, List.of("k"))).isEmpty();
  }

  @Test
  void a_step_whose_answer_was_lost_is_repeated_without_effect() throws SQLException {
    var step =
        step(
            lease,
            OWNER,
            event(11, "k"),
            SteppingBundle.to("{\"n\":1}", SteppingBundle.command("Greet", "{}")));
    assertThat(table.take(step)).isTrue();
    outbox.settle(
        outbox.claim(OWNER, LEASE, 10, List.of()).stream().map(StepTableTest::done).toList());
    execute("delete from evento.consumer_command");
    execute("update evento.saga_state set state = 'later'");

    assertThat(table.take(step)).as("it took place").isTrue();
    assertThat(saga().state().text()).isEqualTo("later");
    assertThat(count("evento.consumer_command")).isZero();
  }

  @Test
  void an_ended_saga_stays_to_be_seen_and_its_deadlines_are_gone() throws SQLException {
    var begun =
        new StepMessage.Result(
            new Json("{\"n\":1}"),
            false,
            List.of(),
            List.of(new StepMessage.Deadline("hang", 0L, null)));
    assertThat(table.take(step(lease, OWNER, event(11, "k"), begun))).isTrue();
    var ended = new StepMessage.Result(null, true, List.of(), List.of());
    assertThat(table.take(step(lease, OWNER, event(12, "k"), ended))).isTrue();

    var state = saga();
    assertThat(state.isEnded()).isTrue();
    assertThat(state.state().text()).isEqualTo("{\"n\":1}");
    assertThat(schedules.due(SAGA, 0, 127, List.of(), 10)).isEmpty();
    assertThat(table.forgetEnded(Duration.ofHours(1))).isZero();
    assertThat(table.forgetEnded(Duration.ofMillis(-1_000))).isEqualTo(1);
  }

  @Test
  void the_first_end_of_a_command_that_is_kept_stays() {
    assertThat(
            table.take(
                step(
                    lease,
                    OWNER,
                    event(11, "k"),
                    SteppingBundle.to("{}", SteppingBundle.command("Greet", "{}")))))
        .isTrue();
    var id = sentId();
    outbox.settle(List.of(refused(id, "first")));
    outbox.settle(List.of(refused(id, "second")));
    assertThat(outbox.settled(SAGA, 0, 127, List.of(), 10))
        .extracting(outcome -> outcome.settled().detail())
        .containsExactly("first");
  }

  private static SagaState saga() {
    var found = table.states(SAGA, List.of("k")).get("k");
    assertThat(found).isNotNull();
    return java.util.Objects.requireNonNull(found);
  }

  private UUID sentId() {
    try (var admin = where.asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery("select id from evento.consumer_command")) {
      row.next();
      return row.getObject(1, UUID.class);
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private static OutboxStore.End done(OutboxEntry outboxEntry) {
    return refused(outboxEntry.id(), "x");
  }

  private static OutboxStore.End refused(UUID id, String detail) {
    return new OutboxStore.End(
        id, null, io.evento.protocol.ErrorCode.INVALID_REQUEST, detail, null);
  }

  private static StepTable.Step step(
      Lease lease, UUID incarnation, RecordedEvent event, StepMessage.Result result) {
    var filter =
        new Filter(
            java.util.Set.of(),
            java.util.Set.of(),
            Map.of("MoneyDeposited", new Association("")),
            true,
            Reading.ALL);
    var upTo = new StorePosition(EPOCH, event.position());
    var batch =
        StepBatch.of(
            new StepBatch.Request(
                lease, filter, List.of(event), upTo, event.commandId(), false, false),
            PendingSagaInput.EMPTY,
            table.states(SAGA, List.of(event.aggregate().id())),
            java.util.Set.of());
    var results = new ArrayList<>(List.of(result));
    return new StepTable.Step(
        UUID.randomUUID(),
        lease,
        EPOCH,
        batch.doneWith(1, 10),
        StepWrite.of(SAGA, true, batch, results, any -> 0),
        incarnation,
        LEASE,
        null,
        null);
  }

  private static RecordedEvent event(long position, String key) {
    return Events.event(position, key);
  }

  private static long checkpoint() throws SQLException {
    return number("select checkpoint from evento.consumer_segment");
  }

  private static long count(String from) throws SQLException {
    return number("select count(*) from " + from);
  }

  private static long number(String query) throws SQLException {
    try (var admin = where.asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }

  private static void execute(String text) throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(text);
    }
  }
}
