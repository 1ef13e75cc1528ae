package io.evento.server.aggregate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.dispatch.Dispatcher;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.Codec;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Receipt;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.eventstore.read.SnapshotTable;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.RoutingNode;
import io.evento.server.routing.session.BundleSession;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Streams that are longer than a node or a session may hold at once. */
@NullUnmarked
class LongHistoryTest {
  private static final int EVENTS = 24;
  private static final String PAGE = "x".repeat(900_000);
  private static final long PARTS_CHARS_MAX = 10 << 20;

  record Count(@AggregateId String id) {}

  record Written(String text) {}

  @Aggregate
  record Diary(int pages) {
    @CommandHandler
    static Decision<Written> count(Count command, Diary state) {
      return Decision.reply(state == null ? 0 : state.pages);
    }

    @EventSourcingHandler
    static Diary written(Written event, Diary state) {
      if (event.text().equals("torn")) {
        throw new IllegalStateException("a torn page");
      }
      return new Diary(state == null ? 1 : state.pages + 1);
    }
  }

  private TestDatabase database;
  private RoutingNode node;
  private DecisionNode decisions;
  private SnapshotTable snapshots;
  private final DecideMessage.Aggregate diary =
      new DecideMessage.Aggregate("Diary", UUID.randomUUID().toString());
  private Tip tip = Tip.EMPTY;

  @BeforeEach
  void writeALongOne() {
    database = PostgresFixture.shared().migrated();
    decisions = DecisionNode.up(database);
    node = decisions.routing;
    snapshots = decisions.snapshots;
    write(EVENTS, PAGE);
  }

  private void write(int events, String text) {
    for (var i = 0; i < events; i++) {
      var event =
          new AppendRequest.ProposedEvent(
              0, "bank", "Written", List.of(), null, "{\"text\":\"" + text + "\"}");
      var proposal =
          new AppendRequest(
              UUID.randomUUID(),
              i,
              tip.version() + 1,
              OutcomeKind.EVENTS,
              null,
              List.of(new AppendRequest.Basis(diary.stream(), tip)),
              List.of(event),
              null);
      tip =
          ((AppendResult.Appended) StoreNode.await(node.store.appender.append(proposal)))
              .tips()
              .get(0);
    }
  }

  @AfterEach
  void stop() {
    decisions.close();
    database.close();
  }

  @Test
  void they_are_told_in_legs_of_which_each_fits() {
    var bundle = new Instance();
    assertThat(pages(count(20_000))).isEqualTo(EVENTS);
    assertThat(bundle.legs()).hasSize(3).allMatch(chars -> chars < PARTS_CHARS_MAX);
    assertThat(bundle.decisions).as("only the last leg is decided on").hasSize(3);
    assertThat(pages(count(20_000))).as("the bundle holds the state now").isEqualTo(EVENTS);
    assertThat(bundle.legs()).hasSize(3);
  }

  @Test
  void what_one_command_had_no_time_for_the_next_one_need_not_be_told() {
    var bundle = new Instance();
    bundle.silentAfter(1);
    assertThat(failure(count(1_500)).code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> snapshots.load(diary.stream(), bundle.schema).isPresent());
    bundle.end();

    var next = new Instance();
    assertThat(pages(count(20_000))).isEqualTo(EVENTS);
    assertThat(next.firstHistory().from()).isPositive();
  }

  @Test
  void a_state_of_another_release_is_not_in_the_way() {
    snapshots.store(diary.stream(), tip, "another", "{}");
    var bundle = new Instance();
    bundle.silentAfter(1);
    count(1_500);
    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> snapshots.load(diary.stream(), bundle.schema).isPresent());
  }

  @Test
  void
      a_handler_that_tells_no_state_on_the_way_is_told_all_at_once_as_long_as_a_session_takes_it() {
    new Instance().withoutStates();
    assertThat(pages(count(20_000))).isEqualTo(EVENTS);
    write(6, PAGE);
    node.sessions.all().forEach(node.sessions::remove);
    new Instance().withoutStates();
    var told = failure(count(20_000));
    assertThat(told.code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    assertThat(told.detail()).contains(diary.stream(), "too long");
  }

  @Test
  void an_event_late_in_the_history_that_cannot_be_applied_is_said_so_at_once() {
    write(1, "torn");
    new Instance();
    assertThat(failure(count(20_000)).code()).isEqualTo(ErrorCode.HANDLER_FAILED);
  }

  @Test
  void a_state_on_the_way_is_not_decided_on_by_whoever_comes_next() {
    var bundle = new Instance();
    bundle.silentAfter(1);
    var queue = queue();
    assertThat(failure(count(1_500, queue)).code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    bundle.silentAfter(Integer.MAX_VALUE);
    assertThat(pages(count(20_000, queue))).isEqualTo(EVENTS);
    assertThat(bundle.decisions)
        .filteredOn(decided -> decided.value() != null)
        .as("decided at the end of the history alone")
        .allMatch(decided -> decided.tip().version() == EVENTS);
  }

  private CompletionStage<Receipt> count(long millis) {
    return count(millis, queue());
  }

  private StreamQueue queue() {
    return Owner.queue((lane, next) -> decisions.decisions.decide(lane, next, diary));
  }

  private CompletionStage<Receipt> count(long millis, StreamQueue queue) {
    var id = UUID.randomUUID();
    var request =
        new CommandRequest(
            id,
            "Count",
            "bank",
            diary,
            null,
            null,
            Deadline.in(millis),
            null,
            id.toString(),
            null,
            null,
            new Json("{\"id\":\"" + diary.id() + "\"}"),
            7);
    var pending = new PendingCommand(request);
    queue.enter(pending);
    queue.startNext();
    return pending.outcome();
  }

  private static int pages(CompletionStage<Receipt> answer) {
    return Integer.parseInt(StoreNode.await(answer).result().text());
  }

  private static EventoException failure(CompletionStage<Receipt> answer) {
    try {
      answer.toCompletableFuture().join();
      throw new AssertionError("no failure");
    } catch (CompletionException failure) {
      return (EventoException) failure.getCause();
    }
  }

  /** One instance of a bundle, with the SDK's dispatcher behind its session. */
  private final class Instance implements BundleSession.Door {
    private final Components components =
        Components.of(List.of(Diary.class), new PayloadMapper(), false);
    private final Dispatcher dispatcher =
        new Dispatcher(components, null, (a, b) -> List.of(), Threads.own());
    private final List<Decide> asked = new CopyOnWriteArrayList<>();
    private final List<Decided> decisions = new CopyOnWriteArrayList<>();
    private final BundleSession session;
    private final String schema;
    private volatile int answersMax = Integer.MAX_VALUE;
    private volatile boolean tellsNoStates;

    Instance() {
      var component = components.declared().get(0);
      schema = component.stateSchema();
      session = node.host(component, this);
    }

    void silentAfter(int answers) {
      answersMax = answers;
    }

    void withoutStates() {
      tellsNoStates = true;
    }

    void end() {
      node.sessions.remove(session);
    }

    @Override
    public boolean send(Message message, Lane lane) {
      if (Codec.read(Codec.write(message)) instanceof Decide ask) {
        asked.add(ask);
        dispatcher.decide(ask, this::answer);
      }
      return true;
    }

    private void answer(Message message) {
      var decided = (Decided) Codec.read(Codec.write(message));
      if (!decided.stale()) {
        decisions.add(decided);
      }
      if (decisions.size() <= answersMax || decided.stale()) {
        session.answered(decided.attempt(), tellsNoStates ? stateless(decided) : decided);
      }
    }

    private static Decided stateless(Decided said) {
      return new Decided(
          said.id(),
          said.attempt(),
          said.tip(),
          said.events(),
          said.value(),
          said.rejection(),
          said.stale(),
          said.failure(),
          null,
          said.micros());
    }

    /** How much each history had that was told. */
    List<Long> legs() {
      var legs = new ArrayList<Long>();
      var attempt = 0L;
      for (var ask : asked) {
        if (ask.history() != null) {
          if (ask.attempt() != attempt) {
            legs.add(0L);
          }
          attempt = ask.attempt();
          var last = legs.size() - 1;
          legs.set(last, legs.get(last) + Codec.write(ask).length());
        }
      }
      return legs;
    }

    DecideMessage.History firstHistory() {
      return asked.stream()
          .map(Decide::history)
          .filter(history -> history != null)
          .findFirst()
          .orElseThrow();
    }
  }
}
