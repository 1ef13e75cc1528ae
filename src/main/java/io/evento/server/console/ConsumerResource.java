package io.evento.server.console;

import io.evento.server.NodeScoped;
import io.evento.server.consumer.ConsumerRow;
import io.evento.server.consumer.ConsumerSegmentRow;
import io.evento.server.consumer.Consumers;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The consumers, who delivers their segments, and how far each is behind. */
@NodeScoped
@Path("consumers")
@Produces(MediaType.APPLICATION_JSON)
public class ConsumerResource {
  @Inject private Administration administration;
  @Inject private EntityManagers managers;
  @Inject private Consumers consumers;

  /**
   * @param owner the node that delivers it; absent if none does
   * @param checkpoint last position that was acknowledged
   * @param lagEvents positions of the store behind its head, whether or not they concern it
   * @param lagSeconds age of the first event that was not acknowledged yet; 0 without a lag
   * @param note why it does not get on
   */
  record SegmentView(
      int segment,
      int firstSlot,
      int lastSlot,
      String status,
      @Nullable String owner,
      long fence,
      String epoch,
      long checkpoint,
      long lagEvents,
      double lagSeconds,
      @Nullable String note) {}

  record ConsumerView(
      String name,
      int version,
      String kind,
      String start,
      String status,
      List<SegmentView> segments) {}

  record ConsumersView(List<ConsumerView> consumers) {}

  private record Key(String name, int version, int segment) {}

  @GET
  public CompletionStage<byte[]> all() {
    return administration.answer(this::list);
  }

  private ConsumersView list() {
    var lags =
        consumers.lags().stream()
            .collect(
                Collectors.toMap(
                    lag -> new Key(lag.consumer(), lag.version(), lag.segment()),
                    Function.identity()));
    return managers.read(
        manager -> {
          var segments =
              manager
                  .createQuery(
                      "select s from ConsumerSegmentRow s order by s.segment",
                      ConsumerSegmentRow.class)
                  .getResultList();
          return new ConsumersView(
              manager
                  .createQuery(
                      "select c from ConsumerRow c order by c.name, c.version", ConsumerRow.class)
                  .getResultStream()
                  .map(row -> view(row, segments, lags))
                  .toList());
        });
  }

  private static ConsumerView view(
      ConsumerRow row, List<ConsumerSegmentRow> segments, Map<Key, Consumers.Lag> lags) {
    return new ConsumerView(
        row.name(),
        row.version(),
        row.kind(),
        row.start(),
        row.status(),
        segments.stream()
            .filter(s -> s.name().equals(row.name()) && s.version() == row.version())
            .map(s -> view(s, lags.get(new Key(s.name(), s.version(), s.segment()))))
            .toList());
  }

  private static SegmentView view(ConsumerSegmentRow row, Consumers.@Nullable Lag lag) {
    return new SegmentView(
        row.segment(),
        row.firstSlot(),
        row.lastSlot(),
        row.status(),
        row.owner(),
        row.fence(),
        row.epoch().toString(),
        row.checkpoint(),
        lag == null ? 0 : lag.events(),
        (lag == null ? Duration.ZERO : lag.age()).toMillis() / 1000.0,
        row.note());
  }
}
