package shop;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventSourcingHandler;
import java.util.List;

/** An order of one ticket is placed, then confirmed or cancelled. */
@Aggregate(context = "shop")
public record Order(String status) {
  public record PlaceOrder(@AggregateId String order, String show) {}

  public record ConfirmOrder(@AggregateId String order) {}

  public record CancelOrder(@AggregateId String order, String reason) {}

  public sealed interface OrderEvent {}

  public record OrderPlaced(String order, String show) implements OrderEvent {}

  public record OrderConfirmed() implements OrderEvent {}

  public record OrderCancelled(String reason) implements OrderEvent {}

  @CommandHandler
  static OrderPlaced place(PlaceOrder command) {
    return new OrderPlaced(command.order(), command.show());
  }

  @CommandHandler
  List<OrderConfirmed> confirm(ConfirmOrder command) {
    return status.equals("placed") ? List.of(new OrderConfirmed()) : List.of();
  }

  @CommandHandler
  List<OrderCancelled> cancel(CancelOrder command) {
    return status.equals("placed") ? List.of(new OrderCancelled(command.reason())) : List.of();
  }

  @EventSourcingHandler
  static Order placed(OrderPlaced event) {
    return new Order("placed");
  }

  @EventSourcingHandler
  Order confirmed(OrderConfirmed event) {
    return new Order("confirmed");
  }

  @EventSourcingHandler
  Order cancelled(OrderCancelled event) {
    return new Order("cancelled");
  }
}
