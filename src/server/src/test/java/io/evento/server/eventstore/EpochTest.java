package io.evento.server.eventstore;

import static java.time.Duration.ofSeconds;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.eventstore.append.StoreAcceptance;
import io.evento.server.eventstore.follow.EventBatch;
import io.evento.server.eventstore.follow.Follower.NewEpoch;
import io.evento.server.eventstore.follow.Subscription;
import io.evento.testing.PostgresServer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A store that lost events opens a new epoch, and everybody who saw them rewinds and hears so. */
@Tag("I10")
class EpochTest {

  @Test
  void a_plain_copy_put_back_and_accepted_makes_everybody_rewind() {
    try (var server = PostgresServer.start();
        var node = StoreNode.start(server.migrated("evento"), "a")) {
      await().atMost(ofSeconds(10)).until(node.appender::isReady);
      var told = new CopyOnWriteArrayList<NewEpoch>();
      node.follower.onNewEpoch(told::add);
      append(node, 100);
      server.stop();
      var copy = server.snapshot();
      server.begin();
      var lost = append(node, 50);
      var before = head(node);
      assertThat(before.position()).isEqualTo(150);
      await().until(() -> node.follower.head().orElseThrow().position() == 150);
      var subscription = node.follower.subscribe(before, () -> {}).orElseThrow();

      server.stop();
      server.putBack(copy);
      server.begin();

      await().atMost(ofSeconds(20)).until(() -> node.appender.known().refusal() != null);
      assertThat(told).as("nobody rewinds to a store that nobody vouched for").isEmpty();
      var stores = new StoreAcceptance(node.database, node.appender, node.follower);
      var found = stores.look().hosts().get(0);
      assertThat(found.lost()).isEqualTo(new StoreAcceptance.Lost(101, 150));
      stores.accept(new StoreAcceptance.Asked(requireNonNull(found.store()), "op", null, false));

      await().atMost(ofSeconds(20)).until(() -> !told.isEmpty());
      var now = head(node);
      assertThat(now.position()).isEqualTo(100);
      assertThat(now.epoch()).isNotEqualTo(before.epoch());
      assertThat(told).containsExactly(new NewEpoch(before, now));
      assertThat(node.order.epochs().lives())
          .containsExactly(new Epochs.Epoch(before.epoch(), 0), new Epochs.Epoch(now.epoch(), 100));
      assertThat(take(subscription)).isEqualTo(new EventBatch.Rewound(before, now));

      var again = append(node, 10);
      assertThat(again).doesNotContainAnyElementsOf(lost);
      await().until(() -> node.follower.head().orElseThrow().position() == 110);
      assertThat(((EventBatch.Events) take(subscription)).events())
          .extracting(event -> event.commandId())
          .containsExactlyElementsOf(again);
      assertThat(node.order.epochs().lives()).hasSize(2);
    }
  }

  @Test
  void a_promotion_opens_one_epoch_at_the_head_also_if_nobody_remembers() {
    try (var server = PostgresServer.start()) {
      var database = server.migrated("evento");
      StorePosition before;
      try (var node = StoreNode.start(database, "a")) {
        append(node, 20);
        before = node.order.head();
      }
      server.stop();
      server.beginPromoted();
      try (var b = StoreNode.start(database, "b");
          var c = StoreNode.start(database, "c")) {
        append(b, 5);
        append(c, 5);
        append(b, 5);
        assertThat(b.order.epochs().lives())
            .hasSize(2)
            .last()
            .extracting(Epochs.Epoch::startsAfter)
            .isEqualTo(20L);
        var subscription = c.follower.subscribe(before, () -> {}).orElseThrow();
        assertThat(take(subscription))
            .as("nothing to give back, but told")
            .isEqualTo(new EventBatch.Rewound(before, b.order.head().at(20)));
      }
    }
  }

  @Test
  void a_checkpoint_above_the_head_shows_that_the_store_lost_something() {
    try (var server = PostgresServer.start()) {
      var database = server.migrated("evento");
      StorePosition head;
      try (var node = StoreNode.start(database, "a")) {
        append(node, 20);
        head = node.order.head();
      }
      try (var fresh = StoreNode.start(database, "b")) {
        await().atMost(ofSeconds(10)).until(() -> fresh.follower.head().isPresent());
        var ahead = fresh.follower.subscribe(head.at(head.position() + 5), () -> {}).orElseThrow();
        await()
            .atMost(ofSeconds(10))
            .untilAsserted(
                () ->
                    assertThat(take(ahead))
                        .isEqualTo(
                            new EventBatch.Rewound(
                                head.at(head.position() + 5), fresh.order.head())));
        assertThat(fresh.order.head().position()).isEqualTo(20);
        assertThat(fresh.order.epochs().lives()).hasSize(2);
      }
    }
  }

  /** Appends events of a stream each and returns their commands in order. */
  private static List<UUID> append(StoreNode node, int count) {
    var requests =
        Stream.generate(
                () ->
                    AppendRequests.on("Account:" + UUID.randomUUID(), Tip.EMPTY)
                        .event("A")
                        .events())
            .limit(count)
            .toList();
    for (var appendRequest : requests) {
      await()
          .atMost(ofSeconds(20))
          .pollDelay(Duration.ZERO)
          .ignoreExceptions()
          .until(() -> node.append(appendRequest) instanceof AppendResult.Appended);
    }
    return requests.stream().map(AppendRequest::commandId).toList();
  }

  /** The pool may still be making its connections anew. */
  private static StorePosition head(StoreNode node) {
    return await()
        .atMost(ofSeconds(20))
        .ignoreExceptions()
        .until(() -> node.order.head(), Objects::nonNull);
  }

  private static EventBatch take(Subscription subscription) {
    var eventBatch = subscription.take(1_000, 1 << 20);
    return eventBatch instanceof EventBatch.Behind
        ? subscription.catchUp(1_000, 1_000, 1 << 20, EventChoice.ALL)
        : eventBatch;
  }
}
