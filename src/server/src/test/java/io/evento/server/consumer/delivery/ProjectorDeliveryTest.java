package io.evento.server.consumer.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.Store.Draft;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Slots;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** From stored events to a bundle and back, on running nodes and a real database. */
class ProjectorDeliveryTest {
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  @Test
  void every_event_arrives_once_and_in_order_per_stream_from_history_and_from_the_tail()
      throws SQLException {
    cluster.store().fill(5_000, 97);
    var seen = new ConcurrentHashMap<String, List<Long>>();
    cluster.handling(
        cluster.ready("a"),
        RecordingBundle.projector("accounts"),
        (message, event) -> note(seen, event));
    for (var batch = 0; batch < 200; batch++) {
      cluster.append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    }
    cluster.awaitCheckpoints(7_000);
    assertThat(seen.values().stream().mapToInt(List::size).sum()).isEqualTo(7_000);
    assertThat(seen.values()).allSatisfy(positions -> assertThat(positions).isSorted());
  }

  @Test
  void an_event_arrives_within_milliseconds() throws Exception {
    var arrivals = new ConcurrentHashMap<Long, Long>();
    cluster.handling(
        cluster.ready("a"),
        RecordingBundle.projector("accounts"),
        (message, event) -> arrivals.put(event.position(), System.nanoTime()));
    cluster.awaitOwned(4);
    cluster.append("a-1");
    await().until(() -> arrivals.size() == 1);
    var tookNanos = new ArrayList<Long>();
    for (var i = 0; i < 200; i++) {
      var before = System.nanoTime();
      var event = cluster.append(List.of(Draft.of("a-" + i))).get(0);
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
    var node = cluster.ready("a");
    var consumes = new Consumption(List.of("bank"), List.of("Opened"), "beginning", 2);
    var bundle =
        cluster.handling(
            node, RecordingBundle.projector("accounts", consumes), (message, event) -> {});
    cluster.append(
        List.of(
            new Draft("a-1", "Opened", "bank"),
            new Draft("a-1", "Deposited", "bank"),
            new Draft("a-2", "Opened", "shop"),
            new Draft("a-3", "Opened", "bank"),
            new Draft("a-3", "Closed", "bank")));
    cluster.awaitCheckpoints(5);
    assertThat(bundle.events())
        .extracting(RecordedEvent::position)
        .containsExactlyInAnyOrder(1L, 4L);
    cluster.append(List.of(new Draft("a-9", "Deposited", "bank")));
    cluster.awaitCheckpoints(6);
  }

  @Test
  void a_checkpoint_names_the_command_that_wrote_the_event_there() throws SQLException {
    cluster.handling(
        cluster.ready("a"), RecordingBundle.projector("accounts"), (message, event) -> {});
    var events = cluster.append("a-1", "a-2", "a-3");
    cluster.awaitCheckpoints(3);
    assertThat(cluster.texts("select distinct command_id::text from evento.consumer_segment"))
        .containsExactly(events.get(2).commandId().toString());
  }

  @Test
  void two_consumers_are_given_the_same_events_each_with_its_own_place() throws SQLException {
    var node = cluster.ready("a");
    var all = cluster.handling(node, RecordingBundle.projector("all"), (message, event) -> {});
    var opened =
        cluster.handling(
            node,
            RecordingBundle.projector(
                "opened", new Consumption(List.of(), List.of("Opened"), "beginning", 1)),
            (message, event) -> {});
    cluster.append(
        List.of(new Draft("a-1", "Opened", "bank"), new Draft("a-1", "Deposited", "bank")));
    cluster.awaitCheckpoints(2);
    assertThat(all.positions()).containsExactlyInAnyOrder(1L, 2L);
    assertThat(opened.positions()).containsExactly(1L);
  }

  /** The ring holds the last 16,384 events: what is before has to be read. */
  @Test
  void who_begins_a_moment_later_soon_shares_the_reading_of_a_long_history() throws SQLException {
    var events = 80_000;
    cluster.store().fill(events, 97);
    var node = cluster.ready("a");
    var everything = new Consumption(List.of(), List.of(), "beginning", 1);
    var first = new LongAdder();
    var second = new LongAdder();
    var hasSecond = new CountDownLatch(1);
    cluster.handling(
        node,
        RecordingBundle.projector("first", everything),
        (message, event) -> {
          first.increment();
          if (first.sum() == 2_000) {
            awaitBegin(hasSecond);
          }
        });
    await().until(() -> first.sum() > 1_000);
    cluster.handling(
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
    cluster.store().fill(events, 97);
    var node = cluster.ready("a");
    var more =
        cluster.handling(
            node,
            RecordingBundle.projector("accounts", ofTypes("MoneyDeposited", "Opened")),
            (message, event) -> {
              if (event.position() % 10 == 0) {
                LockSupport.parkNanos(1_000_000);
              }
            });
    await().until(() -> more.events().size() > 1_000);
    var fewer =
        cluster.handling(
            node, RecordingBundle.projector("accounts", ofTypes("Opened")), (message, event) -> {});
    cluster.awaitCheckpoints(events);
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
    var node = cluster.ready("a");
    var bundle = cluster.recording(node, RecordingBundle.projector("accounts"));
    await().until(() -> bundle.heard(ConsumerMessage.Enable.class).size() == 4);
    var stuck = segmentOf("a-1");
    for (var enabled : bundle.heard(ConsumerMessage.Enable.class)) {
      node.consumers.credit(
          bundle.session, RecordingBundle.credit(enabled, enabled.segment() == stuck ? 1 : 4_000));
    }
    for (var i = 0; i < 40; i++) {
      cluster.append(
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
  void a_late_acknowledgement_under_an_old_fence_is_dropped_and_counted() throws SQLException {
    var node = cluster.ready("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    var bundle = cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    var enabled = bundle.awaitEnabled();
    node.consumers.credit(bundle.session, RecordingBundle.credit(enabled, 100));
    cluster.append("a-1", "a-2");
    await().until(() -> bundle.events().size() == 2);
    var late = RecordingBundle.ack(bundle.last(ConsumerMessage.Events.class).orElseThrow());

    node.sessions.remove(bundle.session);
    var next = cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    next.awaitEnabled();
    node.consumers.ack(bundle.session, late);
    node.consumers.ack(next.session, late);
    assertThat(node.consumerMetrics.fenced(new ConsumerId("accounts", 1)).count()).isEqualTo(2);
    await().during(Duration.ofMillis(600)).until(() -> cluster.checkpoints().equals(List.of(0L)));
  }

  @Test
  void a_failing_event_is_noted_on_its_segment_until_it_is_passed() throws SQLException {
    var node = cluster.ready("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    var bundle = cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    var enabled = bundle.awaitEnabled();
    node.consumers.credit(bundle.session, RecordingBundle.credit(enabled, 100));
    cluster.append("a-1", "a-2");
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
                assertThat(
                        cluster.texts("select status || ': ' || note from evento.consumer_segment"))
                    .containsExactly("stuck: failing at position 1: cannot divide by zero"));
    node.consumers.ack(
        bundle.session,
        RecordingBundle.ack(bundle.last(ConsumerMessage.Events.class).orElseThrow()));
    await()
        .untilAsserted(
            () ->
                assertThat(
                        cluster.texts(
                            "select status from evento.consumer_segment where note is null"))
                    .containsExactly("active"));
  }

  @Test
  void lag_is_told_in_events_and_in_the_age_of_the_first_that_is_missing() throws Exception {
    var node = cluster.ready("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    cluster.awaitOwned(1);
    cluster.append("a-1", "a-2");
    assertThat(node.monitor.lags())
        .singleElement()
        .satisfies(
            lag -> {
              assertThat(lag.consumer()).isEqualTo("accounts");
              assertThat(lag.events()).isEqualTo(2);
              assertThat(lag.age()).isBetween(Duration.ZERO, Duration.ofSeconds(20));
            });
    cluster.execute("update evento.event set recorded_at = now() - interval '1 hour'");
    assertThat(node.monitor.lags().get(0).age())
        .isBetween(Duration.ofMinutes(59), Duration.ofMinutes(61));
    assertThat(node.metrics.scrape()).contains("evento_consumer_lag{consumer=\"accounts:1\"}");
  }

  @Test
  void a_node_that_joins_gets_its_share_within_ten_seconds_and_no_event_is_handled_twice()
      throws Exception {
    var handled = new ConcurrentLinkedQueue<Long>();
    var first = cluster.ready("a");
    cluster.handling(
        first,
        RecordingBundle.projector("accounts"),
        (message, event) -> handled.add(event.position()));
    cluster.awaitOwned(4);
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
    cluster.handling(
        cluster.ready("b"),
        RecordingBundle.projector("accounts"),
        (message, event) -> handled.add(event.position()));
    await()
        .atMost(Duration.ofSeconds(10))
        .until(
            () ->
                cluster.texts("select owner from evento.consumer_segment where owner = 'b'").size()
                    == 2);
    var took = Duration.ofNanos(System.nanoTime() - joined);
    isOver.set(true);
    traffic.join();
    cluster.awaitCheckpoints(cluster.head());
    assertThat(took).isLessThan(Duration.ofSeconds(10));
    assertThat(handled).hasSize((int) cluster.head()).doesNotHaveDuplicates();
  }

  @Test
  void many_events_are_caught_up_with_without_being_read_once_per_segment() throws Exception {
    cluster.store().fill(60_000, 1_000);
    var node = cluster.ready("a");
    var handled = new LongAdder();
    cluster.handling(
        node, RecordingBundle.projector("accounts"), (message, event) -> handled.increment());
    cluster.awaitCheckpoints(60_000);
    assertThat(handled.sum()).isEqualTo(60_000);
    assertThat(node.consumerMetrics.reads.count()).isBetween(60.0, 90.0);
  }

  private static ConsumerMessage.Enable enabled(RecordingBundle bundle, int segment) {
    return bundle.heard(ConsumerMessage.Enable.class).stream()
        .filter(enabled -> enabled.segment() == segment)
        .findFirst()
        .orElseThrow();
  }

  private static int segmentOf(String account) {
    return Slots.of(new RecordedEvent.Stream("Account", account)) / 32;
  }

  private static void note(Map<String, List<Long>> seen, RecordedEvent event) {
    seen.computeIfAbsent(event.aggregate().id(), first -> new CopyOnWriteArrayList<>())
        .add(event.position());
  }

  private static void appendUnchecked(List<Draft> drafts) {
    try {
      cluster.append(drafts);
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }
}
