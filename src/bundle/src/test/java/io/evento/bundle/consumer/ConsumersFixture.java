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
import io.evento.bundle.thread.Threads;
import io.evento.protocol.ConsumerMessage.Ack;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.ConsumerMessage.Events;
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
import org.postgresql.ds.PGSimpleDataSource;

/** Two projectors of a bundle, one with its rows and checkpoint in a database, without a server. */
abstract class ConsumersFixture {
  static final UUID EPOCH = UUID.randomUUID();
  static final UUID COMMAND = UUID.randomUUID();
  static final Database DATABASE = database();

  /** One that refuses in its own way, as routing data sources do. */
  static final class Database extends PGSimpleDataSource {
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
  final List<Message> answers = new CopyOnWriteArrayList<>();
  final Numbers numbers = new Numbers();
  final Plain plain = new Plain();
  final Consumers consumers = consumers(numbers);

  final Consumers consumers(Object instance) {
    var mapper = new PayloadMapper();
    var components = Components.of(List.of(instance, plain), mapper, true);
    return new Consumers(
        components.projectors(),
        mapper,
        io.evento.bundle.consumer.Database.of(DATABASE),
        clock,
        Threads.own());
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

  static void execute(String sql) throws SQLException {
    try (var connection = DATABASE.getConnection();
        var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  static List<String> rows(String sql) {
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

  static List<String> numbersStored() {
    return rows("select number from number order by position");
  }

  static List<String> checkpoints() {
    return rows(
        "select first_slot || '-' || last_slot || '@' || position || ' fence ' || fence"
            + " from evento_checkpoint order by first_slot");
  }

  static Enable segment(int first, int last, long fence, long position) {
    return new Enable("numbers:1", 0, first, last, fence, EPOCH, position);
  }

  void enable(Enable given) {
    consumers.enable(given, answers::add, this);
  }

  static RecordedEvent event(long position) {
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

  static Events events(long fence, long from, long upTo, long... positions) {
    return new Events(
        "numbers:1",
        0,
        fence,
        EPOCH,
        from,
        upTo,
        LongStream.of(positions).mapToObj(ConsumersFixture::event).toList());
  }

  <T extends Message> List<T> said(Class<T> kind) {
    return answers.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  void awaitAck(long position) {
    await()
        .atMost(ofSeconds(10))
        .until(() -> said(Ack.class).stream().anyMatch(ack -> ack.position() == position));
  }

  <T extends Message> void awaitSaid(Class<T> kind, int times) {
    await().atMost(ofSeconds(10)).until(() -> said(kind).size() >= times);
  }
}
