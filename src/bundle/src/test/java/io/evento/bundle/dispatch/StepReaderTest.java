package io.evento.bundle.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.Associate;
import io.evento.bundle.api.CommandOutcome;
import io.evento.bundle.api.Deadline;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Outcome;
import io.evento.bundle.api.Reaction;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Step;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.DeclareMessage.ComponentKind;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

@NullUnmarked
class StepReaderTest {
  record Ordered(String orderId, int amount) {}

  record Paid(String reference) {}

  record Shipped() {}

  record Pay(String orderId) {}

  record OrderState(String orderId) {}

  @Saga(name = "orders", version = 2, context = "shop", state = OrderState.class)
  static class Orders {
    @SagaStart
    @Associate("orderId")
    Step<OrderState> on(Ordered event, EventMetadata at) {
      return Step.to(new OrderState(event.orderId())).send(new Pay(event.orderId()));
    }

    @EventHandler
    @Associate("/reference")
    Step<OrderState> on(Paid event, OrderState state, Instant at) {
      return Step.end();
    }

    @EventHandler
    @Associate
    static Step<OrderState> on(Shipped event) {
      return Step.stay();
    }

    @Outcome
    Step<OrderState> paid(Pay command, OrderState state, CommandOutcome outcome) {
      return Step.stay();
    }

    @Deadline("late")
    Step<OrderState> late(OrderState state, Instant due) {
      return Step.end();
    }
  }

  @Observer(name = "mailer")
  static class Mailer {
    @EventHandler
    Reaction on(Ordered event) {
      return Reaction.send(new Pay(event.orderId()));
    }

    @EventHandler
    void on(Paid event, Instant at) {}
  }

  private static Components read(Object... registered) {
    return Components.of(Arrays.asList(registered), new PayloadMapper(), false);
  }

  private static void assertRefused(String sentence, Object... registered) {
    assertThatThrownBy(() -> read(registered))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining(sentence);
  }

  @Test
  void a_saga_declares_its_events_and_where_each_has_its_key() {
    var components = read(new Orders());
    var declared = components.declared().get(0);
    assertThat(declared.kind()).isEqualTo(ComponentKind.SAGA);
    assertThat(declared.version()).isEqualTo(2);
    assertThat(declared.commands()).isEmpty();
    assertThat(declared.consumes().contexts()).containsExactly("shop");
    assertThat(declared.consumes().types()).containsExactlyInAnyOrder("Ordered", "Paid", "Shipped");
    assertThat(declared.consumes().associations())
        .isEqualTo(Map.of("Ordered", "/orderId", "Paid", "/reference", "Shipped", ""));
    assertThat(components.sagas()).containsKey("orders:2");
  }

  @Test
  void an_observer_declares_its_events_and_begins_at_the_end() {
    var declared = read(new Mailer()).declared().get(0);
    assertThat(declared.kind()).isEqualTo(ComponentKind.OBSERVER);
    assertThat(declared.consumes().types()).containsExactlyInAnyOrder("Ordered", "Paid");
    assertThat(declared.consumes().associations()).isEmpty();
    assertThat(declared.consumes().start()).isEqualTo("end");
  }

  @Nested
  class Registration_is_refused {
    @Test
    void of_a_saga_without_a_start() {
      @Saga(name = "x", state = OrderState.class)
      class Endless {
        @EventHandler
        @Associate("orderId")
        Step<OrderState> on(Ordered event) {
          return Step.stay();
        }
      }
      assertRefused("has no @SagaStart", new Endless());
    }

    @Test
    void of_an_event_without_an_association() {
      @Saga(name = "x", state = OrderState.class)
      class Lost {
        @SagaStart
        Step<OrderState> on(Ordered event) {
          return Step.stay();
        }
      }
      assertRefused("needs @Associate", new Lost());
    }

    @Test
    void of_an_association_that_the_event_does_not_have() {
      @Saga(name = "x", state = OrderState.class)
      class Mistyped {
        @SagaStart
        @Associate("orderID")
        Step<OrderState> on(Ordered event) {
          return Step.stay();
        }
      }
      assertRefused("Ordered has no orderID", new Mistyped());
    }

    @Test
    void of_a_step_that_is_none() {
      @Saga(name = "x", state = OrderState.class)
      class Doer {
        @SagaStart
        @Associate("orderId")
        OrderState on(Ordered event) {
          return new OrderState(event.orderId());
        }
      }
      assertRefused("must return a Step", new Doer());
    }

    @Test
    void of_what_a_start_cannot_be_given() {
      @Saga(name = "x", state = OrderState.class)
      class Curious {
        @SagaStart
        @Associate("orderId")
        Step<OrderState> on(Ordered event, CommandOutcome outcome) {
          return Step.stay();
        }
      }
      assertRefused("which a @SagaStart cannot be given", new Curious());
    }

    @Test
    void of_two_deadlines_of_one_name() {
      @Saga(name = "x", state = OrderState.class)
      class Twice {
        @SagaStart
        @Associate("orderId")
        Step<OrderState> on(Ordered event) {
          return Step.stay();
        }

        @Deadline("late")
        Step<OrderState> one(OrderState state) {
          return Step.stay();
        }

        @Deadline("late")
        Step<OrderState> other(OrderState state) {
          return Step.stay();
        }
      }
      assertRefused("two methods have @Deadline(\"late\")", new Twice());
    }

    @Test
    void of_an_observer_with_handlers_of_a_saga() {
      @Observer(name = "x")
      class Mixed {
        @SagaStart
        @Associate("orderId")
        Step<OrderState> on(Ordered event) {
          return Step.stay();
        }
      }
      assertRefused("which a @Observer cannot have", new Mixed());
    }

    @Test
    void of_a_saga_and_an_observer_of_one_name() {
      @Observer(name = "orders")
      class SameName {
        @EventHandler
        void on(Ordered event) {}
      }
      assertRefused("both called orders", new Orders(), new SameName());
    }

    @Test
    void of_too_much_at_once() {
      @Observer(name = "x", concurrency = 65)
      class Greedy {
        @EventHandler
        void on(Ordered event) {}
      }
      assertRefused("must be 1 to 64", new Greedy());
    }
  }
}
