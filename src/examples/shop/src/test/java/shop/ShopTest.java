package shop;

import io.evento.testkit.AggregateFixture;
import io.evento.testkit.ProjectorFixture;
import io.evento.testkit.SagaFixture;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import org.junit.jupiter.api.Test;
import shop.Order.CancelOrder;
import shop.Order.ConfirmOrder;
import shop.Order.OrderPlaced;
import shop.Show.ReserveSeat;
import shop.Show.SeatReserved;
import shop.Show.ShowScheduled;
import shop.Shows.FindShow;
import shop.Shows.ShowView;

class ShopTest {
  @Test
  void what_is_sold_out_is_not_sold() {
    AggregateFixture.of(Show.class)
        .given(new ShowScheduled("Hamlet", 1), new SeatReserved("o-1"))
        .when(new ReserveSeat("s-1", "o-2"))
        .thenRejected("sold-out", "seats", 1);
  }

  @Test
  void an_order_is_confirmed_once_its_seat_is_reserved() {
    SagaFixture.of(new Ordering())
        .when(Order.class, "o-1", new OrderPlaced("o-1", "s-1"))
        .thenSends(new ReserveSeat("s-1", "o-1"))
        .whenDone(new ReserveSeat("s-1", "o-1"))
        .thenSends(new ConfirmOrder("o-1"))
        .thenEnded();
  }

  @Test
  void an_order_without_a_seat_is_cancelled() {
    SagaFixture.of(new Ordering())
        .when(Order.class, "o-1", new OrderPlaced("o-1", "s-1"))
        .whenRejected(new ReserveSeat("s-1", "o-1"), "sold-out", "seats", 1)
        .thenSends(new CancelOrder("o-1", "sold-out"))
        .thenEnded();
  }

  @Test
  void both_versions_of_the_read_model_answer_the_same() throws Exception {
    try (var postgres = EmbeddedPostgres.start()) {
      var database = postgres.getPostgresDatabase();
      ProjectorFixture.of(new Shows(database), database)
          .given(Show.class, "s-1", new ShowScheduled("Hamlet", 3), new SeatReserved("o-1"))
          .thenAnswers(new FindShow("s-1"), new ShowView("Hamlet", 2));
    }
    ProjectorFixture.withoutDatabase(new ShowsInMemory())
        .without(io.evento.testkit.Check.REPEAT)
        .given(Show.class, "s-1", new ShowScheduled("Hamlet", 3), new SeatReserved("o-1"))
        .thenAnswers(new FindShow("s-1"), new ShowView("Hamlet", 2));
  }
}
