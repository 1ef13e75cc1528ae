package io.evento.server.aggregate;

import static io.evento.server.aggregate.AccountAnswers.DEPOSITED;
import static io.evento.server.aggregate.AccountAnswers.SCHEMA;
import static io.evento.server.aggregate.AccountAnswers.component;
import static io.evento.server.aggregate.AccountAnswers.decided;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.DecideMessage.Snapshot;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.RecordedEvent;
import io.evento.server.aggregate.ScriptedBundle.Script;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.routing.CommandRequest;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/**
 * One aggregate on a real store whose gate is held by somebody else when a test wants it, so that
 * what is decided is not stored.
 */
@NullUnmarked
abstract class ChainFixture {
  static final Duration LIMIT = Duration.ofSeconds(10);
  static final NewEvent LARGE =
      new NewEvent("Deposited", List.of(), new Json("\"" + "x".repeat(300 << 10) + "\""));
  static TestDatabase database;
  final DecideMessage.Aggregate account =
      new DecideMessage.Aggregate("Account", UUID.randomUUID().toString());
  final Map<UUID, Script<Decide>> scripts = new ConcurrentHashMap<>();
  DecisionNode node;
  final StreamQueue queue = Owner.queue((lane, next) -> node.decisions.decide(lane, next, account));

  @BeforeAll
  static void migrate() {
    database = PostgresFixture.shared().migrated();
  }

  @AfterAll
  static void drop() {
    database.close();
  }

  @BeforeEach
  void start() {
    node = DecisionNode.up(database);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  /** So that as many links may be on their way. */
  void warmUp() {
    for (var i = 0; i < 4; i++) {
      StoreNode.await(send(command()).get(0));
    }
  }

  static Connection gateHeld() throws SQLException {
    var owner = database.asOwner();
    owner.setAutoCommit(false);
    owner.createStatement().execute("lock table evento.append_gate in exclusive mode");
    return owner;
  }

  CommandRequest command() {
    return DecisionNode.command(UUID.randomUUID(), account, null, 10_000);
  }

  List<CompletableFuture<Receipt>> send(CommandRequest... requests) {
    var told = new ArrayList<CompletableFuture<Receipt>>();
    for (var request : requests) {
      var pending = new PendingCommand(request);
      assertThat(queue.enter(pending)).isEqualTo(StreamQueue.Entry.TAKEN);
      told.add(pending.outcome());
      queue.startNext();
    }
    return told;
  }

  ScriptedBundle<Decide> bundle() {
    return new ScriptedBundle<>(node.routing, component(null, 0), Decide.class, this::answer);
  }

  Decided answer(Decide ask, ScriptedBundle<Decide> self) {
    var script = scripts.get(ask.id());
    return script == null ? decided(ask, DEPOSITED) : (Decided) script.answer(ask, self);
  }

  static Decided withState(Decide ask) {
    return new Decided(
        ask.id(),
        ask.attempt(),
        ask.tip(),
        List.of(DEPOSITED),
        null,
        null,
        false,
        null,
        new Snapshot(SCHEMA, new Json("{\"n\":1}")),
        0);
  }

  static void awaitAsked(ScriptedBundle<Decide> bundle, int count) {
    await().atMost(LIMIT).untilAsserted(() -> assertThat(bundle.asked()).hasSize(count));
  }

  static List<Long> versions(List<CompletableFuture<Receipt>> told) {
    return told.stream().map(one -> StoreNode.await(one).aggregate().version()).toList();
  }

  List<RecordedEvent> events() {
    return node.events(account.stream());
  }

  /** Of the append that stored the stream's events. */
  long calls() throws SQLException {
    try (var owner = database.asOwner();
        var select =
            owner.prepareStatement(
                "select count(distinct xmin::text) from evento.event where stream_id = ?")) {
      select.setString(1, account.stream());
      var row = select.executeQuery();
      row.next();
      return row.getLong(1);
    }
  }
}
