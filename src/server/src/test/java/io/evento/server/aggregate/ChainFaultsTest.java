package io.evento.server.aggregate;

import static io.evento.server.aggregate.AccountAnswers.component;
import static io.evento.server.aggregate.DecisionNode.failure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Receipt;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.routing.RoutingNode;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What befalls the node, the store or the append while a chain is on its way. */
@NullUnmarked
@Tag("I1")
@Tag("I2")
@Tag("I3")
class ChainFaultsTest extends ChainFixture {
  @Test
  void a_call_whose_answer_is_lost_is_settled_before_the_rest_of_its_chain() throws Exception {
    var bundle = bundle();
    warmUp();
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), command(), command());
      awaitAsked(bundle, 7);
      await().atMost(LIMIT).until(() -> terminated() > 0);
      gate.rollback();
    }
    assertThat(versions(told)).containsExactly(5L, 6L, 7L);
    assertThat(bundle.asked()).as("none decided again").hasSize(7);
  }

  /** The backend that waits at the gate, with the call whose outcome nobody hears then. */
  private static int terminated() throws SQLException {
    try (var admin = database.asAdmin();
        var ended =
            admin
                .createStatement()
                .executeQuery(
                    """
                    select count(pg_terminate_backend(pid)) from pg_stat_activity
                     where datname = current_database() and query like '%append_4%'
                       and wait_event_type = 'Lock'
                    """)) {
      ended.next();
      return ended.getInt(1);
    }
  }

  @Test
  void one_that_finds_no_room_behind_another_fails_alone() throws Exception {
    var bundle = bundle();
    warmUp();
    CompletableFuture<Receipt> before;
    try (var gate = gateHeld()) {
      before = send(command()).get(0);
      awaitAsked(bundle, 5);
      fillTheAppend();
      assertThat(failure(send(command()).get(0)).code()).isEqualTo(ErrorCode.OVERLOADED);
      assertThat(before).isNotDone();
      gate.rollback();
    }
    assertThat(versions(List.of(before))).containsExactly(5L);
    await("room again").atMost(LIMIT).until(this::appendTakesOne);
    assertThat(versions(send(command()))).containsExactly(6L);
    assertThat(events()).hasSize(6);
  }

  private void fillTheAppend() {
    while (appendTakesOne()) {}
  }

  private boolean appendTakesOne() {
    var one = AppendRequests.on("Other:" + UUID.randomUUID(), Tip.EMPTY).event("Opened").events();
    return !node.routing
        .store
        .appender
        .append(one)
        .toCompletableFuture()
        .isCompletedExceptionally();
  }

  @Test
  void another_owner_of_the_same_stream_comes_in_between_and_each_is_done_once() throws Exception {
    var bundle = bundle();
    warmUp();
    try (var other = new DecisionNode(RoutingNode.up(database, "b"))) {
      await().atMost(LIMIT).until(other.routing.store.appender::isReady);
      new ScriptedBundle<>(other.routing, component(null, 0), Decide.class, this::answer);
      var taken = Owner.queue((lane, next) -> other.decisions.decide(lane, next, account));
      var there = new PendingCommand(command());
      List<CompletableFuture<Receipt>> told;
      try (var gate = gateHeld()) {
        told = new ArrayList<>(send(command(), command(), command()));
        awaitAsked(bundle, 7);
        taken.enter(there);
        taken.startNext();
        told.add(there.outcome());
        gate.rollback();
      }
      assertThat(versions(told)).containsExactlyInAnyOrder(5L, 6L, 7L, 8L);
      assertThat(events()).hasSize(8).extracting(RecordedEvent::commandId).doesNotHaveDuplicates();
    }
  }
}
