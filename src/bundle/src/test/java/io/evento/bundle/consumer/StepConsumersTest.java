package io.evento.bundle.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Index.atIndex;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.api.Associate;
import io.evento.bundle.api.CommandOutcome;
import io.evento.bundle.api.Deadline;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Outcome;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Step;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.ConsumerMessage.Credit;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Rejection;
import io.evento.protocol.StepMessage;
import io.evento.protocol.StepMessage.Input;
import io.evento.protocol.StepMessage.Stepped;
import io.evento.protocol.StepMessage.Steps;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a bundle answers to inputs, without a server. */
class StepConsumersTest {
  private static final UUID EPOCH = UUID.randomUUID();
  private static final String TIME = "2026-01-31T10:15:30.123456Z";

  record Ordered(String orderId) {}

  record Counted(String orderId) {}

  record Pay(String orderId, int amount) {}

  record Count(String orderId, int count) {}

  @Saga(name = "orders", state = Count.class)
  static class Orders {
    @SagaStart
    @Associate("orderId")
    Step<Count> on(Ordered event) {
      return Step.to(new Count(event.orderId(), 0))
          .send(new Pay(event.orderId(), 5))
          .deadline("late", Duration.ofSeconds(2));
    }

    @EventHandler
    @Associate("orderId")
    Step<Count> on(Counted event, Count state) {
      if (state.count() == 2) {
        throw new IllegalStateException("no more than two");
      }
      return Step.to(new Count(state.orderId(), state.count() + 1));
    }

    @Outcome
    Step<Count> paid(Pay command, CommandOutcome outcome, Count state) {
      return outcome.isRejected("no-money") ? Step.to(state).cancel("late").andEnd() : Step.stay();
    }

    @Deadline("late")
    Step<Count> late(Count state) {
      return Step.to(new Count(state.orderId(), -1)).deadline("never", Duration.ZERO);
    }
  }

  @Observer(name = "counter", concurrency = 4)
  static class Counter {
    final CountDownLatch together = new CountDownLatch(4);
    final List<Long> seen = new CopyOnWriteArrayList<>();
    final ConcurrentHashMap<String, List<Long>> byStream = new ConcurrentHashMap<>();

    @EventHandler
    Pay on(Counted event, io.evento.bundle.api.EventMetadata at) throws InterruptedException {
      if (event.orderId().equals("bad")) {
        throw new IllegalStateException("bad");
      }
      if (event.orderId().equals("away")) {
        throw new IllegalStateException(new SQLTransientConnectionException("no database"));
      }
      together.countDown();
      assertThat(together.await(5, TimeUnit.SECONDS)).as("four at once").isTrue();
      seen.add(at.position());
      byStream
          .computeIfAbsent(at.aggregateId(), first -> new CopyOnWriteArrayList<>())
          .add(at.position());
      return new Pay(event.orderId(), 1);
    }
  }

  private final Counter counter = new Counter();
  private final Components components =
      Components.of(List.of(new Orders(), counter), new PayloadMapper(), false);
  private final StepConsumers consumers =
      new StepConsumers(
          components.sagas(), components.observers(), new PayloadMapper(), Threads.own());
  private final List<Message> answers = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    consumers.close();
  }

  @Test
  void a_segment_is_taken_with_a_credit_of_no_events() {
    enable("orders:1", 1);
    assertThat(answers).containsExactly(new Credit("orders:1", 0, 1, 0, null, null));
  }

  @Test
  void a_start_answers_with_state_command_and_deadline() {
    enable("orders:1", 1);
    var result = ask(List.of(), event(7, "Ordered", "o-1")).results().get(0);
    assertThat(result.state()).isEqualTo(new Json("{\"orderId\":\"o-1\",\"count\":0}"));
    assertThat(result.commands())
        .containsExactly(
            new StepMessage.Send("Pay", new Json("{\"orderId\":\"o-1\",\"amount\":5}"), true));
    assertThat(result.deadlines()).containsExactly(new StepMessage.Deadline("late", 2_000L, null));
  }

  @Test
  void steps_of_one_message_go_on_from_each_other() {
    enable("orders:1", 1);
    var answer =
        ask(
            List.of(),
            event(7, "Ordered", "o-1"),
            event(8, "Counted", "o-1"),
            event(9, "Counted", "o-1"));
    assertThat(answer.results().get(2).state())
        .isEqualTo(new Json("{\"orderId\":\"o-1\",\"count\":2}"));
  }

  @Test
  void what_concerns_no_living_saga_changes_nothing() {
    enable("orders:1", 1);
    var answer = ask(List.of(), event(7, "Counted", "o-1"), due("o-1", "late"));
    assertThat(answer.results())
        .containsExactly(StepMessage.Result.NOTHING, StepMessage.Result.NOTHING);
  }

  @Test
  void a_start_does_not_start_again_what_lives() {
    enable("orders:1", 1);
    var answer = ask(List.of(state("o-1", 1)), event(7, "Ordered", "o-1"));
    assertThat(answer.results()).containsExactly(StepMessage.Result.NOTHING);
  }

  @Test
  void what_stood_before_a_failing_step_counts() {
    enable("orders:1", 1);
    var answer =
        ask(
            List.of(state("o-1", 1)),
            event(7, "Counted", "o-1"),
            event(8, "Counted", "o-1"),
            event(9, "Counted", "o-1"));
    assertThat(answer.results()).hasSize(1);
    assertThat(answer.failure()).isNotNull();
    assertThat(String.valueOf(answer.failure())).contains("no more than two");
  }

  @Test
  void an_outcome_comes_with_its_command_and_can_end_the_saga() {
    enable("orders:1", 1);
    var settled =
        new StepMessage.Settled(
            UUID.randomUUID(),
            "Pay",
            new Json("{\"orderId\":\"o-1\",\"amount\":5}"),
            TIME,
            null,
            ErrorCode.REJECTED,
            "no-money",
            new Rejection("no-money", "", null));
    var result = ask(List.of(state("o-1", 0)), Input.of("o-1", settled)).results().get(0);
    assertThat(result.ended()).isTrue();
    assertThat(result.deadlines()).containsExactly(new StepMessage.Deadline("late", null, null));
  }

  @Test
  void a_deadline_without_a_method_is_said_to_be_missing() {
    enable("orders:1", 1);
    var answer = ask(List.of(state("o-1", 0)), due("o-1", "late"));
    assertThat(String.valueOf(answer.failure())).contains("there is no @Deadline(\"never\")");
  }

  @Test
  void an_event_of_a_newer_version_waits_for_a_newer_instance() {
    enable("orders:1", 1);
    var newer =
        new RecordedEvent(
            7,
            new RecordedEvent.Stream("Order", "o-1"),
            1,
            "Ordered",
            2,
            "shop",
            TIME,
            UUID.randomUUID(),
            "flow",
            null,
            List.of(),
            Json.EMPTY_OBJECT,
            new Json("{}"));
    var failure = ask(List.of(), Input.of("o-1", newer)).failure();
    assertThat(failure).isNotNull();
    assertThat(String.valueOf(failure)).contains("NO_HANDLER");
  }

  @Test
  void a_state_that_cannot_be_read_fails_the_step_of_its_own_key_and_says_why() {
    enable("orders:1", 1);
    var unreadable =
        new StepMessage.State("o-2", new Json("{\"orderId\":\"o-2\",\"count\":\"x\"}"));
    var answer =
        ask(
            List.of(unreadable, state("o-1", 0)),
            event(1, "Counted", "o-1"),
            event(2, "Counted", "o-2"),
            event(3, "Counted", "o-1"));
    assertThat(answer.results()).as("what came before it counts").hasSize(1);
    var failure = java.util.Objects.requireNonNull(answer.failure());
    assertThat(failure.code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    assertThat(failure.detail())
        .contains("the stored state of the saga orders:1 under o-2 cannot be read as Count")
        .contains("/count must be a whole number that fits 32 bits");
  }

  @Test
  void a_state_that_nothing_concerns_is_not_read() {
    enable("orders:1", 1);
    var unreadable = new StepMessage.State("o-2", new Json("[]"));
    assertThat(ask(List.of(unreadable), event(1, "Ordered", "o-1")).failure()).isNull();
  }

  @Test
  void streams_are_handled_side_by_side_and_each_in_order() {
    enable("counter:1", 1);
    var inputs = new ArrayList<Input>();
    for (var i = 0; i < 12; i++) {
      inputs.add(event(i + 1, "Counted", "o-" + i % 4));
    }
    var answer = ask("counter:1", List.of(), inputs.toArray(Input[]::new));
    assertThat(answer.failure()).isNull();
    assertThat(answer.results()).hasSize(12);
    assertThat(answer.results().get(5).commands())
        .containsExactly(
            new StepMessage.Send("Pay", new Json("{\"orderId\":\"o-1\",\"amount\":1}"), false));
    assertThat(counter.byStream.values()).allSatisfy(seen -> assertThat(seen).isSorted());
  }

  @Test
  void the_results_before_a_failing_reaction_count() {
    enable("counter:1", 1);
    counter.together.countDown();
    counter.together.countDown();
    counter.together.countDown();
    var answer =
        ask("counter:1", List.of(), event(1, "Counted", "o-1"), event(2, "Counted", "bad"));
    assertThat(answer.results()).hasSize(1);
    assertThat(String.valueOf(answer.failure())).contains("IllegalStateException: bad");
  }

  @Test
  void a_reaction_that_fails_for_its_database_is_not_to_blame() {
    enable("counter:1", 1);
    var answer = ask("counter:1", List.of(), event(1, "Counted", "away"));
    assertThat(java.util.Objects.requireNonNull(answer.failure()).code())
        .isEqualTo(ErrorCode.UNAVAILABLE);
  }

  @Test
  void what_was_asked_under_an_older_fence_is_not_answered() {
    enable("orders:1", 2);
    consumers.steps(new Steps("orders:1", 0, 1, 1, List.of(), List.of(event(7, "Ordered", "o-1"))));
    assertThat(ask("orders:1", 2, List.of(), event(8, "Ordered", "o-2")).fence()).isEqualTo(2);
    assertThat(answers.stream().filter(Stepped.class::isInstance)).hasSize(1);
  }

  @Test
  void a_stopping_bundle_gives_its_segments_up() {
    enable("orders:1", 1);
    consumers.stop();
    assertThat(answers).contains(new Disable("orders:1", 0, 1));
    await("idle").until(consumers::isIdle);
  }

  @Test
  void a_stopping_bundle_answers_what_runs_before_it_gives_the_segment_up() {
    enable("counter:1", 1);
    consumers.steps(
        new Steps("counter:1", 0, 1, 1, List.of(), List.of(event(1, "Counted", "o-1"))));
    await("it runs").until(() -> counter.together.getCount() == 3);
    consumers.stop();
    assertThat(answers).hasOnlyElementsOfType(Credit.class);
    LongStream.range(0, 3).forEach(other -> counter.together.countDown());
    await("idle").until(consumers::isIdle);
    assertThat(answers)
        .hasSize(3)
        .satisfies(first -> assertThat(first).isInstanceOf(Credit.class), atIndex(0))
        .satisfies(then -> assertThat(then).isInstanceOf(Stepped.class), atIndex(1))
        .contains(new Disable("counter:1", 0, 1), atIndex(2));
  }

  @Test
  void what_a_link_gave_is_over_when_the_link_is() {
    enable("orders:1", 1);
    consumers.lost(this);
    assertThat(consumers.isIdle()).isTrue();
    consumers.stop();
    assertThat(answers).as("there is nothing to give up").hasOnlyElementsOfType(Credit.class);
  }

  @Test
  void a_segment_that_no_consumer_has_is_given_back_at_once() {
    consumers.enable(new Enable("orders:1", 127, 0, 0, 1, EPOCH, 0), answers::add, this);
    consumers.enable(new Enable("orders:1", 128, 0, 0, 1, EPOCH, 0), answers::add, this);
    consumers.enable(new Enable("orders:1", -1, 0, 0, 1, EPOCH, 0), answers::add, this);
    consumers.enable(new Enable("other:1", 0, 0, 127, 1, EPOCH, 0), answers::add, this);
    assertThat(answers)
        .containsExactly(
            new Credit("orders:1", 127, 1, 0, null, null),
            new Disable("orders:1", 128, 1),
            new Disable("orders:1", -1, 1),
            new Disable("other:1", 0, 1));
  }

  private void enable(String consumer, long fence) {
    consumers.enable(new Enable(consumer, 0, 0, 127, fence, EPOCH, 0), answers::add, this);
  }

  private Stepped ask(List<StepMessage.State> states, Input... inputs) {
    return ask("orders:1", states, inputs);
  }

  private Stepped ask(String consumer, List<StepMessage.State> states, Input... inputs) {
    return ask(consumer, 1, states, inputs);
  }

  private Stepped ask(
      String consumer, long fence, List<StepMessage.State> states, Input... inputs) {
    consumers.steps(new Steps(consumer, 0, fence, 1, states, List.of(inputs)));
    await("answer").until(() -> answers.stream().anyMatch(Stepped.class::isInstance));
    return (Stepped) answers.stream().filter(Stepped.class::isInstance).findFirst().orElseThrow();
  }

  private static StepMessage.State state(String order, int count) {
    return new StepMessage.State(
        order, new Json("{\"orderId\":\"%s\",\"count\":%d}".formatted(order, count)));
  }

  private static Input event(long position, String type, String order) {
    return Input.of(
        order,
        new RecordedEvent(
            position,
            new RecordedEvent.Stream("Order", order),
            position,
            type,
            "shop",
            TIME,
            UUID.randomUUID(),
            "flow",
            null,
            Json.EMPTY_OBJECT,
            new Json("{\"orderId\":\"" + order + "\"}")));
  }

  private static Input due(String order, String name) {
    return Input.of(order, new StepMessage.Due(name, TIME));
  }
}
