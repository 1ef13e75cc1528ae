package shop;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;

/** A show sells its seats. */
@Aggregate(context = "shop")
public record Show(int seats, int sold) {
  public record ScheduleShow(@AggregateId String show, String title, int seats) {}

  public record ReserveSeat(@AggregateId String show, String order) {}

  public record ShowScheduled(String title, int seats) {}

  public record SeatReserved(String order) {}

  @CommandHandler
  static ShowScheduled schedule(ScheduleShow command) {
    return new ShowScheduled(command.title(), command.seats());
  }

  @CommandHandler
  Decision<SeatReserved> reserve(ReserveSeat command) {
    return sold == seats
        ? Decision.reject("sold-out", "seats", seats)
        : Decision.accept(new SeatReserved(command.order()));
  }

  @EventSourcingHandler
  static Show scheduled(ShowScheduled event) {
    return new Show(event.seats(), 0);
  }

  @EventSourcingHandler
  Show reserved(SeatReserved event) {
    return new Show(seats, sold + 1);
  }
}
