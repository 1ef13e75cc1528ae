package io.evento.server.consumer;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.RewindHandler;
import io.evento.bundle.api.Rewound;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Message;
import io.evento.server.consumer.segment.Slots;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/** A session of a bundle that is the real SDK, without the socket between. */
public final class LedgerBundle extends RecordingBundle implements AutoCloseable {
  private final ConsumerNode node;
  private final io.evento.bundle.consumer.Consumers consumers;
  private final ExecutorService link = Executors.newSingleThreadExecutor();
  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private volatile boolean isDeaf;

  private LedgerBundle(ConsumerNode node, Object projector, @Nullable DataSource database) {
    super(UUID.randomUUID());
    this.node = node;
    var mapper = new PayloadMapper();
    var components = Components.of(List.of(projector), mapper, database != null);
    consumers =
        new io.evento.bundle.consumer.Consumers(
            components.projectors(),
            mapper,
            database == null ? null : io.evento.bundle.consumer.Database.of(database),
            clock,
            Threads.own());
  }

  /** Connects it with one projector of some segments. */
  public static LedgerBundle connect(
      ConsumerNode node, Ledger ledger, @Nullable DataSource database, int segments) {
    var projector = database == null ? new Plain(ledger) : new Transactional(ledger);
    var bundle = new LedgerBundle(node, projector, database);
    bundle.connect(
        node.sessions,
        RecordingBundle.projector(
            "accounts", new Consumption(List.of(), List.of(), "beginning", segments)));
    node.passes.wake();
    return bundle;
  }

  /** The bundle's own database: a schema beside the server's. */
  public static DataSource database(TestDatabase where) throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute("drop schema if exists mine cascade");
      statement.execute("create schema mine");
      statement.execute("create table mine.handled (n bigserial, position bigint, account text)");
      statement.execute("create table mine.rewound (what text)");
    }
    var source = new PGSimpleDataSource();
    source.setUrl(where.url());
    source.setUser("postgres");
    source.setCurrentSchema("mine");
    return source;
  }

  /** What is said to it is lost from now on: a frozen process. */
  public void freeze() {
    isDeaf = true;
  }

  @Override
  public boolean send(Message message, Lane lane) {
    super.send(message, lane);
    if (!link.isShutdown() && !isDeaf) {
      link.execute(() -> take(message));
    }
    return true;
  }

  private void take(Message message) {
    if (message instanceof ConsumerMessage.Enable enabled) {
      consumers.enable(enabled, this::answer, this);
    } else if (message instanceof ConsumerMessage.Disable taken) {
      consumers.disable(taken, this);
    } else if (message instanceof ConsumerMessage.Events events) {
      consumers.events(events);
    } else if (message instanceof ConsumerMessage.Parked parked) {
      consumers.parked(parked);
    } else if (message instanceof ConsumerMessage.Retry retry) {
      consumers.retry(retry);
    }
  }

  private void answer(Message message) {
    if (message instanceof ConsumerMessage.Credit credit) {
      node.consumers.credit(session, credit);
    } else if (message instanceof ConsumerMessage.Ack ack) {
      node.consumers.ack(session, ack);
    } else if (message instanceof ConsumerMessage.Nack nack) {
      node.consumers.nack(session, nack);
    } else if (message instanceof ConsumerMessage.Retried retried) {
      node.consumers.retried(session, retried);
    } else if (message instanceof ConsumerMessage.Disable given) {
      node.consumers.disable(session, given);
    }
  }

  @Override
  public void close() {
    link.shutdownNow();
    consumers.close();
    clock.shutdownNow();
  }

  record MoneyDeposited(long amount) {}

  /** What was handled, and what fails. */
  public static final class Ledger {
    public final List<Long> amounts = new CopyOnWriteArrayList<>();
    public final Set<Long> refused = ConcurrentHashMap.newKeySet();
    public final Map<String, List<Long>> handled = new ConcurrentHashMap<>();
    public final Set<String> poisoned = ConcurrentHashMap.newKeySet();
    public final Map<String, RuntimeException> failures = new ConcurrentHashMap<>();
    final Set<Integer> running = ConcurrentHashMap.newKeySet();
    public final List<String> overlaps = new CopyOnWriteArrayList<>();
    public final List<Rewound> rewinds = new CopyOnWriteArrayList<>();
    public volatile long pauseNanos;

    /** How often it fails when it is told of lost events. */
    public volatile int failRewinds;

    /** Called before an event is handled; a test's own, which may wait or fail. */
    public volatile Consumer<EventMetadata> before = at -> {};

    public List<Long> of(String account) {
      return handled.getOrDefault(account, List.of());
    }

    public int count() {
      return handled.values().stream().mapToInt(List::size).sum();
    }

    void handle(MoneyDeposited event, EventMetadata at) {
      if (refused.contains(event.amount())) {
        throw new IllegalStateException("cannot take " + event.amount());
      }
      handle(at);
      amounts.add(event.amount());
    }

    private void handle(EventMetadata at) {
      var slot = Slots.of(new io.evento.protocol.RecordedEvent.Stream("Account", at.aggregateId()));
      if (!running.add(slot)) {
        overlaps.add("slot " + slot + " at position " + at.position());
      }
      try {
        LockSupport.parkNanos(pauseNanos);
        before.accept(at);
        var failure = failures.get(at.aggregateId());
        if (failure != null) {
          throw failure;
        }
        if (poisoned.contains(at.aggregateId())) {
          throw new IllegalStateException("poison at " + at.position());
        }
        handled
            .computeIfAbsent(at.aggregateId(), first -> new CopyOnWriteArrayList<>())
            .add(at.position());
      } finally {
        running.remove(slot);
      }
    }
  }

  @Projector(name = "accounts")
  static final class Plain {
    private final Ledger ledger;

    Plain(Ledger ledger) {
      this.ledger = ledger;
    }

    @EventHandler
    void on(MoneyDeposited event, EventMetadata at) {
      ledger.handle(event, at);
    }
  }

  @Projector(name = "accounts")
  static final class Transactional {
    private final Ledger ledger;

    Transactional(Ledger ledger) {
      this.ledger = ledger;
    }

    @RewindHandler
    void on(Rewound rewound, Connection tx) throws SQLException {
      ledger.rewinds.add(rewound);
      try (var insert = tx.prepareStatement("insert into rewound (what) values (?)")) {
        insert.setString(
            1,
            rewound.consumer()
                + " "
                + rewound.segment()
                + " "
                + rewound.formerEpoch()
                + " "
                + rewound.from()
                + ".."
                + rewound.to()
                + " "
                + rewound.epoch());
        insert.executeUpdate();
      }
      if (ledger.rewinds.size() <= ledger.failRewinds) {
        throw new IllegalStateException("not now");
      }
    }

    @EventHandler
    void on(MoneyDeposited event, EventMetadata at, Connection tx) throws SQLException {
      ledger.handle(event, at);
      try (var insert =
          tx.prepareStatement("insert into handled (position, account) values (?, ?)")) {
        insert.setLong(1, at.position());
        insert.setString(2, at.aggregateId());
        insert.executeUpdate();
      }
    }
  }
}
