package io.evento.bundle.consumer;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.Upcaster;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.ConsumerMessage.Ack;
import io.evento.protocol.ConsumerMessage.Credit;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.ConsumerMessage.Events;
import io.evento.protocol.ConsumerMessage.Nack;
import io.evento.protocol.ConsumerMessage.Parked;
import io.evento.protocol.ConsumerMessage.Retried;
import io.evento.protocol.ConsumerMessage.Retry;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.RecordedEvent;
import io.evento.testing.PostgresFixture;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** Rows and checkpoint commit together, whatever fails and whoever else wants the segment. */
class ConsumersTest {
  private static final UUID EPOCH = UUID.randomUUID();
  private static final UUID COMMAND = UUID.randomUUID();
  private static final Database DATABASE = database();

  /** One that refuses in its own way, as routing data sources do. */
  private static final class Database extends PGSimpleDataSource {
    private static final long serialVersionUID = 1L;
    final AtomicInteger refusals = new AtomicInteger();

    @Override
    public Connection getConnection() throws SQLException {
      if (refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        throw new IllegalStateException("no route to a database");
      }
      return super.getConnection();
    }
  }

  private static Database database() {
    var source = new Database();
    source.setUrl(PostgresFixture.shared().empty().url());
    source.setUser("postgres");
    return source;
  }

  @PayloadVersion(2)
  record Counted(long number) {
    record V1(String digits) {}

    @Upcaster(from = 1)
    static Counted asNumber(V1 old) {
      return new Counted(Long.parseLong(old.digits()));
    }
  }

  @Projector(name = "numbers")
  static class Numbers {
    final Set<Long> failing = ConcurrentHashMap.newKeySet();
    final AtomicInteger running = new AtomicInteger();
    final AtomicInteger runningMost = new AtomicInteger();
    volatile CountDownLatch reached = new CountDownLatch(0);
    volatile CountDownLatch gate = new CountDownLatch(0);

    @EventHandler
    void on(Counted event, EventMetadata at, Connection tx) throws Exception {
      runningMost.accumulateAndGet(running.incrementAndGet(), Math::max);
      try {
        reached.countDown();
        assertThat(gate.await(10, TimeUnit.SECONDS)).isTrue();
        try (var insert = tx.prepareStatement("insert into number values (?, ?)")) {
          insert.setLong(1, at.position());
          insert.setLong(2, event.number());
          insert.executeUpdate();
        }
        if (failing.contains(event.number())) {
          throw new IllegalStateException("number " + event.number());
        }
      } finally {
        running.decrementAndGet();
      }
    }
  }

  @Projector(name = "plain")
  static class Plain {
    final List<Long> seen = new CopyOnWriteArrayList<>();
    final Set<Long> failing = ConcurrentHashMap.newKeySet();
    volatile @Nullable SQLException broken;

    @EventHandler
    void on(Counted event) throws SQLException {
      if (broken != null) {
        throw broken;
      }
      if (failing.contains(event.number())) {
        throw new IllegalStateException("number " + event.number());
      }
      seen.add(event.number());
    }
  }

  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private final List<Message> answers = new CopyOnWriteArrayList<>();
  private final Numbers numbers = new Numbers();
  private final Plain plain = new Plain();
  private final Consumers consumers = consumers(numbers);

  private Consumers consumers(Object instance) {
    var mapper = new PayloadMapper();
    var components = Components.of(List.of(instance, plain), mapper, true);
    return new Consumers(components.projectors(), mapper, DATABASE, clock);
  }

  @BeforeEach
  void begin_with_empty_tables() throws SQLException {
    DATABASE.refusals.set(0);
    execute("drop table if exists number, parent, evento_checkpoint, evento_retried cascade");
    execute("create table number (position bigint primary key, number bigint)");
  }

  @AfterEach
  void close() {
    consumers.close();
    clock.shutdownNow();
  }

  private static void execute(String sql) throws SQLException {
    try (var connection = DATABASE.getConnection();
        var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static List<String> rows(String sql) {
    try (var connection = DATABASE.getConnection();
        var statement = connection.createStatement();
        var found = statement.executeQuery(sql)) {
      var rows = new ArrayList<String>();
      while (found.next()) {
        rows.add(found.getString(1));
      }
      return rows;
    } catch (SQLException absent) {
      return List.of("absent");
    }
  }

  private static List<String> numbersStored() {
    return rows("select number from number order by position");
  }

  private static List<String> checkpoints() {
    return rows(
        "select first_slot || '-' || last_slot || '@' || position || ' fence ' || fence"
            + " from evento_checkpoint order by first_slot");
  }

  private static Enable segment(int first, int last, long fence, long position) {
    return new Enable("numbers:1", 0, first, last, fence, EPOCH, position);
  }

  private void enable(Enable given) {
    consumers.enable(given, answers::add, this);
  }

  private static RecordedEvent event(long position) {
    return new RecordedEvent(
        position,
        new RecordedEvent.Stream("Counter", "c"),
        position,
        "Counted",
        2,
        "default",
        "2026-01-31T10:15:30.123456Z",
        COMMAND,
        "flow",
        null,
        List.of(),
        Json.EMPTY_OBJECT,
        new Json("{\"number\":" + position + "}"));
  }

  private static Events events(long fence, long from, long upTo, long... positions) {
    return new Events(
        "numbers:1",
        0,
        fence,
        EPOCH,
        from,
        upTo,
        LongStream.of(positions).mapToObj(ConsumersTest::event).toList());
  }

  @Test
  void an_old_event_reaches_its_handler_as_the_present_record() {
    var old =
        new RecordedEvent(
            1,
            new RecordedEvent.Stream("Counter", "c"),
            1,
            "Counted",
            1,
            "default",
            "2026-01-31T10:15:30.123456Z",
            COMMAND,
            "flow",
            null,
            List.of(),
            Json.EMPTY_OBJECT,
            new Json("{\"digits\":\"42\"}"));
    consumers.enable(new Enable("plain:1", 0, 0, 127, 1, EPOCH, 0), answers::add, this);
    consumers.events(new Events("plain:1", 0, 1, EPOCH, 0, 2, List.of(old, event(2))));
    awaitAck(2);
    assertThat(plain.seen).containsExactly(42L, 2L);
  }

  private <T extends Message> List<T> said(Class<T> kind) {
    return answers.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  private void awaitAck(long position) {
    await()
        .atMost(ofSeconds(10))
        .until(() -> said(Ack.class).stream().anyMatch(ack -> ack.position() == position));
  }

  private <T extends Message> void awaitSaid(Class<T> kind, int times) {
    await().atMost(ofSeconds(10)).until(() -> said(kind).size() >= times);
  }

  @Test
  void rows_and_checkpoint_commit_together_and_are_then_acknowledged() {
    enable(segment(0, 127, 1, 0));
    awaitSaid(Credit.class, 1);
    assertThat(said(Credit.class).get(0)).isEqualTo(new Credit("numbers:1", 0, 1, 256, EPOCH, 0L));
    consumers.events(events(1, 0, 5, 2, 4));
    consumers.events(events(1, 5, 9));
    awaitAck(9);
    assertThat(numbersStored()).containsExactly("2", "4");
    assertThat(checkpoints()).containsExactly("0-127@9 fence 1");
    assertThat(said(Ack.class)).extracting(Ack::position).containsExactly(5L, 9L);
  }

  @Test
  void its_own_position_is_told_where_it_is_ahead_and_nothing_is_done_twice() throws Exception {
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 3, 1, 2, 3));
    awaitAck(3);
    enable(segment(0, 127, 2, 1));
    awaitSaid(Credit.class, 2);
    assertThat(said(Credit.class).get(1).position()).isEqualTo(3);
    consumers.events(events(2, 1, 4, 2, 3, 4));
    awaitAck(4);
    assertThat(numbersStored()).containsExactly("1", "2", "3", "4");
  }

  @Test
  void whoever_was_fenced_off_changes_nothing_and_gives_up() throws Exception {
    enable(segment(0, 127, 1, 0));
    awaitSaid(Credit.class, 1);
    execute("update evento_checkpoint set fence = 2");
    consumers.events(events(1, 0, 3, 1, 2, 3));
    awaitSaid(Disable.class, 1);
    assertThat(numbersStored()).isEmpty();
    assertThat(said(Ack.class)).isEmpty();
    consumers.events(events(1, 3, 4, 4));
    enable(segment(0, 127, 1, 0));
    awaitSaid(Disable.class, 2);
    assertThat(checkpoints()).containsExactly("0-127@0 fence 2");
  }

  @Test
  void a_checkpoint_that_stands_elsewhere_is_not_moved() throws Exception {
    enable(segment(0, 127, 1, 0));
    awaitSaid(Credit.class, 1);
    execute("update evento_checkpoint set fence = 7, position = 2");
    consumers.events(events(1, 0, 3, 1, 2, 3));
    awaitSaid(Disable.class, 1);
    assertThat(numbersStored()).isEmpty();
  }

  @Test
  void a_gap_in_what_comes_gives_the_segment_up() {
    enable(segment(0, 127, 1, 5));
    awaitSaid(Credit.class, 1);
    consumers.events(events(1, 6, 8, 7));
    awaitSaid(Disable.class, 1);
    assertThat(numbersStored()).isEmpty();
  }

  @Test
  void a_failing_event_lets_those_before_it_through_and_holds_up_those_behind() {
    numbers.failing.add(3L);
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 4, 1, 2, 3, 4));
    awaitSaid(Nack.class, 2);
    assertThat(numbersStored()).containsExactly("1", "2");
    assertThat(said(Nack.class).get(1))
        .isEqualTo(new Nack("numbers:1", 0, 1, 3, 2, "java.lang.IllegalStateException: number 3"));
    numbers.failing.clear();
    awaitAck(4);
    assertThat(numbersStored()).containsExactly("1", "2", "3", "4");
  }

  @Test
  void an_epoch_that_changed_goes_on_where_the_server_says() {
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 9, 9));
    awaitAck(9);
    var next = UUID.randomUUID();
    consumers.events(new Events("numbers:1", 0, 1, next, 5, 6, List.of(event(6))));
    awaitAck(6);
    assertThat(numbersStored()).containsExactly("6", "9");
    assertThat(rows("select epoch from evento_checkpoint")).containsExactly(next.toString());
  }

  @Test
  void a_new_fence_waits_for_the_handler_that_runs() throws Exception {
    numbers.gate = new CountDownLatch(1);
    numbers.reached = new CountDownLatch(1);
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 1, 1));
    consumers.events(events(1, 1, 2, 2));
    assertThat(numbers.reached.await(10, TimeUnit.SECONDS)).isTrue();
    enable(segment(0, 127, 2, 0));
    assertThat(said(Credit.class)).hasSize(1);
    numbers.gate.countDown();
    awaitSaid(Credit.class, 2);
    assertThat(said(Credit.class).get(1).position()).isEqualTo(1);
    assertThat(said(Ack.class)).as("the old fence acknowledges nothing any more").isEmpty();
    consumers.events(events(2, 1, 2, 2));
    awaitAck(2);
    assertThat(numbersStored()).containsExactly("1", "2");
    assertThat(numbers.runningMost).hasValue(1);
  }

  @Test
  void what_a_link_gave_is_over_when_the_link_is() {
    enable(segment(0, 127, 1, 0));
    awaitSaid(Credit.class, 1);
    consumers.lost(this);
    consumers.events(events(1, 0, 1, 1));
    await().atMost(ofSeconds(5)).until(consumers::isIdle);
    assertThat(numbersStored()).isEmpty();
  }

  @Test
  void credits_are_granted_back_in_lumps() {
    enable(segment(0, 127, 1, 0));
    for (var at = 0L; at < 160; at += 16) {
      var from = at;
      consumers.events(
          events(1, at, at + 16, LongStream.rangeClosed(from + 1, from + 16).toArray()));
    }
    awaitAck(160);
    assertThat(said(Credit.class)).extracting(Credit::events).containsExactly(256, 64, 64);
  }

  @Test
  void a_split_goes_on_in_both_halves_and_equal_halves_are_joined() {
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 3, 1, 2, 3));
    awaitAck(3);
    enable(segment(64, 127, 2, 0));
    awaitSaid(Credit.class, 2);
    assertThat(checkpoints()).containsExactly("0-63@3 fence 1", "64-127@3 fence 2");
    enable(segment(0, 127, 3, 0));
    awaitSaid(Credit.class, 3);
    assertThat(checkpoints()).containsExactly("0-127@3 fence 3");
  }

  @Test
  void halves_that_stand_apart_are_not_joined() {
    enable(segment(0, 127, 1, 0));
    awaitSaid(Credit.class, 1);
    enable(segment(64, 127, 2, 0));
    awaitSaid(Credit.class, 2);
    consumers.events(events(2, 0, 3, 1));
    awaitAck(3);
    enable(segment(0, 127, 3, 0));
    awaitSaid(Disable.class, 1);
    assertThat(checkpoints()).containsExactly("0-63@0 fence 1", "64-127@3 fence 2");
  }

  @Test
  void a_bundle_that_stops_gives_its_segments_up_without_waiting_for_retries() {
    numbers.failing.add(1L);
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 1, 1));
    awaitSaid(Nack.class, 3);
    consumers.stop();
    await().atMost(ofSeconds(2)).until(consumers::isIdle);
    assertThat(said(Disable.class)).containsExactly(new Disable("numbers:1", 0, 1));
  }

  @Test
  void an_unknown_consumer_is_given_back_at_once() {
    consumers.enable(new Enable("other:1", 0, 0, 127, 5, EPOCH, 0), answers::add, this);
    assertThat(answers).containsExactly(new Disable("other:1", 0, 5));
  }

  @Test
  void a_projector_without_a_transaction_relies_on_the_servers_checkpoint() {
    plain.failing.add(2L);
    consumers.enable(new Enable("plain:1", 0, 0, 127, 1, EPOCH, 0), answers::add, this);
    awaitSaid(Credit.class, 1);
    assertThat(said(Credit.class).get(0).position()).isNull();
    consumers.events(
        new Events("plain:1", 0, 1, EPOCH, 0, 3, List.of(event(1), event(2), event(3))));
    awaitSaid(Nack.class, 1);
    awaitAck(1);
    plain.failing.clear();
    awaitAck(3);
    assertThat(plain.seen).containsExactly(1L, 2L, 3L);
  }

  @Test
  void what_failed_too_often_waits_to_be_parked_and_is_passed_over_then() throws Exception {
    numbers.failing.add(2L);
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 5, 1, 2, 3, 4));
    await().atMost(ofSeconds(10)).until(() -> said(Nack.class).stream().anyMatch(Nack::park));
    assertThat(said(Nack.class)).extracting(Nack::attempt).contains(1, 2, 3, 4, 5);
    numbers.failing.clear();
    await().during(ofSeconds(3)).atMost(ofSeconds(5)).until(() -> numbersStored().size() == 1);
    assertThat(said(Nack.class).stream().filter(Nack::park).count())
        .as("it asks again")
        .isGreaterThan(1);
    consumers.parked(new Parked("numbers:1", 0, 1, List.of(2L, 4L)));
    awaitAck(5);
    assertThat(numbersStored()).containsExactly("1", "3");
    assertThat(checkpoints()).containsExactly("0-127@5 fence 1");
  }

  @Test
  void a_dead_letter_takes_effect_once_and_moves_no_checkpoint() {
    enable(segment(0, 127, 1, 7));
    awaitSaid(Credit.class, 1);
    var letter = UUID.randomUUID();
    consumers.retry(new Retry("numbers:1", 0, 1, letter, event(3)));
    awaitSaid(Retried.class, 1);
    consumers.retry(new Retry("numbers:1", 0, 1, letter, event(3)));
    awaitSaid(Retried.class, 2);
    assertThat(said(Retried.class))
        .containsOnly(new Retried("numbers:1", 0, 1, letter, null, false));
    assertThat(numbersStored()).containsExactly("3");
    assertThat(checkpoints()).containsExactly("0-127@7 fence 1");
  }

  @Test
  void a_dead_letter_that_fails_again_says_so_and_changes_nothing() throws Exception {
    numbers.failing.add(3L);
    enable(segment(0, 127, 1, 7));
    awaitSaid(Credit.class, 1);
    var letter = UUID.randomUUID();
    consumers.retry(new Retry("numbers:1", 0, 1, letter, event(3)));
    awaitSaid(Retried.class, 1);
    assertThat(said(Retried.class).get(0).failure())
        .isEqualTo("java.lang.IllegalStateException: number 3");
    assertThat(numbersStored()).isEmpty();
    numbers.failing.clear();
    execute("update evento_checkpoint set fence = 2");
    consumers.retry(new Retry("numbers:1", 0, 1, letter, event(3)));
    awaitSaid(Disable.class, 1);
    assertThat(numbersStored()).as("by whoever was fenced off").isEmpty();
  }

  @Test
  void what_a_constraint_refuses_at_the_commit_is_the_events_fault() throws Exception {
    execute(
        "create table parent (number bigint primary key);"
            + "alter table number add foreign key (number) references parent"
            + " deferrable initially deferred; insert into parent values (1), (3)");
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 3, 1, 2, 3));
    await().atMost(ofSeconds(10)).until(() -> said(Nack.class).stream().anyMatch(Nack::park));
    assertThat(said(Nack.class)).extracting(Nack::position).containsOnly(2L);
    execute("drop table number, parent cascade");
  }

  @Test
  void a_database_that_is_away_is_waited_for_and_parks_nothing() {
    plain.broken = new SQLException("terminating connection", "57P01");
    consumers.enable(new Enable("plain:1", 0, 0, 127, 1, EPOCH, 0), answers::add, this);
    consumers.events(new Events("plain:1", 0, 1, EPOCH, 0, 1, List.of(event(1))));
    awaitSaid(Nack.class, 6);
    assertThat(said(Nack.class)).noneMatch(Nack::park).extracting(Nack::attempt).containsOnly(0);
    plain.broken = null;
    awaitAck(1);
  }

  @Test
  void a_data_source_that_refuses_unchecked_is_asked_again() {
    DATABASE.refusals.set(2);
    enable(segment(0, 127, 1, 0));
    awaitSaid(Credit.class, 1);
    DATABASE.refusals.set(2);
    consumers.events(events(1, 0, 3, 1, 2));
    awaitAck(3);
    assertThat(numbersStored()).containsExactly("1", "2");
  }

  @Test
  void whoever_froze_in_its_transaction_keeps_no_other_segment_waiting() throws Exception {
    enable(segment(0, 63, 1, 0));
    enable(new Enable("numbers:1", 1, 64, 127, 1, EPOCH, 0));
    awaitSaid(Credit.class, 2);
    try (var frozen = DATABASE.getConnection();
        var statement = frozen.createStatement()) {
      frozen.setAutoCommit(false);
      statement.execute("select from evento_checkpoint where first_slot = 0 for update");
      enable(segment(0, 63, 2, 0));
      await()
          .atMost(ofSeconds(10))
          .until(() -> !rows("select 1 from pg_locks where not granted").isEmpty());
      enable(new Enable("numbers:1", 1, 64, 127, 2, EPOCH, 0));
      await()
          .atMost(ofSeconds(10))
          .until(
              () -> said(Credit.class).stream().anyMatch(c -> c.segment() == 1 && c.fence() == 2));
      frozen.rollback();
    }
    await()
        .atMost(ofSeconds(20))
        .until(() -> said(Credit.class).stream().anyMatch(c -> c.segment() == 0 && c.fence() == 2));
  }

  @Test
  void where_an_operator_put_the_segment_elsewhere_the_own_checkpoint_follows_once() {
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 9, 8, 9));
    awaitAck(9);
    enable(new Enable("numbers:1", 0, 0, 127, 5, EPOCH, 4, 5));
    awaitSaid(Credit.class, 2);
    assertThat(said(Credit.class).get(1).position()).isEqualTo(4);
    consumers.events(events(5, 4, 6, 6));
    awaitAck(6);
    enable(new Enable("numbers:1", 0, 0, 127, 6, EPOCH, 4, 5));
    awaitSaid(Credit.class, 3);
    assertThat(said(Credit.class).get(2).position()).isEqualTo(6);
  }
}
