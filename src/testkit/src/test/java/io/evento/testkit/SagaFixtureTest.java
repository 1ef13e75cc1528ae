package io.evento.testkit;

import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.Associate;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.CommandOutcome;
import io.evento.bundle.api.Deadline;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.Outcome;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Step;
import java.time.Instant;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class SagaFixtureTest {
  record Place(@AggregateId String order, String sku) {}

  record Cancel(@AggregateId String order) {}

  record Remind(@AggregateId String order, Instant since) {}

  record Reserve(String sku, String order) {}

  record Placed(String sku) {}

  record Cancelled() {}

  record Reminded() {}

  record Picked(String order) {}

  @Aggregate(context = "shop")
  record Order() {
    @CommandHandler
    static Placed place(Place command) {
      return new Placed(command.sku());
    }

    @EventSourcingHandler
    static Order placed(Placed event) {
      return new Order();
    }
  }

  @Aggregate(context = "elsewhere")
  record Foreign() {
    @CommandHandler
    static Placed place(Place command) {
      return new Placed(command.sku());
    }

    @EventSourcingHandler
    static Foreign placed(Placed event) {
      return new Foreign();
    }
  }

  record Waiting(String order, int reminders) {}

  @Saga(name = "delivery", context = "shop", state = Waiting.class)
  static class Delivery {
    private int calls;

    @SagaStart
    @Associate
    Step<Waiting> placed(Placed event, EventMetadata at) {
      return Step.to(new Waiting(at.aggregateId(), 0))
          .send(new Reserve(event.sku(), at.aggregateId()))
          .deadline("slow", ofMinutes(10));
    }

    @EventHandler
    @Associate("order")
    Step<Waiting> picked(Picked event, Waiting state) {
      return Step.<Waiting>end();
    }

    @Outcome
    Step<Waiting> reserved(Reserve command, CommandOutcome outcome, Waiting state) {
      return outcome.isDone()
          ? Step.<Waiting>stay()
          : Step.to(state).send(new Cancel(state.order())).andEnd();
    }

    @Deadline("slow")
    Step<Waiting> slow(Waiting state, Instant due) {
      return Step.to(new Waiting(state.order(), state.reminders() + 1))
          .send(new Remind(state.order(), due))
          .deadline("slow", ofMinutes(10));
    }

    @EventHandler
    @Associate
    Step<Waiting> reminded(Reminded event, Waiting state) {
      return Step.to(new Waiting(state.order(), ++calls));
    }
  }

  private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");
  private static final Reserve RESERVE = new Reserve("book", "o-1");

  private final SagaFixture delivery = SagaFixture.of(new Delivery()).at(NOON);

  @Test
  void an_event_leads_to_state_commands_and_deadline() {
    delivery
        .when(Order.class, "o-1", new Placed("book"))
        .thenSends(RESERVE)
        .thenState(new Waiting("o-1", 0))
        .thenDeadline("slow", ofMinutes(10))
        .thenDeadline("slow", Instant.parse("2026-03-01T12:10:00Z"));
  }

  @Test
  void outcomes_are_heard_once() {
    delivery
        .when(Order.class, "o-1", new Placed("book"))
        .whenRejected(RESERVE, "sold-out")
        .thenSends(new Cancel("o-1"))
        .thenEnded()
        .thenNoDeadline();
    assertThatThrownBy(() -> delivery.whenDone(RESERVE))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("No such command waits for its outcome.")
        .hasMessageContaining("Waiting\n  Cancel {\"order\":\"o-1\"}");
  }

  @Test
  void time_passes_when_it_is_told_to_and_deadlines_in_their_order() {
    delivery
        .when(Order.class, "o-1", new Placed("book"))
        .whenDone(RESERVE)
        .thenSends()
        .whenTimePasses(ofMinutes(9))
        .thenNothing()
        .whenTimePasses(ofMinutes(11))
        .thenSends(
            new Remind("o-1", NOON.plus(ofMinutes(10))),
            new Remind("o-1", NOON.plus(ofMinutes(20))))
        .thenState(new Waiting("o-1", 2))
        .thenDeadline("slow", ofMinutes(10));
  }

  @Test
  void sagas_of_several_associations_live_side_by_side() {
    delivery
        .when(Order.class, "o-1", new Placed("book"))
        .when(Order.class, "o-2", new Placed("pen"))
        .when(Order.class, "any", new Picked("o-1"))
        .thenEnded()
        .whenDone(new Reserve("pen", "o-2"))
        .thenState(new Waiting("o-2", 0))
        .whenTimePasses(ofMinutes(10))
        .thenSends(new Remind("o-2", NOON.plus(ofMinutes(10))));
  }

  @Test
  void what_concerns_no_saga_leads_to_nothing() {
    delivery
        .when(Foreign.class, "o-1", new Placed("book"))
        .thenNothing()
        .when(Order.class, "o-1", new Picked("o-9"))
        .thenNothing()
        .when(Order.class, "o-1", new Cancelled())
        .thenNothing();
  }

  @Test
  void another_step_is_shown_beside_the_expected_one() {
    delivery.when(Order.class, "o-1", new Placed("book"));
    assertThatThrownBy(() -> delivery.thenSends(new Reserve("pen", "o-1")))
        .isInstanceOf(AssertionError.class)
        .hasMessage(
            """
            Other commands are sent.
            Given
              Order o-1: Placed {"sku":"book"}
            Expected
              Reserve {"sku":"pen","order":"o-1"}
            Actual
              Reserve {"sku":"book","order":"o-1"}""");
    assertThatThrownBy(delivery::thenSends).hasMessageContaining("Expected\n  (nothing)");
    assertThatThrownBy(delivery::thenNothing).hasMessageContaining("took a step");
    assertThatThrownBy(delivery::thenEnded).hasMessageContaining("The saga lives on.");
    assertThatThrownBy(delivery::thenNoDeadline).hasMessageContaining("slow at 2026-03-01T12:10");
    assertThatThrownBy(() -> delivery.thenDeadline("slow", ofSeconds(1)))
        .hasMessageContaining("Expected\n  slow at 2026-03-01T12:00:01Z")
        .hasMessageContaining("Actual\n  slow at 2026-03-01T12:10:00Z");
    assertThatThrownBy(() -> delivery.thenState(new Waiting("o-1", 1)))
        .hasMessageContaining("Waiting {\"order\":\"o-1\",\"reminders\":1}")
        .hasMessageContaining("Waiting {\"order\":\"o-1\",\"reminders\":0}");
  }

  @Test
  void a_step_that_remembers_something_elsewhere_is_found_out() {
    delivery.when(Order.class, "o-1", new Placed("book"));
    assertThatThrownBy(() -> delivery.when(Order.class, "o-1", new Reminded()))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("was decided in two ways")
        .hasMessageContaining("Check.REPEAT");
    SagaFixture.of(new Delivery())
        .without(Check.REPEAT)
        .when(Order.class, "o-1", new Placed("book"))
        .when(Order.class, "o-1", new Reminded())
        .thenState(new Waiting("o-1", 1));
  }
}
