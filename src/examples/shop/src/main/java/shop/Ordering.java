package shop;

import io.evento.bundle.api.Associate;
import io.evento.bundle.api.CommandOutcome;
import io.evento.bundle.api.Outcome;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Step;
import shop.Order.CancelOrder;
import shop.Order.ConfirmOrder;
import shop.Order.OrderPlaced;
import shop.Show.ReserveSeat;

/** Leads an order from one aggregate to the other: no transaction spans both. */
@Saga(name = "ordering", context = "shop", state = Ordering.State.class)
public class Ordering {
  public record State(String order) {}

  @SagaStart
  @Associate("order")
  Step<State> placed(OrderPlaced event) {
    return Step.to(new State(event.order())).send(new ReserveSeat(event.show(), event.order()));
  }

  @Outcome
  Step<State> reserved(ReserveSeat command, CommandOutcome outcome, State state) {
    var next =
        outcome.isDone()
            ? new ConfirmOrder(state.order())
            : new CancelOrder(state.order(), outcome.reason());
    return Step.to(state).send(next).andEnd();
  }
}
