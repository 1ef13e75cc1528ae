package io.evento.server.consumer.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.ConsumerNode.Cluster;
import io.evento.server.consumer.Store;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Commands for later are sent when the database says so, until they have an outcome. */
class ScheduleTest {
  private static TestDatabase database;

  private final Cluster cluster = new Cluster();
  private final List<AutoCloseable> open = new ArrayList<>();

  @BeforeAll
  static void migrate() {
    database = PostgresFixture.shared().migrated();
  }

  @AfterAll
  static void drop() {
    database.close();
  }

  @BeforeEach
  void empty() throws SQLException {
    Store.emptied(database).close();
  }

  @AfterEach
  void stop() throws Exception {
    for (var each : open) {
      each.close();
    }
  }

  @Test
  void each_of_a_thousand_is_sent_and_none_early_though_a_node_dies() throws Exception {
    var due = new ConcurrentHashMap<UUID, Instant>();
    var early = new ConcurrentLinkedQueue<UUID>();
    var done = ConcurrentHashMap.<UUID>newKeySet();
    var doomed = node("a");
    var nodes = List.of(doomed, node("b"));
    for (var node : nodes) {
      node.router =
          command -> {
            // One machine, one clock: what the database calls due has passed here too.
            if (Instant.now().isBefore(due.getOrDefault(command.id(), Instant.MAX))) {
              early.add(command.id());
            }
            if (node == doomed && done.size() > 100) {
              return new CompletableFuture<Receipt>(); // it dies with this unanswered
            }
            done.add(command.id());
            return CompletableFuture.completedStage(receipt(command.id()));
          };
    }
    for (var i = 0; i < 1_000; i++) {
      var id = UUID.randomUUID();
      var at = Instant.now().plusMillis(1_500);
      due.put(id, at);
      nodes.get(1).schedules.add(order(id, null, at));
    }
    await("some sent").until(() -> done.size() > 200);
    doomed.close();

    await("all sent").atMost(Duration.ofSeconds(15)).until(() -> done.size() == 1_000);
    assertThat(early).isEmpty();
    await("nothing left").until(() -> nodes.get(1).schedules.list(null, null, 10).isEmpty());
  }

  @Test
  void a_repeat_changes_nothing_and_another_command_under_the_id_is_refused() {
    var table = node("a").schedules;
    var id = UUID.randomUUID();
    var first = table.add(order(id, 60_000L, null));
    assertThat(table.add(order(id, 5L, null))).isEqualTo(first);
    var other =
        new OutboxEntry(id, "Greet", new Json("{\"n\":2}"), null, null, null, null, null, null, 0);
    assertThatThrownBy(() -> table.add(new ScheduleTable.Order(other, 99, 5L, null)))
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.ID_REUSED));
  }

  @Test
  void what_is_taken_back_is_never_sent() {
    var sent = new AtomicInteger();
    var node = node("a");
    node.router =
        command -> {
          sent.incrementAndGet();
          return CompletableFuture.completedStage(receipt(command.id()));
        };
    var back = UUID.randomUUID();
    node.schedules.add(order(back, 400L, null));
    node.schedules.add(order(UUID.randomUUID(), 500L, null));
    assertThat(node.schedules.cancel(back)).isTrue();
    assertThat(node.schedules.cancel(back)).isFalse();
    node.dueSenders.scheduled();

    await("the other one is sent and done")
        .until(() -> sent.get() == 1 && node.schedules.list(null, null, 10).isEmpty());
  }

  @Test
  void what_was_tried_is_taken_back_only_if_no_outcome_of_that_can_come() {
    var table = idle().schedules;
    var incarnation = UUID.randomUUID();
    for (var known :
        Map.of(
                "no-handler",
                true,
                "handler-failed",
                true,
                "deadline-exceeded",
                false,
                "unavailable",
                false)
            .entrySet()) {
      var id = UUID.randomUUID();
      table.add(order(id, 0L, null));
      assertThat(table.claim(incarnation, Duration.ofMinutes(1), 10, List.of()))
          .extracting(OutboxEntry::id)
          .containsExactly(id);
      assertThat(table.cancel(id)).as("while it is sent").isFalse();
      table.delay(
          List.of(new OutboxStore.Delay(id, known.getKey() + ": told", Duration.ofMinutes(1))),
          incarnation);
      assertThat(table.cancel(id)).as("after %s", known.getKey()).isEqualTo(known.getValue());
    }
  }

  @Test
  void what_a_node_was_sending_when_it_died_is_not_taken_back_for_an_older_failure() {
    var table = idle().schedules;
    var dying = UUID.randomUUID();
    var id = UUID.randomUUID();
    table.add(order(id, 0L, null));
    table.claim(dying, Duration.ofMinutes(1), 10, List.of());
    table.delay(List.of(new OutboxStore.Delay(id, "no-handler: told", Duration.ZERO)), dying);
    assertThat(table.claim(dying, Duration.ofMinutes(1), 10, List.of())).hasSize(1);
    table.releaseAllBut(List.of(UUID.randomUUID()));
    assertThat(table.find(id).orElseThrow().error()).startsWith("unavailable");
    assertThat(table.cancel(id)).isFalse();
  }

  @Test
  void types_that_are_full_are_passed_over() {
    var table = idle().schedules;
    table.add(order(UUID.randomUUID(), 0L, null));
    assertThat(table.claim(UUID.randomUUID(), Duration.ofMinutes(1), 10, List.of("Greet")))
        .isEmpty();
    assertThat(table.untilNext(Duration.ofSeconds(1), List.of("Greet")))
        .isEqualTo(Duration.ofSeconds(1));
    assertThat(table.untilNext(Duration.ofSeconds(1), List.of())).isEqualTo(Duration.ZERO);
  }

  @Test
  void a_page_begins_where_the_one_before_ended() {
    var table = node("a").schedules;
    var ids = new ArrayList<UUID>();
    for (var i = 0; i < 5; i++) {
      var id = UUID.randomUUID();
      ids.add(id);
      table.add(order(id, 60_000L + i * 1_000L, null));
    }
    var first = table.list("Greet", null, 3);
    var second = table.list("Greet", first.get(2), 3);
    assertThat(first).extracting(s -> s.commandId()).containsExactlyElementsOf(ids.subList(0, 3));
    assertThat(second).extracting(s -> s.commandId()).containsExactlyElementsOf(ids.subList(3, 5));
    assertThat(table.list("Other", null, 3)).isEmpty();
  }

  @Test
  void a_missing_handler_is_waited_out_and_a_rejection_is_the_end() {
    var tries = new ConcurrentHashMap<UUID, AtomicInteger>();
    var node = node("a");
    var waits = UUID.randomUUID();
    node.router =
        command -> {
          var count = tries.computeIfAbsent(command.id(), id -> new AtomicInteger());
          if (!command.id().equals(waits)) {
            count.incrementAndGet();
            return CompletableFuture.failedStage(new EventoException(ErrorCode.REJECTED, "never"));
          }
          return count.incrementAndGet() < 3
              ? CompletableFuture.failedStage(new EventoException(ErrorCode.NO_HANDLER, "later"))
              : CompletableFuture.completedStage(receipt(command.id()));
        };
    var refused = UUID.randomUUID();
    node.schedules.add(order(waits, 0L, null));
    node.schedules.add(order(refused, 0L, null));
    node.dueSenders.scheduled();

    await("both done").until(() -> node.schedules.list(null, null, 10).isEmpty());
    assertThat(tries.get(waits)).hasValue(3);
    assertThat(tries.get(refused)).hasValue(1);
  }

  private ConsumerNode node(String name) {
    var node = new ConsumerNode(database, name, cluster).start();
    open.add(node);
    return node;
  }

  /** A node that sends nothing. */
  private ConsumerNode idle() {
    var node = new ConsumerNode(database, "idle", cluster);
    open.add(node);
    return node;
  }

  private static ScheduleTable.Order order(UUID id, @Nullable Long after, @Nullable Instant at) {
    return new ScheduleTable.Order(
        new OutboxEntry(id, "Greet", new Json("{}"), null, null, null, null, null, null, 0),
        7,
        after,
        at);
  }

  private static Receipt receipt(UUID id) {
    return new Receipt(id, null, null, false);
  }
}
