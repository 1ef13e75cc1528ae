package io.evento.server.eventstore.follow;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.EventChoice;
import io.evento.server.eventstore.EventPredicate;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Subscriptions hear of every event once and in order, whatever becomes of the pushes. */
@Tag("I4")
class FollowerTest {
  private TestDatabase database;
  private StoreNode writer;
  private StoreNode reader;
  private final AtomicInteger failures = new AtomicInteger();

  @BeforeEach
  void start() {
    database = PostgresFixture.shared().migrated();
    writer = StoreNode.start(database, "writer");
    reader = StoreNode.start(database, "reader");
    await().atMost(ofSeconds(10)).until(() -> reader.follower.head().isPresent());
  }

  @AfterEach
  void stop() {
    reader.close();
    writer.close();
    database.close();
  }

  private UUID epoch() {
    return reader.order.head().epoch();
  }

  private AppendResult.Appended append() {
    var stream = "Account:" + UUID.randomUUID();
    return (AppendResult.Appended)
        writer.append(AppendRequests.on(stream, Tip.EMPTY).event("A").event("B").events());
  }

  private List<AppendedEvents> pushesOf(int count) {
    var pushes = new LinkedBlockingQueue<AppendedEvents>();
    writer.peers.add(pushes::add);
    for (var i = 0; i < count; i++) {
      append();
    }
    await().until(() -> pushes.size() == count);
    return List.copyOf(pushes);
  }

  @Test
  void every_subscription_hears_of_every_event_once_in_order() throws Exception {
    var seed = new Random().nextLong();
    var random = new Random(seed);
    var pushes = new LinkedBlockingQueue<AppendedEvents>();
    writer.peers.add(pushes::add);
    var ended = new AtomicBoolean();
    var carriers = new ArrayList<Thread>();
    for (var i = 0; i < 3; i++) {
      carriers.add(started(() -> carry(pushes, new Random(random.nextLong()), ended)));
    }
    var readers = new ArrayList<Reader>();
    var writers = new ArrayList<Thread>();
    for (var i = 0; i < 4; i++) {
      writers.add(started(() -> repeat(150, this::append)));
      for (var each = 0; each < 2; each++) {
        var from = reader.follower.head().orElseThrow();
        readers.add(new Reader(i % 2 == 0 ? from : from.at(0)));
      }
      Thread.sleep(50); // subscriptions begin while events come
    }
    for (var each : writers) {
      each.join();
    }
    var last = 4 * 150 * 2L;
    for (var each : readers) {
      await()
          .atMost(ofSeconds(20))
          .untilAsserted(() -> assertThat(each.last()).as("seed %s", seed).isEqualTo(last));
    }
    ended.set(true);
    for (var each : carriers) {
      each.join();
    }
    assertThat(failures).as("carriers that ended by a failure, seed %s", seed).hasValue(0);
    for (var each : readers) {
      each.close();
      assertThat(each.positions())
          .as("seed %s", seed)
          .containsExactlyElementsOf(LongStream.rangeClosed(each.start + 1, last).boxed().toList());
    }
  }

  /** Brings pushes out of order, some twice and some never. */
  private void carry(
      LinkedBlockingQueue<AppendedEvents> pushes, Random random, AtomicBoolean ended) {
    var held = new ArrayList<AppendedEvents>();
    failures.incrementAndGet();
    try {
      while (!ended.get()) {
        var appendedEvents = pushes.poll(5, TimeUnit.MILLISECONDS);
        if (appendedEvents != null && random.nextInt(10) > 0) {
          held.add(appendedEvents);
        }
        if (!held.isEmpty() && (appendedEvents == null || random.nextBoolean())) {
          var index = random.nextInt(held.size());
          reader.follower.offer(random.nextInt(5) == 0 ? held.get(index) : held.remove(index));
        }
      }
      failures.decrementAndGet();
    } catch (InterruptedException asked) {
      Thread.currentThread().interrupt();
    }
  }

  private static void repeat(int times, Runnable body) {
    for (var i = 0; i < times; i++) {
      body.run();
    }
  }

  private static Thread started(Runnable body) {
    var thread = new Thread(body);
    thread.start();
    return thread;
  }

  /** A consumer: takes when it is woken, catches up when it is behind. */
  private final class Reader implements AutoCloseable {
    private final Semaphore woken = new Semaphore(1);
    private final Subscription subscription;
    private final List<Long> positions = new ArrayList<>();
    private final long start;
    private final Thread thread;

    Reader(StorePosition from) {
      start = from.position();
      subscription = reader.follower.subscribe(from, woken::release).orElseThrow();
      thread = started(this::run);
    }

    private void run() {
      try {
        while (true) {
          woken.acquire();
          for (var more = true; more; ) {
            var eventBatch = subscription.take(7, 1 << 20);
            if (eventBatch instanceof EventBatch.Behind) {
              eventBatch = subscription.catchUp(50, 50, 1 << 20, EventChoice.ALL);
            }
            var events = ((EventBatch.Events) eventBatch).events();
            add(events);
            more = !events.isEmpty();
          }
        }
      } catch (InterruptedException asked) {
        Thread.currentThread().interrupt();
      }
    }

    private synchronized void add(List<RecordedEvent> events) {
      events.forEach(event -> positions.add(event.position()));
    }

    synchronized List<Long> positions() {
      return List.copyOf(positions);
    }

    synchronized long last() {
      return positions.isEmpty() ? 0 : positions.get(positions.size() - 1);
    }

    @Override
    public void close() throws InterruptedException {
      subscription.close();
      thread.interrupt();
      thread.join();
    }
  }

  @Test
  void what_a_push_brings_is_there_at_once() {
    var push = pushesOf(1).get(0);
    reader.follower.offer(push);
    assertThat(reader.follower.head()).contains(new StorePosition(push.epoch(), 2));
  }

  @Test
  void of_a_push_that_repeats_something_only_the_rest_is_taken() {
    var pushes = pushesOf(2);
    reader.follower.offer(pushes.get(0));
    var both = new ArrayList<>(pushes.get(0).events());
    both.addAll(pushes.get(1).events());
    reader.follower.offer(new AppendedEvents(epoch(), 0, 4, both));
    assertThat(reader.follower.head().orElseThrow().position()).isEqualTo(4);
    reader.follower.offer(pushes.get(1));
    assertThat(reader.follower.head().orElseThrow().position()).isEqualTo(4);
  }

  @Test
  void pushes_that_overtake_each_other_need_no_look_into_the_database() {
    var pushes = pushesOf(3);
    reader.follower.offer(pushes.get(2));
    reader.follower.offer(pushes.get(1));
    reader.follower.offer(pushes.get(0));
    assertThat(reader.follower.head().orElseThrow().position()).isEqualTo(6);
  }

  @Test
  void a_push_that_never_comes_is_read_from_the_database_soon() {
    var pushes = pushesOf(3);
    reader.follower.offer(pushes.get(2));
    await()
        .atMost(ofMillis(400))
        .pollInterval(ofMillis(5))
        .until(() -> reader.follower.head().orElseThrow().position() == 6);
  }

  @Test
  void a_push_of_another_epoch_is_not_believed() {
    var push = pushesOf(1).get(0);
    reader.follower.offer(push);
    reader.follower.offer(new AppendedEvents(UUID.randomUUID(), 2, 4, moved(push.events(), 2)));
    assertThat(reader.follower.head()).contains(new StorePosition(epoch(), 2));
  }

  @Test
  @Tag("I10")
  void a_far_head_that_a_peer_tells_of_neither_opens_an_epoch_nor_has_the_store_refused() {
    append();
    await().until(() -> reader.follower.head().orElseThrow().position() == 2);
    var events = pushesOf(1).get(0).events();
    for (var far :
        List.of(
            new AppendedEvents(epoch(), 999_990, 999_999, List.of()),
            new AppendedEvents(epoch(), 500_000, 500_002, moved(events, 499_998)))) {
      reader.follower.offer(far);
      for (var i = 0; i < 3; i++) {
        var mine = AppendRequests.on("Account:" + UUID.randomUUID(), Tip.EMPTY).event("A").events();
        assertThat(reader.append(mine)).isInstanceOf(AppendResult.Appended.class);
        var head = reader.order.head().position();
        await().until(() -> reader.follower.head().orElseThrow().position() >= head);
      }
    }
    assertThat(reader.appender.known().refusal()).isNull();
    assertThat(reader.order.epochs().lives()).hasSize(1);
  }

  @Test
  @Tag("I10")
  void a_checkpoint_above_the_head_is_heard_though_a_peer_told_of_more() {
    append();
    await().until(() -> reader.follower.head().orElseThrow().position() == 2);
    var before = epoch();
    reader.follower.offer(new AppendedEvents(before, 999_990, 999_999, List.of()));
    assertThat(reader.follower.subscribe(new StorePosition(before, 7), () -> {})).isPresent();
    await().atMost(ofSeconds(10)).until(() -> reader.order.epochs().lives().size() == 2);
  }

  /** The same events, as if stored so much later. */
  private static List<RecordedEvent> moved(List<RecordedEvent> events, long by) {
    return events.stream()
        .map(
            e ->
                new RecordedEvent(
                    e.position() + by,
                    e.aggregate(),
                    e.version() + by,
                    e.type(),
                    e.payloadVersion(),
                    e.context(),
                    e.time(),
                    e.commandId(),
                    e.correlationId(),
                    e.causationId(),
                    e.tags(),
                    e.metadata(),
                    e.payload()))
        .toList();
  }

  @Test
  void what_nobody_pushed_is_found_by_the_poll() {
    append();
    await().atMost(ofSeconds(5)).until(() -> reader.follower.head().orElseThrow().position() == 2);
  }

  @Test
  void a_wait_for_the_head_ends_with_it_or_with_its_limit() {
    var seen = reader.follower.awaitHead(2, ofSeconds(10));
    assertThat(seen.toCompletableFuture()).isNotDone();
    append();
    assertThat(StoreNode.await(seen)).isTrue();
    assertThat(StoreNode.await(reader.follower.awaitHead(2, ofSeconds(10)))).isTrue();
    assertThat(StoreNode.await(reader.follower.awaitHead(3, ofMillis(50)))).isFalse();
  }

  @Test
  void an_epoch_that_never_was_cannot_be_subscribed_to() {
    assertThat(reader.follower.subscribe(new StorePosition(UUID.randomUUID(), 0), () -> {}))
        .isEmpty();
  }

  @Test
  void a_subscription_below_the_ring_says_so_and_catches_up_from_the_database() {
    append();
    await().until(() -> reader.follower.head().orElseThrow().position() == 2);
    try (var late = StoreNode.start(database, "late")) {
      await().atMost(ofSeconds(10)).until(() -> late.follower.head().isPresent());
      var subscription =
          late.follower.subscribe(new StorePosition(epoch(), 0), () -> {}).orElseThrow();
      assertThat(subscription.take(10, 1 << 20)).isEqualTo(new EventBatch.Behind());
      assertThat(
              ((EventBatch.Events) subscription.catchUp(10, 1, 1 << 20, EventChoice.ALL)).events())
          .hasSize(1);
      assertThat(subscription.take(10, 1 << 20)).isEqualTo(new EventBatch.Behind());
      assertThat(
              ((EventBatch.Events) subscription.catchUp(10, 10, 1 << 20, EventChoice.ALL)).upTo())
          .isEqualTo(new StorePosition(epoch(), 2));
      assertThat(subscription.take(10, 1 << 20))
          .isEqualTo(new EventBatch.Events(List.of(), new StorePosition(epoch(), 2), null));
    }
  }

  @Test
  void who_catches_up_is_given_what_it_wants_and_told_how_far_was_looked() {
    for (var i = 0; i < 3; i++) {
      append();
    }
    await().until(() -> reader.follower.head().orElseThrow().position() == 6);
    try (var late = StoreNode.start(database, "late")) {
      await().atMost(ofSeconds(10)).until(() -> late.follower.head().isPresent());
      var subscription =
          late.follower.subscribe(new StorePosition(epoch(), 0), () -> {}).orElseThrow();
      var asked = new ArrayList<String>();
      EventPredicate second =
          (stream, type, context) -> {
            asked.add(stream + ' ' + type + ' ' + context);
            return asked.size() == 2;
          };
      var first = (EventBatch.Events) subscription.catchUp(10, 4, 1 << 20, EventChoice.of(second));
      assertThat(first.events()).extracting(RecordedEvent::position).containsExactly(2L);
      assertThat(first.upTo().position()).isEqualTo(4);
      assertThat(first.events().get(0))
          .satisfies(
              event ->
                  assertThat(asked.get(1))
                      .isEqualTo(
                          "%s:%s %s %s",
                          event.aggregate().type(),
                          event.aggregate().id(),
                          event.type(),
                          event.context()));
      var rest =
          (EventBatch.Events)
              subscription.catchUp(1, 4, 1 << 20, EventChoice.of((stream, type, context) -> false));
      assertThat(rest.events()).isEmpty();
      assertThat(rest.upTo().position()).isEqualTo(5);
      assertThat(rest.command()).isEqualTo(reader.order.commandAt(5).orElseThrow());
    }
  }

  @Test
  void bytes_bound_what_is_taken_but_one_event_always_comes() {
    var push = pushesOf(2);
    push.forEach(reader.follower::offer);
    var subscription =
        reader.follower.subscribe(new StorePosition(epoch(), 0), () -> {}).orElseThrow();
    assertThat(((EventBatch.Events) subscription.take(10, 1)).events()).hasSize(1);
    assertThat(((EventBatch.Events) subscription.take(10, 1_000)).events()).hasSize(2);
  }
}
