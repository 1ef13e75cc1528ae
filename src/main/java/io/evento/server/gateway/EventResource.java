package io.evento.server.gateway;

import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.EventReader;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** All events, in the total order. */
@NodeScoped
@Path("events")
@Produces(MediaType.APPLICATION_JSON)
public class EventResource {
  @Inject private EventReader reader;
  @Inject private StoreReads reads;

  @GET
  public CompletionStage<byte[]> read(
      @QueryParam("after") @Nullable String after,
      @QueryParam("limit") @Nullable String limit,
      @QueryParam("context") @Nullable String context,
      @QueryParam("type") List<String> types,
      @QueryParam("aggregateType") @Nullable String aggregateType,
      @QueryParam("aggregateId") @Nullable String aggregateId,
      @QueryParam("tag") List<String> tags,
      @QueryParam("query") @Nullable String query) {
    var start = after == null ? 0 : Headers.number("after", after, 0, Long.MAX_VALUE);
    var count = Limits.limit(limit);
    var filter =
        new EventFilter(
            name("context", context),
            EventTags.types(types),
            name("aggregateType", aggregateType),
            id(aggregateType, aggregateId),
            EventTags.tags(tags),
            EventTags.items(query));
    return reads.run(
        () -> {
          var page = reader.after(start, count, filter);
          return StoreReads.write(page, page.upTo());
        });
  }

  private static @Nullable String name(String parameter, @Nullable String value) {
    return value == null || value.isEmpty() ? null : Names.checkType(parameter, value);
  }

  private static @Nullable String id(@Nullable String type, @Nullable String id) {
    if (id == null || id.isEmpty()) {
      return null;
    }
    if (type == null || type.isEmpty()) {
      throw EventoException.invalid("aggregateType", "is required with aggregateId");
    }
    return Names.checkAggregateId("aggregateId", id);
  }
}
