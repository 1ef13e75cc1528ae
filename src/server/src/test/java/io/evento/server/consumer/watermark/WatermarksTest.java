package io.evento.server.consumer.watermark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DecideMessage.Aggregate;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.QueryMessage.After;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.HandlingBundle;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.Store.Draft;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.consumer.watermark.Watermarks.Answer;
import io.evento.server.consumer.watermark.Watermarks.Question;
import io.evento.server.routing.Deadline;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whoever waits for a position finds handled what he waited for, wherever the segments are. */
class WatermarksTest {
  private static final String CONSUMER = "accounts:1";
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final Map<String, Watermarks> watermarks = new HashMap<>();

  private ConsumerNode node(String name, BiConsumer<?, RecordedEvent> handler) {
    var node = cluster.node(name);
    watermarks.put(
        name,
        new Watermarks(
            node.deliveries,
            node.follower,
            new DeadLetterTable(node.database, node.incarnation),
            node.threads,
            () -> others(name),
            (other, question) ->
                watermarks.containsKey(other)
                    ? of(other).here(question)
                    : CompletableFuture.failedStage(new IllegalStateException("gone"))));
    var bundle =
        new HandlingBundle(
            node, UUID.randomUUID(), (message, event) -> handler.accept(null, event));
    bundle.connect(node.sessions, RecordingBundle.projector("accounts"));
    cluster.opened(bundle);
    cluster.nodes().freed();
    return node;
  }

  private Watermarks of(String node) {
    return Objects.requireNonNull(watermarks.get(node));
  }

  private Set<String> others(String name) {
    var others = new HashSet<>(watermarks.keySet());
    others.remove(name);
    return others;
  }

  private void seen(String node, After after, int millis) {
    of(node)
        .seen(CONSUMER, after, Deadline.in(millis))
        .toCompletableFuture()
        .orTimeout(30, TimeUnit.SECONDS)
        .join();
  }

  private List<RecordedEvent> append(int count, int accounts) throws Exception {
    return cluster.append(
        IntStream.range(0, count).mapToObj(i -> Draft.of("a-" + i % accounts)).toList());
  }

  @Test
  void a_thousand_of_a_thousand_waits_find_handled_what_they_waited_for() throws Exception {
    var handled = ConcurrentHashMap.<Long>newKeySet();
    var random = new Random();
    BiConsumer<Object, RecordedEvent> handler =
        (message, event) -> {
          if (random.nextInt(20) == 0) {
            Thread.onSpinWait();
          }
          handled.add(event.position());
        };
    node("a", handler);
    node("b", handler);
    for (var i = 0; i < 1_000; i++) {
      var last = append(1 + i % 5, 7);
      var event = last.get(last.size() - 1);
      if (i % 2 == 0) {
        var stream = new Aggregate("Account", event.aggregate().id());
        seen(i % 4 == 0 ? "a" : "b", new After(event.position(), stream), 20_000);
        assertThat(handled).contains(event.position());
      } else {
        seen(i % 4 == 1 ? "a" : "b", new After(event.position(), null), 20_000);
        assertThat(handled).hasSize((int) cluster.head());
      }
    }
  }

  @Test
  void a_stream_is_waited_for_alone() throws Exception {
    var free = new CountDownLatch(1);
    var stuck = new CountDownLatch(1);
    BiConsumer<Object, RecordedEvent> handler =
        (message, event) -> {
          if (event.aggregate().id().equals("a-0")) {
            stuck.countDown();
            awaitUninterrupted(free);
          }
        };
    var nodes = List.of(node("a", handler), node("b", handler));
    await().atMost(Duration.ofSeconds(30)).until(() -> nodes.stream().allMatch(this::owns));
    append(1, 1);
    assertThat(stuck.await(20, TimeUnit.SECONDS)).isTrue();
    // A bundle of a test handles on one thread: the other stream is with the other bundle.
    var other =
        IntStream.range(1, 1_000)
            .mapToObj(i -> "a-" + i)
            .filter(id -> !owner(nodes, id).equals(owner(nodes, "a-0")))
            .findFirst()
            .orElseThrow();
    var event = cluster.append(List.of(Draft.of(other))).get(0);
    seen("a", new After(event.position(), new Aggregate("Account", other)), 20_000);
    assertThatThrownBy(() -> seen("a", new After(event.position(), null), 500))
        .isInstanceOf(CompletionException.class)
        .cause()
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
              assertThat(told.detail()).contains("accounts:1 has not handled position 2", "slots");
            });
    free.countDown();
    seen("a", new After(event.position(), null), 20_000);
  }

  private boolean owns(ConsumerNode node) {
    return node.deliveries.of(CONSUMER, 0, Slots.COUNT - 1).size() == 2;
  }

  private static String owner(List<ConsumerNode> nodes, String account) {
    var slot = Slots.of(new RecordedEvent.Stream("Account", account));
    return nodes.stream()
        .filter(node -> !node.deliveries.of(CONSUMER, slot, slot).isEmpty())
        .findFirst()
        .orElseThrow()
        .name;
  }

  @Test
  void segments_that_move_while_somebody_waits_are_found_where_they_went() throws Exception {
    var handled = ConcurrentHashMap.<Long>newKeySet();
    var first = node("a", (message, event) -> handled.add(event.position()));
    node("b", (message, event) -> handled.add(event.position()));
    append(50, 20);
    seen("b", new After(cluster.head(), null), 20_000);
    watermarks.remove("a");
    first.leave();
    append(50, 20);
    seen("b", new After(cluster.head(), null), 20_000);
    assertThat(handled).hasSize(100);
  }

  @Test
  void an_owner_that_knows_of_no_parked_event_of_a_stream_answers_without_the_database()
      throws Exception {
    node("a", (message, event) -> {});
    node("b", (message, event) -> {});
    append(20, 10);
    seen("a", new After(cluster.head(), null), 20_000);
    try (var admin = cluster.database().asAdmin()) {
      lockLetters(admin);
      for (var i = 0; i < 10; i++) {
        seen(i % 2 == 0 ? "a" : "b", new After(cluster.head(), stream(i)), 2_000);
      }
    }
  }

  @Test
  void an_owner_that_has_not_read_which_keys_are_parked_vouches_for_none() throws Exception {
    var first = node("a", (message, event) -> {});
    append(1, 1);
    seen("a", new After(1, stream(0)), 20_000);
    try (var admin = cluster.database().asAdmin()) {
      try (var park = admin.createStatement()) {
        park.execute(
            """
            insert into evento.dead_letter
                   (name, version, sequence_key, slot, position, command_id, type)
            values ('accounts', 1, 'Account:a-0', %d, 1, gen_random_uuid(), 'MoneyDeposited')
            """
                .formatted(Slots.of(new RecordedEvent.Stream("Account", "a-0"))));
      }
      lockLetters(admin);
      watermarks.remove("a");
      first.leave();
      var second = node("b", (message, event) -> {});
      await().atMost(Duration.ofSeconds(30)).until(() -> ownsAll(second));
      var answer =
          of("b")
              .seen(CONSUMER, new After(1, stream(0)), Deadline.in(20_000))
              .toCompletableFuture();
      await("none").during(Duration.ofMillis(500)).until(() -> !answer.isDone());
      admin.rollback();
      assertThatThrownBy(() -> answer.orTimeout(30, TimeUnit.SECONDS).join())
          .isInstanceOf(CompletionException.class)
          .cause()
          .hasMessageContaining("has parked events of Account:a-0");
    }
  }

  private static Aggregate stream(int account) {
    return new Aggregate("Account", "a-" + account);
  }

  /** Whoever looks for dead letters waits until the transaction ends. */
  private static void lockLetters(Connection admin) throws SQLException {
    admin.setAutoCommit(false);
    try (var lock = admin.createStatement()) {
      lock.execute("lock table evento.dead_letter in access exclusive mode");
    }
  }

  private static boolean ownsAll(ConsumerNode node) {
    return node.deliveries.of(CONSUMER, 0, Slots.COUNT - 1).size() == 4;
  }

  @Test
  void what_nodes_ask_each_other_is_read_as_it_was_written() {
    for (var key : List.of("Account:a 1", "Account:handled")) {
      var question = new Question(CONSUMER, 3, 3, 17, key);
      assertThat(Question.of(question.text())).isEqualTo(question);
    }
    var all = new Question(CONSUMER, 0, 127, 17, null);
    assertThat(Question.of(all.text())).isEqualTo(all);
    var slots = BitSet.valueOf(new long[] {0b1010});
    for (var answer : List.of(new Answer(slots, true), new Answer(slots, false), Answer.NONE)) {
      assertThat(Answer.of(answer.text())).isEqualTo(answer);
    }
    assertThat(Answer.of("{1, 3}")).as("of the release before").isEqualTo(new Answer(slots, false));
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }
}
