package io.evento.server.routing.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Receipt;
import io.evento.protocol.ReplyMessage;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.Failures;
import io.evento.server.routing.Fingerprint;
import io.evento.server.routing.NotSentException;
import io.evento.server.routing.RoutingNode;
import io.evento.server.routing.SessionEndedException;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.PoisonMessage;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests that end the session of whoever takes them, and those beside them. */
class FatalRequestsTest {
  private static final String FATAL = "{\"text\":\"fatal\"}";
  private static TestDatabase database;
  private final List<Taking> bundles = new ArrayList<>();
  private RoutingNode node;

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
    node = RoutingNode.up(database, "a");
    await().until(() -> node.store.appender.isReady());
  }

  @AfterEach
  void stop() {
    node.close();
  }

  /** An instance whose session ends when it is given something fatal, or when a test ends it. */
  private final class Taking implements BundleSession.Door {
    private final CompletableFuture<BundleSession> opened = new CompletableFuture<>();
    private final List<CommandMessage.Command> open = new CopyOnWriteArrayList<>();
    private volatile boolean isSlow;
    private volatile boolean isBrisk;

    Taking() {
      opened.complete(node.host("service", new CommandType("Take", null, null, true), this));
      bundles.add(this);
    }

    /** Takes a few milliseconds for each. */
    Taking brisk() {
      isBrisk = true;
      return this;
    }

    Taking slow() {
      isSlow = true;
      return this;
    }

    @Override
    public boolean send(Message message, Lane lane) {
      var command = (CommandMessage.Command) message;
      open.add(command);
      if (command.payload().text().equals(FATAL)) {
        die();
      } else if (isBrisk) {
        node.threads.timer().schedule(this::answerAll, 3, TimeUnit.MILLISECONDS);
      } else if (!isSlow) {
        answerAll();
      }
      return true;
    }

    void answerAll() {
      for (var command : open) {
        open.remove(command);
        session()
            .answered(command.id(), new ReplyMessage.Result(command.id(), null, new Json("7")));
      }
    }

    void die() {
      node.sessions.remove(session());
    }

    boolean isDead() {
      return session().endedUnasked();
    }

    /** It may be given something before this test knows it. */
    BundleSession session() {
      return opened.join();
    }
  }

  @Test
  void a_command_that_ended_three_sessions_is_refused_and_the_fourth_lives() {
    IntStream.range(0, 5).forEach(i -> new Taking());
    var told = failure(take(UUID.randomUUID(), FATAL));
    assertThat(told.code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    assertThat(told.detail()).contains("ended 3 sessions");
    assertThat(PoisonMessage.isRefusal(told)).isTrue();
    assertThat(bundles).filteredOn(Taking::isDead).hasSize(3);
  }

  @Test
  void its_repeats_add_up_where_each_finds_one_session_only() {
    var command = UUID.randomUUID();
    for (var i = 0; i < 2; i++) {
      new Taking();
      assertThat(failure(take(command, FATAL)).code()).isNotEqualTo(ErrorCode.HANDLER_FAILED);
    }
    new Taking();
    assertThat(failure(take(command, FATAL)).code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    var fourth = new Taking();
    assertThat(failure(take(command, FATAL)).code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    assertThat(fourth.isDead()).isFalse();
    assertThat(take(UUID.randomUUID(), "{}").toCompletableFuture())
        .as("others are not held up")
        .succeedsWithin(Duration.ofSeconds(5));
  }

  @Test
  void those_beside_it_have_their_outcome() {
    IntStream.range(0, 5).forEach(i -> new Taking().slow());
    var innocents = takeMany(20);
    var fatal = take(UUID.randomUUID(), FATAL);
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> {
              bundles.forEach(Taking::answerAll);
              return innocents.stream().allMatch(one -> one.toCompletableFuture().isDone())
                  && fatal.toCompletableFuture().isDone();
            });
    assertThat(failure(fatal).code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    assertThat(innocents)
        .allSatisfy(one -> assertThat(one.toCompletableFuture()).isNotCompletedExceptionally());
    assertThat(bundles).filteredOn(Taking::isDead).hasSize(3);
  }

  @Test
  void three_kills_at_the_worst_moments_can_refuse_only_what_was_alone_with_the_third() {
    var last = new ArrayList<CompletionStage<Receipt>>();
    var first = new Taking().slow();
    last.addAll(takeMany(50));
    for (var kill = 0; kill < 3; kill++) {
      var dying = kill == 0 ? first : bundles.get(bundles.size() - 1);
      await().atMost(Duration.ofSeconds(5)).until(() -> !dying.open.isEmpty());
      new Taking().slow();
      dying.die();
    }
    var survivor = bundles.get(bundles.size() - 1);
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> {
              survivor.answerAll();
              return last.stream().allMatch(one -> one.toCompletableFuture().isDone());
            });
    assertThat(last)
        .filteredOn(one -> one.toCompletableFuture().isCompletedExceptionally())
        .as("only one can have been alone when the third session was killed")
        .hasSizeLessThanOrEqualTo(1);
  }

  @Test
  void under_load_kills_refuse_nothing() {
    new Taking().brisk();
    var taken = new ArrayList<CompletionStage<Receipt>>();
    for (var kill = 0; kill < 20; kill++) {
      var round = takeMany(20);
      taken.addAll(round);
      var dying = bundles.get(bundles.size() - 1);
      new Taking().brisk();
      await()
          .pollInterval(Duration.ofMillis(1))
          .until(() -> round.stream().anyMatch(one -> one.toCompletableFuture().isDone()));
      dying.die();
    }
    await()
        .atMost(Duration.ofSeconds(15))
        .until(() -> taken.stream().allMatch(one -> one.toCompletableFuture().isDone()));
    assertThat(taken)
        .filteredOn(one -> one.toCompletableFuture().isCompletedExceptionally())
        .extracting(FatalRequestsTest::failure)
        .isEmpty();
  }

  @Test
  void a_bundle_that_said_that_it_leaves_casts_no_suspicion() {
    var command = UUID.randomUUID();
    for (var i = 0; i < 5; i++) {
      var leaving = new Taking().slow();
      var told = take(command, "{}");
      await().atMost(Duration.ofSeconds(5)).until(() -> !leaving.open.isEmpty());
      node.sessions.drain(leaving.session());
      leaving.die();
      assertThat(failure(told).code()).isEqualTo(ErrorCode.NO_HANDLER);
    }
    new Taking();
    assertThat(take(command, "{}").toCompletableFuture()).succeedsWithin(Duration.ofSeconds(5));
  }

  @Test
  void a_session_of_another_release_of_nodes_is_told_apart_in_its_words() {
    var alone = new SessionEndedException(true);
    assertThat(CommandHandlers.word(alone, false)).isEqualTo("lost");
    assertThat(CommandHandlers.word(alone, true)).isEqualTo("ended-alone");
    assertThat(CommandHandlers.word(new SessionEndedException(false), true)).isEqualTo("ended");
    assertThat(CommandHandlers.word(new NotSentException("no"), true)).isEqualTo("not-delivered");
  }

  private List<CompletionStage<Receipt>> takeMany(int count) {
    return IntStream.range(0, count).mapToObj(i -> take(UUID.randomUUID(), "{}")).toList();
  }

  private CompletionStage<Receipt> take(UUID id, String payload) {
    var json = new Json(payload);
    return node.services.handle(
        new CommandRequest(
            id,
            "Take",
            "bank",
            null,
            null,
            null,
            Deadline.in(20_000),
            null,
            id.toString(),
            null,
            null,
            json,
            Fingerprint.of("Take", json, null).hash()));
  }

  private static EventoException failure(CompletionStage<Receipt> told) {
    try {
      throw new AssertionError("was not refused: " + told.toCompletableFuture().join());
    } catch (CompletionException failed) {
      return Failures.told(failed);
    }
  }
}
