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
import io.evento.server.routing.RoutingNode;
import io.evento.server.routing.session.BundleSession;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Services and nodes that die in the middle of a command. */
class ServiceCommandsTest {
  private final List<RoutingNode> nodes = new ArrayList<>();
  private TestDatabase database;
  private RoutingNode first;
  private RoutingNode second;

  @BeforeEach
  void start() {
    database = PostgresFixture.shared().migrated();
    first = up("a");
    second = up("b");
    await()
        .until(
            () ->
                nodes.stream().allMatch(node -> node.store.appender.isReady())
                    && second.membership.members().owners().size() == 2);
  }

  @AfterEach
  void stop() {
    nodes.forEach(RoutingNode::close);
    database.close();
  }

  /** A session of an instance with the service, which runs what it is given, or never answers. */
  private static final class Paying implements BundleSession.Door {
    private final AtomicInteger runs = new AtomicInteger();
    private final BundleSession session;
    private volatile @Nullable Message answer;
    private volatile boolean isFull;

    Paying(RoutingNode node, boolean retry) {
      session = node.host("service", new CommandType("Pay", null, null, retry), this);
    }

    @Override
    public boolean send(Message message, Lane lane) {
      if (isFull) {
        return false;
      }
      var command = (CommandMessage.Command) message;
      runs.incrementAndGet();
      var told = answer;
      if (told instanceof ReplyMessage.Fault fault) {
        session.answered(
            command.id(), ReplyMessage.Fault.of(command.id(), fault.toException(command.id())));
      } else if (told != null) {
        session.answered(command.id(), new ReplyMessage.Result(command.id(), null, new Json("7")));
      }
      return true;
    }

    Paying answering() {
      answer = new ReplyMessage.Result(UUID.randomUUID(), null, null);
      return this;
    }

    Paying failing() {
      answer =
          ReplyMessage.Fault.of(
              null, new EventoException(ErrorCode.HANDLER_FAILED, "no connection"));
      return this;
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void after_a_session_that_was_lost_it_runs_again_only_where_it_may(boolean retry)
      throws Exception {
    var lost = new Paying(first, retry);
    var command = UUID.randomUUID();
    var told = first.services.handle(pay(command));
    await().until(() -> lost.runs.get() == 1);
    var other = new Paying(first, retry).answering();
    first.sessions.remove(lost.session);
    endsAs(told, retry);
    assertThat(other.runs).hasValue(retry ? 1 : 0);
    assertThat(kinds()).containsExactly(retry ? 3 : 4);
    endsAs(second.services.handle(pay(command)), retry);
    await().until(() -> claims() == 0);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void after_a_node_that_died_it_runs_again_only_where_it_may(boolean retry) throws Exception {
    var hanging = new Paying(first, retry);
    var command = UUID.randomUUID();
    var unheard = first.services.handle(pay(command));
    await().until(() -> hanging.runs.get() == 1);
    var other = new Paying(second, retry).answering();
    first.membership.stop();
    await().until(() -> second.membership.members().owners().equals(List.of("b")));
    endsAs(second.services.handle(pay(command)), retry);
    assertThat(other.runs).hasValue(retry ? 1 : 0);
    assertThat(unheard).isNotDone();

    // The answer of the first run comes all the same: the outcome stays what it was.
    hanging.session.answered(command, new ReplyMessage.Result(command, null, new Json("1")));
    endsAs(unheard, retry);
    assertThat(kinds()).containsExactly(retry ? 3 : 4);
  }

  @Test
  void a_run_that_could_not_be_ended_is_not_repeated_by_its_own_node_either() throws Exception {
    var lost = new Paying(first, false);
    var command = UUID.randomUUID();
    var told = first.services.handle(pay(command));
    await().until(() -> lost.runs.get() == 1);
    first.store.appender.close();
    var other = new Paying(first, false).answering();
    first.sessions.remove(lost.session);
    assertThat(failure(told).code()).isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(failure(first.services.handle(pay(command))).code())
        .isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(other.runs).hasValue(0);
    assertThat(claims()).isEqualTo(1);

    first.membership.stop();
    await().until(() -> second.membership.members().owners().equals(List.of("b")));
    endsAs(second.services.handle(pay(command)), false);
    await().until(() -> claims() == 0);
  }

  @Test
  void a_claim_that_this_node_did_not_hear_it_got_is_no_run() {
    var paying = new Paying(first, false).answering();
    var command = UUID.randomUUID();
    first.claims.claim(command, 42, "a", first.links.incarnation(), 60_000, false, List.of());
    endsAs(first.services.handle(pay(command)), true);
    assertThat(paying.runs).hasValue(1);
  }

  @Test
  void a_run_that_nobody_asks_for_again_is_ended_too() throws Exception {
    var hanging = new Paying(first, false);
    var command = UUID.randomUUID();
    var unheard = first.services.handle(pay(command));
    await().until(() -> hanging.runs.get() == 1);
    second.claims.forgetExpired();
    second.lost.endAll(ForkJoinPool.commonPool());
    assertThat(kinds()).as("not over yet").isEmpty();
    update("update evento.service_claim set expires_at = now() - interval '2 minutes'");
    second.claims.forgetExpired();
    assertThat(claims()).isEqualTo(1);
    second.lost.endAll(ForkJoinPool.commonPool());
    await().until(() -> claims() == 0);
    assertThat(kinds()).containsExactly(4);
    endsAs(second.services.handle(pay(command)), false);
    assertThat(unheard).isNotDone();
  }

  @Test
  void what_the_service_itself_reports_is_known_and_may_be_repeated_at_once() {
    var paying = new Paying(first, false).failing();
    var command = UUID.randomUUID();
    for (var run = 1; run <= 20; run++) {
      assertThat(failure(first.services.handle(pay(command))).detail()).isEqualTo("no connection");
      assertThat(paying.runs).hasValue(run);
    }
    var elsewhere = new Paying(second, false).answering();
    endsAs(second.services.handle(pay(command)), true);
    assertThat(elsewhere.runs).hasValue(1);
  }

  @Test
  void a_session_without_room_was_surely_not_told() {
    var paying = new Paying(first, false).answering();
    paying.isFull = true;
    var command = UUID.randomUUID();
    assertThat(failure(first.services.handle(pay(command))).code()).isEqualTo(ErrorCode.OVERLOADED);
    paying.isFull = false;
    endsAs(first.services.handle(pay(command)), true);
    assertThat(paying.runs).hasValue(1);
  }

  private static void endsAs(CompletionStage<Receipt> told, boolean answered) {
    if (answered) {
      var receipt = told.toCompletableFuture().orTimeout(10, TimeUnit.SECONDS).join();
      assertThat(receipt.result()).isEqualTo(new Json("7"));
    } else {
      var failure = failure(told);
      assertThat(failure.code()).isEqualTo(ErrorCode.HANDLER_FAILED);
      assertThat(failure.detail()).contains("nobody can know how it ended");
      assertThat(Objects.requireNonNull(failure.rejection()).code()).isEqualTo("outcome-unknown");
    }
  }

  private static EventoException failure(CompletionStage<Receipt> told) {
    try {
      var receipt = told.toCompletableFuture().orTimeout(10, TimeUnit.SECONDS).join();
      throw new AssertionError("it succeeded: " + receipt);
    } catch (CompletionException failed) {
      return (EventoException) Objects.requireNonNull(failed.getCause());
    }
  }

  private static CommandRequest pay(UUID command) {
    return new CommandRequest(
        command,
        "Pay",
        "bank",
        null,
        null,
        null,
        Deadline.in(Duration.ofSeconds(20).toMillis()),
        null,
        command.toString(),
        null,
        null,
        Json.EMPTY_OBJECT,
        42);
  }

  private RoutingNode up(String name) {
    var node = RoutingNode.up(database, name);
    nodes.add(node);
    return node;
  }

  private List<Integer> kinds() throws SQLException {
    return numbers("select kind from evento.command_result");
  }

  private int claims() throws SQLException {
    return numbers("select count(*) from evento.service_claim").get(0);
  }

  private List<Integer> numbers(String query) throws SQLException {
    try (var admin = database.asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery(query)) {
      var found = new ArrayList<Integer>();
      while (row.next()) {
        found.add(row.getInt(1));
      }
      return found;
    }
  }

  private void update(String statement) throws SQLException {
    try (var admin = database.asAdmin();
        var update = admin.createStatement()) {
      update.execute(statement);
    }
  }
}
