package shop;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import shop.Show.SeatReserved;
import shop.Show.ShowScheduled;
import shop.Shows.FindShow;
import shop.Shows.ShowView;

/** The next version of the read model: it answers the same question, from memory. */
@Projector(name = "shows", version = 2, context = "shop")
public class ShowsInMemory {
  private final Map<String, ShowView> shows = new ConcurrentHashMap<>();

  @EventHandler
  void scheduled(ShowScheduled event, EventMetadata of) {
    shows.put(of.aggregateId(), new ShowView(event.title(), event.seats()));
  }

  @EventHandler
  void reserved(SeatReserved event, EventMetadata of) {
    shows.computeIfPresent(
        of.aggregateId(), (id, show) -> new ShowView(show.title(), show.free() - 1));
  }

  @QueryHandler
  ShowView find(FindShow query) {
    return shows.get(query.show());
  }
}
