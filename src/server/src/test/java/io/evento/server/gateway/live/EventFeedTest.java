package io.evento.server.gateway.live;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.RecordedEvent;
import io.evento.server.Threads;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.eventstore.follow.SeenPosition;
import io.evento.server.eventstore.read.EventBlockTable;
import io.evento.server.eventstore.read.EventSearch;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.fixture.TestGrants;
import io.evento.server.persistence.Database;
import io.evento.server.security.Caller;
import io.evento.server.security.OpenMode;
import io.evento.server.security.Shares;
import io.evento.server.setting.Setting;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Live readers are given every event once and in order, at their own pace and no other. */
class EventFeedTest {
  private static final int READERS_MAX = 20;
  private static final int STALL_SECONDS = 2;

  private final Threads threads = new Threads(Thread::new);
  private TestDatabase place;
  private Database database;
  private Follower follower;
  private FeedStore store;
  private EventFeeds feeds;

  @BeforeEach
  void start() throws Exception {
    place = PostgresFixture.shared().migrated();
    database = new Database(NodeConfig.of(place, "feeds"));
    var order = new OrderReader(database);
    var metrics = new Metrics();
    follower = new Follower(order, threads, metrics);
    feeds =
        new EventFeeds(
            follower,
            new EventSearch(database, order, new EventBlockTable(database)),
            new Shares(Setting::standard),
            new TestGrants(database, threads, new OpenMode(NodeConfig.of(place, "a"))),
            threads,
            () -> READERS_MAX,
            () -> STALL_SECONDS,
            metrics);
    store = new FeedStore(place, 20);
    follower.start();
    await().until(() -> follower.head().isPresent());
  }

  @AfterEach
  void stop() throws Exception {
    threads.stop();
    store.close();
    database.close();
    place.close();
  }

  private void append(int count) throws Exception {
    store.append(count, follower::offer);
  }

  private StorePosition at(long position) {
    return follower.head().orElseThrow().at(position);
  }

  private Reader follow(EventFilter filter, long after, int room) {
    return follow(filter, at(after), room);
  }

  private Reader follow(EventFilter filter, StorePosition from, int room) {
    var reader = new Reader(room);
    reader.open(filter, from);
    return reader;
  }

  /** Takes so many events until it is given more room. */
  private final class Reader implements FeedSink {
    private final List<RecordedEvent> seen = new ArrayList<>();
    private long room;
    private @Nullable EventFeed feed;
    private @Nullable End ended;
    private @Nullable StorePosition resume;
    private int tooMany;
    private long upTo;

    Reader(int room) {
      this.room = room;
    }

    void open(EventFilter filter, StorePosition from) {
      var opened = feeds.open(Caller.developer("test"), filter, from, this);
      feed = opened;
      opened.ring();
    }

    void close() {
      Objects.requireNonNull(feed).close();
    }

    StorePosition resume() {
      return Objects.requireNonNull(resume);
    }

    void more(int events) {
      synchronized (this) {
        room += events;
      }
      Objects.requireNonNull(feed).ring();
    }

    @Override
    public synchronized int room() {
      return (int) Math.min(Integer.MAX_VALUE, room);
    }

    @Override
    public synchronized void events(List<RecordedEvent> events, StorePosition at) {
      seen.addAll(events);
      room -= events.size();
      tooMany += room < 0 ? 1 : 0;
      upTo = at.position();
    }

    @Override
    public void beat(StorePosition at) {}

    @Override
    public synchronized void end(End why, String detail, StorePosition at) {
      ended = why;
      resume = at;
    }

    synchronized List<Long> positions() {
      return seen.stream().map(RecordedEvent::position).toList();
    }

    synchronized long last() {
      return seen.isEmpty() ? 0 : seen.get(seen.size() - 1).position();
    }

    synchronized long upTo() {
      return upTo;
    }

    synchronized @Nullable End ended() {
      return ended;
    }
  }

  @Test
  void each_filter_gives_what_it_names_from_the_store_as_from_memory() throws Exception {
    append(1_000);
    var readers =
        List.of(
            follow(new EventFilter("bank", null, null, null, null), 0, 100_000),
            follow(new EventFilter(null, "Third", null, null, null), 0, 100_000),
            follow(new EventFilter(null, null, "Course", null, null), 0, 100_000),
            follow(new EventFilter(null, null, "Account", "a-2", null), 0, 100_000),
            follow(new EventFilter(null, null, null, null, "fifth"), 0, 100_000),
            follow(new EventFilter("bank", "Third", "Account", "a-0", "any"), 0, 100_000),
            follow(EventFilter.ALL, 0, 100_000));
    List<LongPredicate> wanted =
        List.of(
            p -> p % 2 == 0,
            p -> p % 3 == 0,
            p -> p % 2 == 1,
            p -> p % 4 == 2,
            p -> p % 5 == 0,
            p -> p % 60 == 0,
            p -> true);
    for (var i = 0; i < 10; i++) {
      append(100);
    }
    for (var i = 0; i < readers.size(); i++) {
      var reader = readers.get(i);
      var last = LongStream.rangeClosed(1, 2_000).filter(wanted.get(i)).max().orElseThrow();
      await().atMost(ofSeconds(10)).until(() -> reader.last() == last);
      assertThat(reader.positions())
          .as("filter %s", i)
          .containsExactlyElementsOf(
              LongStream.rangeClosed(1, 2_000).filter(wanted.get(i)).boxed().toList());
    }
  }

  @Test
  void who_resumes_again_and_again_sees_every_position_once() throws Exception {
    var seed = new Random().nextLong();
    var random = new Random(seed);
    var seen = new ArrayList<Long>();
    var appended = 0;
    while (appended < 8_000 || seen.size() < 8_000) {
      var reader = follow(EventFilter.ALL, seen.size(), 1 + random.nextInt(300));
      if (appended < 8_000) {
        append(100);
        appended += 100;
      }
      reader.more(random.nextInt(200));
      var some = random.nextInt(3);
      await().until(() -> reader.positions().size() >= some || reader.last() == store.head());
      // Cut off in the middle of whatever it does: what it was given by then is what it has.
      reader.close();
      await().pollDelay(java.time.Duration.ZERO).until(() -> feeds.count() == 0);
      seen.addAll(reader.positions());
      assertThat(reader.tooMany).as("given without room, seed %s", seed).isZero();
    }
    assertThat(seen)
        .as("seed %s", seed)
        .startsWith(LongStream.rangeClosed(1, 8_000).boxed().toArray(Long[]::new));
  }

  @Test
  void a_reader_that_takes_nothing_is_given_nothing_and_cut_off_where_it_can_resume()
      throws Exception {
    var slow = follow(EventFilter.ALL, 0, 50);
    var quick = follow(EventFilter.ALL, 0, 1_000_000);
    // More than the ring holds: the slow one is left behind by all of it.
    for (var i = 0; i < 20; i++) {
      append(1_000);
    }
    await().atMost(ofSeconds(20)).until(() -> quick.last() == 20_000);
    assertThat(slow.positions()).hasSize(50);

    await().atMost(ofSeconds(STALL_SECONDS + 5)).until(() -> slow.ended() != null);
    assertThat(slow.ended()).isEqualTo(FeedSink.End.SLOW);
    assertThat(slow.resume().position()).isEqualTo(50);
    assertThat(quick.ended()).isNull();
    assertThat(feeds.count()).isEqualTo(1);

    var again = follow(EventFilter.ALL, 50, 1_000_000);
    await().atMost(ofSeconds(20)).until(() -> again.last() == 20_000);
    assertThat(again.positions())
        .containsExactlyElementsOf(LongStream.rangeClosed(51, 20_000).boxed().toList());
  }

  @Test
  void a_reader_with_nothing_to_take_is_not_slow() throws Exception {
    append(10);
    var idle = follow(EventFilter.ALL, 0, 10);
    await().until(() -> idle.last() == 10);
    await()
        .pollDelay(ofSeconds(STALL_SECONDS + 2))
        .atMost(ofSeconds(STALL_SECONDS + 4))
        .until(() -> true);
    assertThat(idle.ended()).isNull();
  }

  @Test
  void a_new_epoch_ends_the_stream_and_says_where_to_go_on() throws Exception {
    append(100);
    var reader = follow(EventFilter.ALL, 0, 1_000);
    await().until(() -> reader.last() == 100);
    store.loseAbove(60);
    append(5);
    await().atMost(ofSeconds(10)).until(() -> reader.ended() != null);
    assertThat(reader.ended()).isEqualTo(FeedSink.End.EPOCH);
    assertThat(reader.resume()).isEqualTo(new StorePosition(store.epoch(), 60));
  }

  private StorePosition place(long position, @Nullable UUID epoch) {
    return feeds
        .place(new SeenPosition(position, epoch))
        .toCompletableFuture()
        .orTimeout(10, TimeUnit.SECONDS)
        .join();
  }

  @Test
  void a_position_of_a_former_epoch_is_good_where_nothing_was_lost_and_told_where_it_is_not()
      throws Exception {
    append(100);
    await().until(() -> follower.head().orElseThrow().position() == 100);
    var before = store.epoch();
    store.loseAbove(60);
    var now = store.epoch();
    // This node has yet to hear of an epoch that another one told.
    assertThat(place(60, now)).isEqualTo(new StorePosition(now, 60));
    assertThat(place(60, before)).isEqualTo(new StorePosition(now, 60));
    append(30);
    await().until(() -> follower.head().orElseThrow().position() == 90);

    var reader = follow(EventFilter.ALL, place(75, before), 1_000);
    await().until(() -> reader.ended() != null);
    assertThat(reader.ended()).isEqualTo(FeedSink.End.EPOCH);
    assertThat(reader.resume()).isEqualTo(new StorePosition(now, 60));
    assertThat(reader.positions()).isEmpty();
    // Without its epoch the same number is taken for one of now.
    assertThat(place(75, null)).isEqualTo(new StorePosition(now, 75));
    assertThatThrownBy(() -> follow(EventFilter.ALL, place(1, UUID.randomUUID()), 1))
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.CONFLICT));
  }

  @Test
  void an_invented_position_is_refused_and_alarms_nobody() throws Exception {
    append(10);
    await().until(() -> follower.head().orElseThrow().position() == 10);
    assertThatThrownBy(
            () ->
                feeds
                    .place(new SeenPosition(1_000_000_000, null))
                    .toCompletableFuture()
                    .orTimeout(10, TimeUnit.SECONDS)
                    .join())
        .isInstanceOf(CompletionException.class)
        .cause()
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.CONFLICT));
    append(10);
    await().until(() -> follower.head().orElseThrow().position() == 20);
  }

  @Test
  void one_reader_more_than_allowed_is_refused() throws Exception {
    for (var i = 0; i < READERS_MAX; i++) {
      follow(EventFilter.ALL, 0, 0);
    }
    assertThatThrownBy(() -> follow(EventFilter.ALL, 0, 0))
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.OVERLOADED));
  }
}
