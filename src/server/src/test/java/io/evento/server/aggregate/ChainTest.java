package io.evento.server.aggregate;

import static io.evento.server.aggregate.AccountAnswers.DEPOSITED;
import static io.evento.server.aggregate.AccountAnswers.SCHEMA;
import static io.evento.server.aggregate.AccountAnswers.component;
import static io.evento.server.aggregate.AccountAnswers.decided;
import static io.evento.server.aggregate.AccountAnswers.failed;
import static io.evento.server.aggregate.AccountAnswers.keepsSnapshots;
import static io.evento.server.aggregate.AccountAnswers.rejected;
import static io.evento.server.aggregate.AccountAnswers.stale;
import static io.evento.server.aggregate.DecisionNode.failure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Receipt;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.routing.CommandRequest;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Commands of one aggregate that are decided one on the other before any is stored. The gate is
 * held by somebody else meanwhile, so that nothing is.
 */
@NullUnmarked
@Tag("I1")
@Tag("I2")
@Tag("I3")
class ChainTest extends ChainFixture {
  @Test
  void the_next_is_decided_before_the_one_before_is_stored_and_nobody_is_told_before_it_is()
      throws Exception {
    var bundle = bundle();
    warmUp();
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), command(), command(), command());
      awaitAsked(bundle, 8);
      assertThat(told).noneMatch(CompletableFuture::isDone);
      gate.rollback();
    }
    assertThat(versions(told)).containsExactly(5L, 6L, 7L, 8L);
    assertThat(calls())
        .as("calls of the append: four one by one, the first, the rest")
        .isLessThanOrEqualTo(6);
    assertThat(node.count("evento_decisions_chained")).isEqualTo(3);
  }

  @Test
  void what_is_decided_behind_a_refused_link_is_decided_again_in_order_and_nothing_of_it_is_stored()
      throws Exception {
    var bundle = bundle();
    warmUp();
    node.write(account.stream(), queue.tip(), "Frozen");
    var requests = List.of(command(), command(), command(), command());
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(requests.toArray(CommandRequest[]::new));
      awaitAsked(bundle, 8);
      gate.rollback();
    }
    assertThat(versions(told)).containsExactly(6L, 7L, 8L, 9L);
    assertThat(events().subList(5, 9))
        .extracting(RecordedEvent::commandId)
        .containsExactlyElementsOf(requests.stream().map(CommandRequest::id).toList());
    assertThat(bundle.asked()).as("each once more").hasSize(12);
    assertThat(node.count("evento_decisions_refused")).isEqualTo(4);
  }

  @Test
  void a_rejection_in_between_is_kept_and_the_chain_goes_on() throws Exception {
    var bundle = bundle();
    warmUp();
    var refused = command();
    scripts.put(refused.id(), (ask, self) -> rejected(ask));
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), refused, command());
      awaitAsked(bundle, 7);
      gate.rollback();
    }
    assertThat(failure(told.get(1)).rejection().code()).isEqualTo("too-poor");
    assertThat(versions(List.of(told.get(0), told.get(2)))).containsExactly(5L, 6L);
    assertThat(bundle.asked()).as("none decided again").hasSize(7);
    assertThat(failure(send(refused).get(0)).rejection().code()).isEqualTo("too-poor");
  }

  @Test
  void a_command_that_was_done_before_hears_so_and_the_others_are_done_once() throws Exception {
    var bundle = bundle();
    warmUp();
    var repeated = command();
    node.write(
        AppendRequests.on("Other:" + account.id(), Tip.EMPTY)
            .id(repeated.id())
            .hash(DecisionNode.HASH)
            .event("Opened")
            .events());
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), command(), repeated, command());
      awaitAsked(bundle, 8);
      gate.rollback();
    }
    assertThat(StoreNode.await(told.get(2)).repeated()).isTrue();
    assertThat(versions(List.of(told.get(0), told.get(1), told.get(3))))
        .containsExactly(5L, 6L, 7L);
    assertThat(events()).hasSize(7).extracting(RecordedEvent::commandId).doesNotHaveDuplicates();
  }

  @Test
  void a_failure_is_told_once_what_it_rests_on_is_stored() throws Exception {
    var bundle = bundle();
    warmUp();
    var fails = command();
    scripts.put(fails.id(), (ask, self) -> failed(ask, ErrorCode.HANDLER_FAILED));
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), fails, command());
      awaitAsked(bundle, 6);
      assertThat(told).noneMatch(CompletableFuture::isDone);
      gate.rollback();
    }
    assertThat(failure(told.get(1)).code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    assertThat(versions(List.of(told.get(0), told.get(2)))).containsExactly(5L, 6L);
  }

  @Test
  void a_failure_on_what_came_to_nothing_is_told_nobody() throws Exception {
    var bundle = bundle();
    warmUp();
    node.write(account.stream(), queue.tip(), "Frozen");
    var fails = command();
    var tries = new AtomicInteger();
    scripts.put(
        fails.id(),
        (ask, self) ->
            tries.incrementAndGet() == 1
                ? failed(ask, ErrorCode.HANDLER_FAILED)
                : decided(ask, DEPOSITED));
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), fails);
      awaitAsked(bundle, 6);
      gate.rollback();
    }
    assertThat(versions(told)).containsExactly(6L, 7L);
  }

  @Test
  void a_late_answer_of_a_broken_chain_is_thrown_away_before_and_after_it_is_asked_anew()
      throws Exception {
    var bundle = bundle();
    warmUp();
    node.write(account.stream(), queue.tip(), "Frozen");
    var first = command();
    var slow = command();
    scripts.put(
        first.id(), (ask, self) -> self.asked().size() == 5 ? decided(ask, DEPOSITED) : null);
    scripts.put(slow.id(), (ask, self) -> null);
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(first, slow);
      awaitAsked(bundle, 6);
      gate.rollback();
    }
    awaitAsked(bundle, 7);
    var late = failed(bundle.asked().get(5), ErrorCode.HANDLER_FAILED);
    bundle.answer(late);
    bundle.answer(decided(bundle.asked().get(6), DEPOSITED));
    awaitAsked(bundle, 8);
    bundle.answer(late);
    assertThat(told.get(1)).isNotDone();
    bundle.answer(decided(bundle.asked().get(7), DEPOSITED));
    assertThat(versions(told)).containsExactly(6L, 7L);
  }

  @Test
  void a_failure_on_what_nobody_named_is_told_only_of_what_is_stored() {
    var tip = node.write(account.stream(), Tip.EMPTY, "Opened");
    var bundle =
        new ScriptedBundle<>(
            node.routing,
            component(null, 0),
            Decide.class,
            (ask, self) ->
                ask.tip() == null
                    ? failed(ask, ErrorCode.HANDLER_FAILED)
                    : decided(ask, DEPOSITED));
    assertThat(versions(send(command()))).containsExactly(2L);
    assertThat(bundle.asked()).extracting(Decide::tip).containsExactly(null, tip);
  }

  @Test
  void links_take_no_more_room_than_a_call_of_the_append() throws Exception {
    var bundle =
        new ScriptedBundle<>(
            node.routing,
            component(null, 0),
            Decide.class,
            (ask, self) -> decided(ask, self.asked().size() > 4 ? LARGE : DEPOSITED));
    warmUp();
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), command(), command(), command(), command());
      assertThat(bundle.asked()).hasSize(8);
      gate.rollback();
    }
    assertThat(versions(told)).containsExactly(5L, 6L, 7L, 8L, 9L);
  }

  @Test
  void a_handler_that_does_not_hold_what_is_not_stored_is_told_once_it_is() throws Exception {
    var bundle = bundle();
    warmUp();
    var unknown = command();
    scripts.put(
        unknown.id(), (ask, self) -> ask.history() == null ? stale(ask) : decided(ask, DEPOSITED));
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), unknown, command());
      awaitAsked(bundle, 6);
      gate.rollback();
    }
    assertThat(versions(told)).containsExactly(5L, 6L, 7L);
    assertThat(bundle.asked().get(6).history().events()).hasSize(5);
    assertThat(node.count("evento_decisions_refused")).isZero();
  }

  @Test
  void a_session_that_is_lost_hands_over_once_what_it_decided_is_stored() throws Exception {
    var bundles = List.of(bundle(), bundle());
    warmUp();
    var holds = bundles.get(bundles.get(0).asked().isEmpty() ? 1 : 0);
    var other = bundles.get(bundles.get(0).asked().isEmpty() ? 0 : 1);
    var dies = command();
    scripts.put(
        dies.id(),
        (ask, self) -> {
          if (self == holds) {
            self.die();
            return null;
          }
          return decided(ask, DEPOSITED);
        });
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), dies, command());
      await().atMost(LIMIT).until(holds::isDead);
      assertThat(other.asked()).as("asked while the chain is on its way").isEmpty();
      gate.rollback();
    }
    assertThat(versions(told)).containsExactly(5L, 6L, 7L);
    assertThat(other.asked().get(0).tip().version()).isEqualTo(5);
    assertThat(node.count("evento_decisions_refused")).isZero();
  }

  @Test
  void one_whose_deadline_passes_in_the_middle_is_left_out_and_the_others_are_done()
      throws Exception {
    var bundle = bundle();
    warmUp();
    var late = DecisionNode.command(UUID.randomUUID(), account, null, 300);
    scripts.put(late.id(), (ask, self) -> null);
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), late, command());
      assertThat(failure(told.get(1)).code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
      awaitAsked(bundle, 7);
      gate.rollback();
    }
    assertThat(versions(List.of(told.get(0), told.get(2)))).containsExactly(5L, 6L);
    assertThat(events()).hasSize(6);
  }

  @Test
  void one_that_was_decided_is_stored_though_its_deadline_passed_meanwhile() throws Exception {
    var bundle = bundle();
    warmUp();
    var short0 = DecisionNode.command(UUID.randomUUID(), account, null, 200);
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), short0, command());
      awaitAsked(bundle, 7);
      await().atMost(LIMIT).until(() -> short0.deadline().isOver());
      gate.rollback();
    }
    assertThat(versions(told)).containsExactly(5L, 6L, 7L);
  }

  @Test
  void one_that_wants_a_version_is_alone() throws Exception {
    var bundle = bundle();
    warmUp();
    var wants = DecisionNode.command(UUID.randomUUID(), account, 5L, 10_000);
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), wants, command());
      awaitAsked(bundle, 5);
      gate.rollback();
    }
    assertThat(versions(told)).containsExactly(5L, 6L, 7L);
    assertThat(calls()).isEqualTo(7);
  }

  @Test
  void a_snapshot_of_what_is_not_stored_yet_is_kept_once_it_is() throws Exception {
    var bundle = new ScriptedBundle<>(node.routing, keepsSnapshots(5), Decide.class, this::answer);
    warmUp();
    var brings = command();
    scripts.put(brings.id(), (ask, self) -> withState(ask));
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), brings);
      awaitAsked(bundle, 6);
      assertThat(bundle.asked().get(5).snapshot()).isTrue();
      gate.rollback();
    }
    StoreNode.awaitAll(told);
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(node.snapshots.load(account.stream(), SCHEMA))
                    .hasValueSatisfying(kept -> assertThat(kept.tip().version()).isEqualTo(5)));
  }

  @Test
  void a_snapshot_of_what_came_to_nothing_is_not_kept_and_asked_for_again() throws Exception {
    var bundle = new ScriptedBundle<>(node.routing, keepsSnapshots(5), Decide.class, this::answer);
    warmUp();
    node.write(account.stream(), queue.tip(), "Frozen");
    var brings = command();
    scripts.put(brings.id(), (ask, self) -> withState(ask));
    List<CompletableFuture<Receipt>> told;
    try (var gate = gateHeld()) {
      told = send(command(), brings);
      awaitAsked(bundle, 6);
      assertThat(bundle.asked().get(5).snapshot()).isTrue();
      gate.rollback();
    }
    StoreNode.awaitAll(told);
    assertThat(bundle.asked().subList(6, 8)).anyMatch(Decide::snapshot);
  }

  @Test
  void one_that_the_append_does_not_take_fails_and_is_no_link() throws Exception {
    bundle();
    warmUp();
    node.routing.store.appender.close();
    var told = send(command(), command());
    assertThat(told)
        .allSatisfy(one -> assertThat(failure(one).code()).isEqualTo(ErrorCode.UNAVAILABLE));
    assertThat(queue.hasLinks()).isFalse();
  }
}
