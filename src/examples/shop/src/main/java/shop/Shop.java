package shop;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.gateway.QueryOptions;
import org.postgresql.ds.PGSimpleDataSource;
import shop.Order.PlaceOrder;
import shop.Show.ScheduleShow;
import shop.Shows.FindShow;
import shop.Shows.ShowView;

public final class Shop {
  public static void main(String[] arguments) throws Exception {
    var database = new PGSimpleDataSource();
    database.setUrl(System.getenv("SHOP_DB"));
    try (var shop =
        EventoBundle.named("shop")
            .fromEnvironment() // EVENTO_SERVERS
            .register(Show.class, Order.class, new Ordering(), new Shows(database))
            .jdbc(database)
            .start()) {
      var show = "show-" + System.currentTimeMillis();
      var scheduled = shop.commands().send(new ScheduleShow(show, "Hamlet", 100));
      shop.commands().send(new PlaceOrder("order-" + show, show));
      var after = QueryOptions.after(scheduled);
      System.out.println(shop.queries().ask(new FindShow(show), ShowView.class, after));
      shop.awaitStop();
    }
  }
}
