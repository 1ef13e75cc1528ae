package io.evento.server.aggregate;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.CommandMessage.Command;
import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Receipt;
import io.evento.protocol.Rendezvous;
import io.evento.protocol.Tip;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.security.Caller;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** At its owner a command whose deadline passed is not decided, and a decided one is stored. */
@Tag("I8")
class ExpiredDecisionsTest {
  private static final Duration SHORT = ofMillis(500);
  private static final Duration LIMIT = ofSeconds(10);

  /** So many threads read stories, and as many what boundaries rest on. */
  private static final int READERS = 6;

  /** Who decides: over the one stream of an aggregate, or over those that a boundary reads. */
  private enum Kind {
    AGGREGATE("aggregate", "Account", "Deposit"),
    BOUNDARY("boundary", "Booking", "Book");

    private final String component;
    private final String name;
    private final String command;

    Kind(String component, String name, String command) {
      this.component = component;
      this.name = name;
      this.command = command;
    }

    Component declared() {
      return new Component(
          ComponentKind.of(component),
          name,
          0,
          "bank",
          List.of(new CommandType(command, "key", null)),
          List.of(),
          List.of(),
          null,
          null);
    }

    Command command(String key, Duration deadline) {
      return new Command(
          UUID.randomUUID(),
          command,
          null,
          (int) deadline.toMillis(),
          null,
          null,
          new Json("{\"key\":\"" + key + "\"}"));
    }

    ExecutorService readers(CommandNode node) {
      return this == AGGREGATE ? node.decisions.loop.readers() : node.boundaries.loop.readers();
    }
  }

  /** A session of an instance that answers when a test says so. */
  private static final class Deciding implements BundleSession.Door {
    private final List<Message> asked = new CopyOnWriteArrayList<>();
    private final BundleSession session;

    Deciding(CommandNode node, Kind kind) {
      session = node.routing.host(kind.declared(), this);
    }

    @Override
    public boolean send(Message message, Lane lane) {
      asked.add(message);
      return true;
    }

    List<UUID> commands() {
      return asked.stream().map(Deciding::command).toList();
    }

    private static UUID command(Message asked) {
      return asked instanceof Decide ask ? ask.id() : ((DecideBoundary) asked).id();
    }

    Message awaitQuestionOf(Command command) {
      await(command.type() + " is asked for")
          .atMost(LIMIT)
          .until(() -> commands().contains(command.id()));
      return asked.get(commands().lastIndexOf(command.id()));
    }

    /** Twice where no state was named: it is named then. */
    void fail(Command command) {
      var question = awaitQuestionOf(command);
      failAt(question);
      if (question instanceof Decide ask && ask.tip() == null) {
        await("asked with the state")
            .atMost(LIMIT)
            .until(() -> Collections.frequency(commands(), command.id()) == 2);
        failAt(awaitQuestionOf(command));
      }
    }

    private void failAt(Message question) {
      var why = new Failure(ErrorCode.HANDLER_FAILED, "as the test wants it", List.of());
      if (question instanceof Decide ask) {
        answer(
            ask.attempt(),
            new Decided(ask.id(), ask.attempt(), null, List.of(), null, null, false, why, null, 0));
      } else if (question instanceof DecideBoundary ask) {
        answer(
            ask.attempt(),
            new BoundaryDecided(
                ask.id(), ask.attempt(), List.of(), null, false, List.of(), null, null, why));
      }
    }

    /** Has the node read what the decision rests on. */
    void wantToRead(Message question) {
      if (question instanceof Decide ask) {
        answer(
            ask.attempt(),
            new Decided(ask.id(), ask.attempt(), null, List.of(), null, null, true, null, null, 0));
      } else if (question instanceof DecideBoundary ask) {
        var all = List.of(new Criterion(List.of(), List.of("room:1")));
        answer(
            ask.attempt(),
            new BoundaryDecided(
                ask.id(), ask.attempt(), all, "s", true, List.of(), null, null, null));
      }
    }

    void deposit(Message question) {
      var ask = (Decide) question;
      answer(
          ask.attempt(),
          new Decided(
              ask.id(),
              ask.attempt(),
              ask.tip() == null ? Tip.EMPTY : ask.tip(),
              List.of(new NewEvent("Deposited", 1, List.of(), Json.EMPTY_OBJECT)),
              null,
              null,
              false,
              null,
              null,
              0));
    }

    private void answer(long attempt, Message said) {
      session.answered(attempt, said);
    }
  }

  private final List<CommandNode> nodes = new ArrayList<>();
  private TestDatabase database;
  private CommandNode node;

  @BeforeEach
  void start() {
    database = PostgresFixture.shared().migrated();
    node = up("a");
  }

  @AfterEach
  void stop() {
    nodes.forEach(CommandNode::close);
    database.close();
  }

  @ParameterizedTest
  @EnumSource
  void what_expires_in_the_queue_of_its_owner_after_a_forward_is_asked_of_nobody(Kind kind)
      throws Exception {
    var owner = up("b");
    node.routing.links.start();
    owner.routing.links.start();
    var bundle = new Deciding(owner, kind);
    await().atMost(LIMIT).until(() -> node.routing.directory.hosting(kind.command).size() == 1);
    await().atMost(LIMIT).until(() -> node.routing.membership.members().owners().size() == 2);
    var key = ownedBy("b", kind);
    var first = kind.command(key, LIMIT);
    var late = kind.command(key, SHORT);
    var last = kind.command(key, LIMIT);

    node.router.dispatch(Caller.developer("test"), first);
    bundle.awaitQuestionOf(first);
    var told = node.router.dispatch(Caller.developer("test"), late);
    node.router.dispatch(Caller.developer("test"), last);
    assertThat(code(told)).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    pass(SHORT); // its owner counts from when it heard of it
    bundle.fail(first);
    bundle.fail(last);

    assertThat(new LinkedHashSet<>(bundle.commands())).containsExactly(first.id(), last.id());
    assertThat(owner.routing.store.outcomes.outcome(late.id())).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void what_expires_before_its_turn_to_read_is_not_asked_again(Kind kind) throws Exception {
    var bundle = new Deciding(node, kind);
    var gate = new CountDownLatch(1);
    for (var i = 0; i < READERS; i++) {
      kind.readers(node).execute(() -> hold(gate));
    }
    var late = kind.command("k", SHORT);
    var told = node.router.dispatch(Caller.developer("test"), late);
    bundle.wantToRead(bundle.awaitQuestionOf(late));
    assertThat(code(told)).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    gate.countDown();

    var next = kind.command("k", LIMIT);
    node.router.dispatch(Caller.developer("test"), next);
    bundle.awaitQuestionOf(next);
    assertThat(bundle.commands()).containsExactly(late.id(), next.id());
  }

  @Test
  void what_was_decided_in_time_is_stored_after_its_deadline_and_a_repeat_hears_of_it()
      throws Exception {
    var bundle = new Deciding(node, Kind.AGGREGATE);
    var command = Kind.AGGREGATE.command("k", SHORT);
    try (var gate = database.asOwner()) {
      gate.setAutoCommit(false);
      gate.createStatement().execute("lock table evento.append_gate in exclusive mode");
      var told = node.router.dispatch(Caller.developer("test"), command);
      bundle.deposit(bundle.awaitQuestionOf(command));
      assertThat(code(told)).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
      assertThat(node.routing.store.outcomes.outcome(command.id())).isEmpty();
      gate.rollback();
    }
    await()
        .atMost(LIMIT)
        .until(() -> node.routing.store.outcomes.outcome(command.id()).isPresent());

    var again =
        node.router.dispatch(Caller.developer("test"), inTime(command)).toCompletableFuture();
    await().atMost(LIMIT).until(() -> bundle.asked.size() == 2);
    bundle.deposit(bundle.awaitQuestionOf(command));
    var receipt = again.orTimeout(LIMIT.toSeconds(), TimeUnit.SECONDS).join();
    assertThat(receipt.repeated()).isTrue();
    assertThat(receipt.events()).hasSize(1);
  }

  private static Command inTime(Command command) {
    return new Command(
        command.id(), command.type(), null, (int) LIMIT.toMillis(), null, null, command.payload());
  }

  private CommandNode up(String name) {
    var started = new CommandNode(database, name);
    nodes.add(started);
    await()
        .atMost(LIMIT)
        .until(
            () ->
                started.routing.store.appender.isReady() && started.routing.membership.isBeating());
    return started;
  }

  private static void hold(CountDownLatch gate) {
    try {
      gate.await();
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  /** The time itself is what happens here, nothing is waited for. */
  private static void pass(Duration time) {
    await().pollDelay(time).atMost(LIMIT).until(() -> true);
  }

  private static String ownedBy(String node, Kind kind) {
    while (true) {
      var key = UUID.randomUUID().toString();
      if (Rendezvous.rank(kind.name + ":" + key, List.of("a", "b")).get(0).equals(node)) {
        return key;
      }
    }
  }

  private static ErrorCode code(CompletionStage<Receipt> stage) {
    try {
      var receipt =
          stage.toCompletableFuture().orTimeout(LIMIT.toSeconds(), TimeUnit.SECONDS).join();
      throw new AssertionError("it succeeded: " + receipt);
    } catch (CompletionException failed) {
      return ((EventoException) Objects.requireNonNull(failed.getCause())).code();
    }
  }
}
