package io.evento.server.consumer.step;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.StepMessage;
import io.evento.protocol.Tip;
import io.evento.server.consumer.Events;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.Store;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.deadletter.DeadLetterTable.Verdict;
import io.evento.server.consumer.outbox.PendingSagaInput;
import io.evento.server.consumer.segment.Association;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.LeaseConnection;
import io.evento.server.consumer.segment.SegmentTable;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.UncheckedSqlException;
import io.evento.server.security.Reading;
import io.evento.testing.LossyLink;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Wherever the connection breaks in the middle of a command, of a step of a saga, or of parking,
 * once or twice, before a request or before its answer: whoever does it again until he is told the
 * outcome has done it once.
 */
@Tag("I2")
@Tag("I6")
@Tag("I7")
class CrashPointsTest {
  private static final ConsumerId SAGA = new ConsumerId("greeting", 1);
  private static final UUID EPOCH = UUID.randomUUID();
  private static final UUID OWNER = UUID.randomUUID();
  private static final Duration LEASE = Duration.ofMinutes(5);
  private static final long PAUSE_NANOS = 20_000_000L;
  private static final int TRIES_MAX = 500;

  /** Requests and answers until a connection is open again. */
  private static final int WAY_BACK = 12;

  private TestDatabase where;
  private LossyLink link;
  private Database direct;
  private LeaseConnection leases;
  private Database broken;

  @BeforeEach
  void open() {
    where = PostgresFixture.shared().migrated();
    link = LossyLink.to(where.port(), 1);
    // Leases are not claimed by the link: what is broken is the action alone.
    direct = new Database(NodeConfig.of(where, "leases"));
    leases = new LeaseConnection(direct);
    broken = new Database(NodeConfig.of(where.through(link), "a"));
  }

  @AfterEach
  void close() {
    leases.close();
    direct.close();
    broken.close();
    link.close();
    where.close();
  }

  private interface Action {
    /** Does it, and is told the outcome. */
    void done() throws Exception;
  }

  /** Of one kind of action: a new one, and what is stored of it afterwards. */
  private interface Kind {
    Action begin() throws Exception;

    long stored() throws SQLException;
  }

  /** Each point once, then each with each of the way back and of what is done again. */
  private void breakEverywhere(String what, Kind kind) throws Exception {
    kind.begin().done(); // opens its connection
    var action = kind.begin();
    link.breakAfter();
    action.done();
    var points = link.passed();
    assertThat(points).as("requests and answers of %s", what).isBetween(2, 40);
    for (var first = 0; first < points; first++) {
      breakAt(kind, first);
      for (var second = 0; second < points + WAY_BACK; second++) {
        breakAt(kind, first, second);
      }
    }
    System.out.println(
        "[crash points] %s: %d, and each with %d more".formatted(what, points, points + WAY_BACK));
  }

  private void breakAt(Kind kind, Integer... points) throws Exception {
    var before = kind.stored();
    link.breakAfter();
    var action = kind.begin();
    link.breakAfter(points);
    action.done();
    link.breakAfter();
    assertThat(kind.stored() - before).as("stored with breaks at %s", List.of(points)).isEqualTo(1);
  }

  /** Until the database answers. */
  private static <T> T again(Supplier<T> work) {
    for (var tries = 1; ; tries++) {
      try {
        return work.get();
      } catch (UncheckedSqlException lost) {
        if (tries == TRIES_MAX) {
          throw lost;
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  @Test
  void a_command_is_stored_once() throws Exception {
    try (var node = StoreNode.start(where.through(link), "a")) {
      breakEverywhere(
          "a command",
          new Kind() {
            @Override
            public Action begin() {
              var request =
                  AppendRequests.on("Account:" + UUID.randomUUID(), Tip.EMPTY).event("A").events();
              return () -> assertThat(told(node, request)).isTrue();
            }

            @Override
            public long stored() throws SQLException {
              return number("select count(*) from evento.event");
            }
          });
    }
  }

  /** Whoever is told that nobody knows asks again under the same id. */
  private static boolean told(StoreNode node, AppendRequest request) {
    for (var tries = 0; tries < TRIES_MAX; tries++) {
      try {
        var result = node.append(request);
        return result instanceof AppendResult.Appended || result instanceof AppendResult.Duplicate;
      } catch (CompletionException unknown) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
    return false;
  }

  @Test
  void a_step_of_a_saga_takes_place_once() throws Exception {
    var lease = claimed();
    var table = new StepTable(broken);
    breakEverywhere(
        "a step",
        new Kind() {
          private long position = 10;

          @Override
          public Action begin() {
            var step = step(table, lease, ++position);
            return () -> {
              assertThat(isTaken(table, step)).isTrue();
              assertThat(isTaken(table, step)).as("again").isTrue();
              lease.committed(step.place().position(), null);
            };
          }

          @Override
          public long stored() throws SQLException {
            var commands = number("select count(*) from evento.consumer_command");
            assertThat(number("select count(*) from evento.saga_state"))
                .as("states beside commands")
                .isEqualTo(commands);
            return commands;
          }
        });
  }

  private static boolean isTaken(StepTable table, StepTable.Step step) {
    return again(() -> table.take(step));
  }

  @Test
  void what_fails_is_parked_once() throws Exception {
    var lease = claimed();
    var table = new DeadLetterTable(broken, OWNER);
    breakEverywhere(
        "parking",
        new Kind() {
          private long position = 10;

          @Override
          public Action begin() {
            var letter = DeadLetter.of(Events.event(++position, "k-" + position));
            return () -> {
              Verdict verdict =
                  again(() -> table.park(lease.step(), List.of(letter), "bug", 5, 100_000));
              assertThat(verdict).isEqualTo(Verdict.DONE);
            };
          }

          @Override
          public long stored() throws SQLException {
            return number("select count(*) from evento.dead_letter");
          }
        });
  }

  // ---- a segment and its steps

  private Lease claimed() throws SQLException {
    Store.emptied(where).close();
    var consumes =
        new Consumption(List.of(), List.of(), "beginning", 1, Map.of("MoneyDeposited", ""));
    new ConsumerTable(leases)
        .declare(SteppingBundle.saga(), consumes, new StorePosition(EPOCH, 10));
    var segments = new SegmentTable(leases);
    var seen = segments.of(List.of(SAGA));
    return new Lease(segments.claim(seen, "a", OWNER, LEASE).get(0), Long.MAX_VALUE);
  }

  private static StepTable.Step step(StepTable table, Lease lease, long position) {
    var filter =
        new Filter(
            Set.of(), Set.of(), Map.of("MoneyDeposited", new Association("")), true, Reading.ALL);
    var event = Events.event(position, "k-" + position);
    var batch =
        StepBatch.of(
            new StepBatch.Request(
                lease,
                filter,
                List.of(event),
                new StorePosition(EPOCH, position),
                event.commandId(),
                false,
                false),
            PendingSagaInput.EMPTY,
            again(() -> table.states(SAGA, List.of(event.aggregate().id()))),
            Set.of());
    var results =
        new ArrayList<StepMessage.Result>(
            List.of(SteppingBundle.to("{}", SteppingBundle.command("Greet", "{}"))));
    return new StepTable.Step(
        UUID.randomUUID(),
        lease,
        EPOCH,
        batch.doneWith(1, position - 1),
        StepWrite.of(SAGA, true, batch, results, any -> 0),
        OWNER,
        LEASE,
        null,
        null);
  }

  private long number(String query) throws SQLException {
    try (var admin = where.asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }
}
