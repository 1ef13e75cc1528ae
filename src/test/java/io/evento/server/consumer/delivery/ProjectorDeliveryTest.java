package io.evento.server.consumer.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.ConsumerNode.Cluster;
import io.evento.server.consumer.HandlingBundle;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.Store;
import io.evento.server.consumer.Store.Draft;
import io.evento.server.consumer.segment.Slots;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** From stored events to a bundle and back, on running nodes and a real database. */
class ProjectorDeliveryTest {
  private static TestDatabase database;

  private final Cluster cluster = new Cluster();
  private final List<AutoCloseable> open = new ArrayList<>();
  private Store store;

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
    store = Store.emptied(database);
  }

  @AfterEach
  void stop() throws Exception {
    for (var each : open) {
      each.close();
    }
    store.close();
  }

  @Test
  void every_event_arrives_once_and_in_order_per_stream_from_history_and_from_the_tail()
      throws SQLException {
    store.fill(5_000, 97);
    var seen = new ConcurrentHashMap<String, List<Long>>();
    handling(node("a"), (message, event) -> note(seen, event));
    for (var batch = 0; batch < 200; batch++) {
      append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    }
    awaitCheckpoints(7_000);
    assertThat(seen.values().stream().mapToInt(List::size).sum()).isEqualTo(7_000);
    assertThat(seen.values()).allSatisfy(positions -> assertThat(positions).isSorted());
  }

  @Test
  void an_event_arrives_within_milliseconds() throws Exception {
    var arrivals = new ConcurrentHashMap<Long, Long>();
    handling(node("a"), (message, event) -> arrivals.put(event.position(), System.nanoTime()));
    awaitOwned(4);
    append(List.of(Draft.of("a-1")));
    await().until(() -> arrivals.size() == 1);
    var tookNanos = new ArrayList<Long>();
    for (var i = 0; i < 200; i++) {
      var before = System.nanoTime();
      var event = append(List.of(Draft.of("a-" + i))).get(0);
      var appended = System.nanoTime();
      await()
          .pollInterval(Duration.ofMillis(1))
          .until(() -> arrivals.containsKey(event.position()));
      tookNanos.add(Math.max(0, arrivals.getOrDefault(event.position(), before) - appended));
    }
    assertThat(tookNanos.stream().sorted().toList().get(100))
        .as("median from the push to the handler, in ns")
        .isLessThan(5_000_000L);
  }

  @Test
  void filters_apply_before_the_wire_and_checkpoints_move_all_the_same() throws SQLException {
    var node = node("a");
    var consumes = new Consumption(List.of("bank"), List.of("Opened"), "beginning", 2);
    var bundle =
        handling(node, RecordingBundle.projector("accounts", consumes), (message, event) -> {});
    append(
        List.of(
            new Draft("a-1", "Opened", "bank"),
            new Draft("a-1", "Deposited", "bank"),
            new Draft("a-2", "Opened", "shop"),
            new Draft("a-3", "Opened", "bank"),
            new Draft("a-3", "Closed", "bank")));
    awaitCheckpoints(5);
    assertThat(bundle.events())
        .extracting(RecordedEvent::position)
        .containsExactlyInAnyOrder(1L, 4L);
    append(List.of(new Draft("a-9", "Deposited", "bank")));
    awaitCheckpoints(6);
  }

  @Test
  void a_checkpoint_names_the_command_that_wrote_the_event_there() throws SQLException {
    handling(node("a"), (message, event) -> {});
    var events = append(List.of(Draft.of("a-1"), Draft.of("a-2"), Draft.of("a-3")));
    awaitCheckpoints(3);
    assertThat(texts("select distinct command_id::text from evento.consumer_segment"))
        .containsExactly(events.get(2).commandId().toString());
  }

  @Test
  void two_consumers_are_given_the_same_events_each_with_its_own_place() throws SQLException {
    var node = node("a");
    var all = handling(node, RecordingBundle.projector("all"), (message, event) -> {});
    var opened =
        handling(
            node,
            RecordingBundle.projector(
                "opened", new Consumption(List.of(), List.of("Opened"), "beginning", 1)),
            (message, event) -> {});
    append(List.of(new Draft("a-1", "Opened", "bank"), new Draft("a-1", "Deposited", "bank")));
    awaitCheckpoints(2);
    assertThat(all.positions()).containsExactlyInAnyOrder(1L, 2L);
    assertThat(opened.positions()).containsExactly(1L);
  }

  /** The ring holds the last 16,384 events: what is before has to be read. */
  @Test
  void who_begins_a_moment_later_soon_shares_the_reading_of_a_long_history() throws SQLException {
    var events = 80_000;
    store.fill(events, 97);
    var node = node("a");
    var everything = new Consumption(List.of(), List.of(), "beginning", 1);
    var first = new LongAdder();
    var second = new LongAdder();
    var hasSecond = new CountDownLatch(1);
    handling(
        node,
        RecordingBundle.projector("first", everything),
        (message, event) -> {
          first.increment();
          if (first.sum() == 2_000) {
            awaitBegin(hasSecond);
          }
        });
    await().until(() -> first.sum() > 1_000);
    handling(
        node,
        RecordingBundle.projector("second", everything),
        (message, event) -> {
          second.increment();
          hasSecond.countDown();
        });
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> first.sum() == events && second.sum() == events);
    // A thousand with each, so about sixty for one alone, and nearly as many more for another.
    assertThat(node.consumerMetrics.reads.count()).isLessThan(95);
  }

  private static void awaitBegin(CountDownLatch begun) {
    try {
      assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  /** As while a new release of a bundle comes in: the two read the same history together. */
  @Test
  void sessions_of_a_consumer_that_want_different_types_are_each_given_their_own()
      throws SQLException {
    var events = 60_000;
    store.fill(events, 97);
    var node = node("a");
    var more =
        handling(
            node,
            RecordingBundle.projector("accounts", ofTypes("MoneyDeposited", "Opened")),
            (message, event) -> {
              if (event.position() % 10 == 0) {
                LockSupport.parkNanos(1_000_000);
              }
            });
    await().until(() -> more.events().size() > 1_000);
    var fewer =
        handling(
            node, RecordingBundle.projector("accounts", ofTypes("Opened")), (message, event) -> {});
    awaitCheckpoints(events);
    var moved =
        fewer.heard(ConsumerMessage.Enable.class).stream()
            .map(ConsumerMessage.Enable::segment)
            .collect(Collectors.toSet());
    assertThat(moved).as("segments of the one that wants fewer").hasSize(2);
    var wanted =
        LongStream.rangeClosed(1, events)
            .filter(position -> !moved.contains(segmentOf("a-" + position % 97)))
            .boxed()
            .toList();
    assertThat(more.positions()).containsAll(wanted);
  }

  private static Consumption ofTypes(String... types) {
    return new Consumption(List.of("bank"), List.of(types), "beginning", 4);
  }

  @Test
  void a_segment_that_waits_for_credit_holds_up_no_other() throws SQLException {
    var node = node("a");
    var bundle = recording(node);
    await().until(() -> bundle.heard(ConsumerMessage.Enable.class).size() == 4);
    var stuck = segmentOf("a-1");
    for (var enabled : bundle.heard(ConsumerMessage.Enable.class)) {
      node.consumers.credit(
          bundle.session, RecordingBundle.credit(enabled, enabled.segment() == stuck ? 1 : 4_000));
    }
    for (var i = 0; i < 40; i++) {
      append(
          IntStream.range(0, 25).mapToObj(n -> Draft.of(n % 2 == 0 ? "a-1" : "a-" + n)).toList());
    }
    var others =
        LongStream.rangeClosed(1, 1_000)
            .filter(position -> (position - 1) % 25 % 2 == 1)
            .filter(position -> segmentOf("a-" + (position - 1) % 25) != stuck)
            .boxed()
            .toList();
    await()
        .untilAsserted(
            () -> {
              acknowledge(node, bundle);
              assertThat(bundle.positions()).containsAll(others);
            });
    assertThat(bundle.events().stream().filter(e -> segmentOf(e.aggregate().id()) == stuck))
        .hasSize(1);
    node.consumers.credit(bundle.session, RecordingBundle.credit(enabled(bundle, stuck), 4_000));
    await()
        .until(
            () -> {
              acknowledge(node, bundle);
              return bundle.events().size() == 1_000;
            });
    assertThat(
            bundle.events().stream()
                .filter(e -> segmentOf(e.aggregate().id()) == stuck)
                .map(RecordedEvent::position))
        .isSorted();
  }

  private static void acknowledge(ConsumerNode node, RecordingBundle bundle) {
    for (var message : bundle.heard(ConsumerMessage.Events.class)) {
      node.consumers.ack(bundle.session, RecordingBundle.ack(message));
    }
  }

  @Test
  void after_a_restart_delivery_goes_on_from_the_checkpoint() throws Exception {
    var node = node("a");
    handling(node, (message, event) -> {});
    append(List.of(Draft.of("a-1"), Draft.of("a-2"), Draft.of("a-3")));
    awaitCheckpoints(3);
    node.leave();
    append(List.of(Draft.of("a-1")));
    var again = handling(node("b"), (message, event) -> {});
    awaitCheckpoints(4);
    assertThat(again.positions()).containsExactly(4L);
  }

  @Test
  void draining_gives_everything_back_with_the_last_checkpoint() throws SQLException {
    var node = node("a");
    handling(node, (message, event) -> {});
    append(List.of(Draft.of("a-1"), Draft.of("a-2")));
    awaitCheckpoints(2);
    var before = System.nanoTime();
    node.consumers.drain();
    assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(2));
    assertThat(texts("select owner from evento.consumer_segment where owner is not null"))
        .isEmpty();
  }

  @Test
  void where_the_bundle_keeps_its_own_checkpoint_that_decides() throws SQLException {
    var node = node("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    var bundle = recording(node, RecordingBundle.projector("accounts", consumes));
    var first = awaitEnabled(bundle);
    node.consumers.credit(bundle.session, RecordingBundle.credit(first, 100, first.epoch(), 7L));
    await().untilAsserted(() -> assertThat(bundle.positions()).containsExactly(8L, 9L, 10L));
    awaitCheckpoints(7);
    node.consumers.ack(
        bundle.session,
        RecordingBundle.ack(bundle.last(ConsumerMessage.Events.class).orElseThrow()));
    awaitCheckpoints(10);

    node.sessions.remove(bundle.session);
    var restored = recording(node, RecordingBundle.projector("accounts", consumes));
    var second = awaitEnabled(restored);
    assertThat(second.position()).isEqualTo(10);
    assertThat(second.fence()).isGreaterThan(first.fence());
    node.consumers.credit(
        restored.session, RecordingBundle.credit(second, 100, second.epoch(), 4L));
    await()
        .untilAsserted(
            () -> assertThat(restored.positions()).containsExactly(5L, 6L, 7L, 8L, 9L, 10L));
    assertThat(restored.last(ConsumerMessage.Events.class).orElseThrow().from()).isEqualTo(4);
    assertThat(checkpoints()).containsExactly(10L);
  }

  @Test
  void a_late_acknowledgement_under_an_old_fence_is_dropped_and_counted() throws SQLException {
    var node = node("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    var bundle = recording(node, RecordingBundle.projector("accounts", consumes));
    var enabled = awaitEnabled(bundle);
    node.consumers.credit(bundle.session, RecordingBundle.credit(enabled, 100));
    append(List.of(Draft.of("a-1"), Draft.of("a-2")));
    await().until(() -> bundle.events().size() == 2);
    var late = RecordingBundle.ack(bundle.last(ConsumerMessage.Events.class).orElseThrow());

    node.sessions.remove(bundle.session);
    var next = recording(node, RecordingBundle.projector("accounts", consumes));
    awaitEnabled(next);
    node.consumers.ack(bundle.session, late);
    node.consumers.ack(next.session, late);
    assertThat(node.consumerMetrics.fenced.count()).isEqualTo(2);
    await().during(Duration.ofMillis(600)).until(() -> checkpoints().equals(List.of(0L)));
  }

  @Test
  void a_failing_event_is_noted_on_its_segment_until_it_is_passed() throws SQLException {
    var node = node("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    var bundle = recording(node, RecordingBundle.projector("accounts", consumes));
    var enabled = awaitEnabled(bundle);
    node.consumers.credit(bundle.session, RecordingBundle.credit(enabled, 100));
    append(List.of(Draft.of("a-1"), Draft.of("a-2")));
    await().until(() -> bundle.events().size() == 2);
    node.consumers.nack(
        bundle.session,
        new ConsumerMessage.Nack(
            enabled.consumer(),
            enabled.segment(),
            enabled.fence(),
            1,
            1,
            "cannot divide\0by zero"));
    await()
        .untilAsserted(
            () ->
                assertThat(texts("select status || ': ' || note from evento.consumer_segment"))
                    .containsExactly("stuck: failing at position 1: cannot divide by zero"));
    node.consumers.ack(
        bundle.session,
        RecordingBundle.ack(bundle.last(ConsumerMessage.Events.class).orElseThrow()));
    await()
        .untilAsserted(
            () ->
                assertThat(texts("select status from evento.consumer_segment where note is null"))
                    .containsExactly("active"));
  }

  @Test
  void a_new_epoch_rewinds_to_what_both_have_in_common_and_says_so() throws SQLException {
    var node = node("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 2);
    var bundle =
        handling(node, RecordingBundle.projector("accounts", consumes), (message, event) -> {});
    append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    awaitCheckpoints(10);
    var old = store.epoch();

    store.loseAbove(6);
    var after = append(IntStream.range(0, 3).mapToObj(i -> Draft.of("a-" + i)).toList());
    assertThat(after.get(0).position()).isEqualTo(7);
    awaitCheckpoints(9);
    assertThat(bundle.events().subList(10, 13))
        .extracting(RecordedEvent::commandId)
        .containsExactlyInAnyOrderElementsOf(after.stream().map(RecordedEvent::commandId).toList());
    assertThat(texts("select distinct epoch::text from evento.consumer_segment"))
        .containsExactly(store.epoch().toString())
        .doesNotContain(old.toString());
    assertThat(node.consumerMetrics.rewinds.count()).isEqualTo(2);
    assertThat(bundle.last(ConsumerMessage.Enable.class).orElseThrow())
        .satisfies(
            enabled -> {
              assertThat(enabled.epoch()).isEqualTo(store.epoch());
              assertThat(enabled.position()).isEqualTo(6);
            });
  }

  @Test
  void a_segment_that_was_claimed_after_the_loss_rewinds_too() throws Exception {
    var node = node("a");
    handling(node, (message, event) -> {});
    append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    awaitCheckpoints(10);
    node.leave();
    store.loseAbove(6);
    append(List.of(Draft.of("a-1")));
    var next = handling(node("b"), (message, event) -> {});
    awaitCheckpoints(7);
    assertThat(next.positions()).containsExactly(7L);
  }

  @Test
  void a_store_that_was_put_back_unnoticed_is_seen_by_the_command_at_the_checkpoint()
      throws Exception {
    var node = node("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    handling(node, RecordingBundle.projector("accounts", consumes), (message, event) -> {});
    append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    awaitCheckpoints(10);
    node.leave();
    try (var admin = database.asAdmin();
        var update = admin.createStatement()) {
      update.execute("update evento.event set command_id = gen_random_uuid() where position = 10");
    }
    var next =
        handling(
            node("b"), RecordingBundle.projector("accounts", consumes), (message, event) -> {});
    await().until(() -> next.events().size() == 10);
    awaitCheckpoints(10);
  }

  @Test
  void after_a_restore_nothing_is_delivered_that_never_was() throws Exception {
    var node = node("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    handling(node, RecordingBundle.projector("accounts", consumes), (message, event) -> {});
    append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    awaitCheckpoints(10);
    node.sessions.all().forEach(node.sessions::remove);
    awaitOwned(0);

    store.putBack(6);
    // Its database was put back too: all that this node's tail remembers beyond is of no life.
    var bundle = recording(node, RecordingBundle.projector("accounts", consumes));
    awaitOwned(1);
    await()
        .during(Duration.ofMillis(700))
        .until(() -> bundle.heard(ConsumerMessage.Enable.class).isEmpty());
    store.openEpoch();
    var after = append(List.of(Draft.of("a-1"), Draft.of("a-2")));
    var enabled = awaitEnabled(bundle);
    assertThat(enabled.epoch()).isEqualTo(store.epoch());
    assertThat(enabled.position()).isEqualTo(6);
    node.consumers.credit(bundle.session, RecordingBundle.credit(enabled, 100));
    await().until(() -> bundle.events().size() == 2);
    assertThat(bundle.events())
        .extracting(RecordedEvent::commandId)
        .containsExactlyElementsOf(after.stream().map(RecordedEvent::commandId).toList());
  }

  @Test
  void a_bundle_whose_checkpoint_was_put_back_is_started_when_the_loss_was_noticed()
      throws Exception {
    var node = node("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    await().until(() -> node.follower.head().orElseThrow().position() == 10);
    var bundle = recording(node, RecordingBundle.projector("accounts", consumes));
    var enabled = awaitEnabled(bundle);

    store.putBack(6);
    node.consumers.credit(bundle.session, RecordingBundle.credit(enabled, 100, store.epoch(), 4L));
    await().during(Duration.ofMillis(700)).until(() -> bundle.events().isEmpty());
    store.openEpoch();
    var after = append(List.of(Draft.of("a-1"))).get(0);
    await()
        .untilAsserted(
            () -> assertThat(bundle.heard(ConsumerMessage.Enable.class)).hasSizeGreaterThan(1));
    var again = bundle.last(ConsumerMessage.Enable.class).orElseThrow();
    node.consumers.credit(bundle.session, RecordingBundle.credit(again, 100, again.epoch(), 4L));
    await().untilAsserted(() -> assertThat(bundle.positions()).endsWith(5L, 6L, 7L));
    assertThat(bundle.last(ConsumerMessage.Events.class).orElseThrow().events())
        .last()
        .extracting(RecordedEvent::commandId)
        .isEqualTo(after.commandId());
  }

  @Test
  void the_bundles_place_in_a_lost_epoch_is_carried_over() throws SQLException {
    var node = node("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    var old = store.epoch();
    store.loseAbove(6);
    append(List.of(Draft.of("a-1"), Draft.of("a-2")));
    var bundle = recording(node, RecordingBundle.projector("accounts", consumes));
    var enabled = awaitEnabled(bundle);
    node.consumers.credit(bundle.session, RecordingBundle.credit(enabled, 100, old, 9L));
    await().untilAsserted(() -> assertThat(bundle.positions()).containsExactly(7L, 8L));
    var message = bundle.heard(ConsumerMessage.Events.class).get(0);
    assertThat(message.from()).isEqualTo(6);
    assertThat(message.epoch()).isEqualTo(store.epoch());
  }

  @Test
  void a_checkpoint_of_an_epoch_that_the_store_never_had_stops_its_segment_and_says_so()
      throws Exception {
    var node = node("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    append(List.of(Draft.of("a-1"), Draft.of("a-2")));
    var bundle = recording(node, RecordingBundle.projector("accounts", consumes));
    var enabled = awaitEnabled(bundle);
    var unknown = UUID.randomUUID();
    node.consumers.credit(bundle.session, RecordingBundle.credit(enabled, 100, unknown, 1L));
    awaitStopped(unknown);
    assertThat(bundle.events()).isEmpty();

    node.sessions.remove(bundle.session);
    var rebuilt = recording(node, RecordingBundle.projector("accounts", consumes));
    var again = awaitEnabled(rebuilt);
    node.consumers.credit(rebuilt.session, RecordingBundle.credit(again, 100, store.epoch(), 1L));
    await().until(() -> rebuilt.positions().equals(List.of(2L)));
    await()
        .untilAsserted(
            () ->
                assertThat(texts("select status from evento.consumer_segment where note is null"))
                    .containsExactly("active"));
  }

  @Test
  void so_does_one_in_the_segments_row() throws Exception {
    var node = node("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    append(List.of(Draft.of("a-1"), Draft.of("a-2")));
    var first = recording(node, RecordingBundle.projector("accounts", consumes));
    awaitEnabled(first);
    node.sessions.remove(first.session);
    awaitOwned(0);
    var unknown = UUID.randomUUID();
    try (var admin = database.asAdmin();
        var update = admin.createStatement()) {
      update.execute("update evento.consumer_segment set epoch = '" + unknown + "'");
    }
    var bundle = recording(node, RecordingBundle.projector("accounts", consumes));
    awaitStopped(unknown);
    assertThat(bundle.heard(ConsumerMessage.Enable.class)).isEmpty();
  }

  private static void awaitStopped(UUID epoch) {
    await()
        .untilAsserted(
            () ->
                assertThat(texts("select status || ': ' || note from evento.consumer_segment"))
                    .singleElement()
                    .asString()
                    .startsWith("stuck: stopped: the store never had epoch " + epoch));
  }

  @Test
  void lag_is_told_in_events_and_in_the_age_of_the_first_that_is_missing() throws Exception {
    var node = node("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    recording(node, RecordingBundle.projector("accounts", consumes));
    awaitOwned(1);
    append(List.of(Draft.of("a-1"), Draft.of("a-2")));
    assertThat(node.monitor.lags())
        .singleElement()
        .satisfies(
            lag -> {
              assertThat(lag.consumer()).isEqualTo("accounts");
              assertThat(lag.events()).isEqualTo(2);
              assertThat(lag.age()).isBetween(Duration.ZERO, Duration.ofSeconds(20));
            });
    try (var admin = database.asAdmin();
        var update = admin.createStatement()) {
      update.execute("update evento.event set recorded_at = now() - interval '1 hour'");
    }
    assertThat(node.monitor.lags().get(0).age())
        .isBetween(Duration.ofMinutes(59), Duration.ofMinutes(61));
    assertThat(node.metrics.scrape()).contains("evento_consumer_lag{consumer=\"accounts:1\"}");
  }

  @Test
  void a_node_that_joins_gets_its_share_within_ten_seconds_and_no_event_is_handled_twice()
      throws Exception {
    var handled = new ConcurrentLinkedQueue<Long>();
    var first = node("a");
    handling(first, (message, event) -> handled.add(event.position()));
    awaitOwned(4);
    var isOver = new AtomicBoolean();
    var traffic =
        new Thread(
            () -> {
              while (!isOver.get()) {
                appendUnchecked(IntStream.range(0, 5).mapToObj(i -> Draft.of("a-" + i)).toList());
                LockSupport.parkNanos(5_000_000);
              }
            });
    traffic.start();
    var joined = System.nanoTime();
    handling(node("b"), (message, event) -> handled.add(event.position()));
    await()
        .atMost(Duration.ofSeconds(10))
        .until(
            () -> texts("select owner from evento.consumer_segment where owner = 'b'").size() == 2);
    var took = Duration.ofNanos(System.nanoTime() - joined);
    isOver.set(true);
    traffic.join();
    awaitCheckpoints(store.head());
    assertThat(took).isLessThan(Duration.ofSeconds(10));
    assertThat(handled).hasSize((int) store.head()).doesNotHaveDuplicates();
  }

  @Test
  void many_events_are_caught_up_with_without_being_read_once_per_segment() throws Exception {
    store.fill(60_000, 1_000);
    var node = node("a");
    var handled = new LongAdder();
    handling(node, (message, event) -> handled.increment());
    awaitCheckpoints(60_000);
    assertThat(handled.sum()).isEqualTo(60_000);
    assertThat(node.consumerMetrics.reads.count()).isBetween(60.0, 90.0);
  }

  private ConsumerNode node(String name) {
    var node = new ConsumerNode(database, name, cluster).start();
    open.add(node);
    await().until(() -> node.follower.head().isPresent());
    return node;
  }

  private HandlingBundle handling(
      ConsumerNode node, BiConsumer<ConsumerMessage.Events, RecordedEvent> handler) {
    return handling(node, RecordingBundle.projector("accounts"), handler);
  }

  private HandlingBundle handling(
      ConsumerNode node,
      DeclareMessage.Component projector,
      BiConsumer<ConsumerMessage.Events, RecordedEvent> handler) {
    var bundle = new HandlingBundle(node, UUID.randomUUID(), handler);
    open.add(0, bundle);
    bundle.connect(node.sessions, projector);
    return bundle;
  }

  private static RecordingBundle recording(ConsumerNode node) {
    return recording(node, RecordingBundle.projector("accounts"));
  }

  private static RecordingBundle recording(ConsumerNode node, DeclareMessage.Component projector) {
    return new RecordingBundle(UUID.randomUUID()).connect(node.sessions, projector);
  }

  private static ConsumerMessage.Enable awaitEnabled(RecordingBundle bundle) {
    await().until(() -> !bundle.heard(ConsumerMessage.Enable.class).isEmpty());
    return bundle.last(ConsumerMessage.Enable.class).orElseThrow();
  }

  private static ConsumerMessage.Enable enabled(RecordingBundle bundle, int segment) {
    return bundle.heard(ConsumerMessage.Enable.class).stream()
        .filter(enabled -> enabled.segment() == segment)
        .findFirst()
        .orElseThrow();
  }

  private List<RecordedEvent> append(List<Draft> drafts) throws SQLException {
    return store.append(cluster.followers(), drafts);
  }

  private void appendUnchecked(List<Draft> drafts) {
    try {
      append(drafts);
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private static int segmentOf(String account) {
    return Slots.of(new RecordedEvent.Stream("Account", account)) / 32;
  }

  private static void note(Map<String, List<Long>> seen, RecordedEvent event) {
    seen.computeIfAbsent(event.aggregate().id(), first -> new CopyOnWriteArrayList<>())
        .add(event.position());
  }

  private void awaitOwned(int segments) {
    await()
        .until(
            () ->
                texts("select owner from evento.consumer_segment where owner is not null").size()
                    == segments);
  }

  private void awaitCheckpoints(long position) {
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(checkpoints()).isNotEmpty().allMatch(at -> at == position));
  }

  private static List<Long> checkpoints() throws SQLException {
    return texts("select checkpoint::text from evento.consumer_segment").stream()
        .map(Long::valueOf)
        .toList();
  }

  private static List<String> texts(String query) throws SQLException {
    try (var admin = database.asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery(query)) {
      var found = new ArrayList<String>();
      while (row.next()) {
        found.add(row.getString(1));
      }
      return found;
    }
  }
}
