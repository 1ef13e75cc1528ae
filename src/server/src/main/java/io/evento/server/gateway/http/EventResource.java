package io.evento.server.gateway.http;

import io.evento.server.NodeScoped;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.read.EventPage;
import io.evento.server.eventstore.read.EventSearch;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.gateway.access.Callers;
import io.evento.server.gateway.http.EventQuery.Bounds;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import jakarta.ws.rs.core.UriBuilder;
import jakarta.ws.rs.core.UriInfo;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * All events, in the total order: a page of them. As they come: {@code EventStreamFilter}.
 *
 * <p>{@code Accept} is read here, as the servers choose differently between two methods where the
 * caller takes anything.
 */
@NodeScoped
@Path("events")
@Produces({MediaType.APPLICATION_JSON, CloudEvents.BATCH})
public class EventResource {
  @Inject private OrderReader order;
  @Inject private EventSearch search;
  @Inject private StoreReads reads;

  @GET
  @Needs(Access.READ)
  public CompletionStage<Response> read(
      @HeaderParam("Accept") @Nullable String accept,
      @QueryParam("limit") @Nullable String limit,
      @Context SecurityContext security,
      @Context UriInfo asked) {
    var given = EventQuery.of(asked.getQueryParameters()::get);
    var bounds = EventQuery.Bounds.of(asked.getQueryParameters()::get);
    var here = asked.getRequestUriBuilder();
    var count = PageLimits.limit(limit);
    var asCloudEvents = MediaTypes.prefers(accept, CloudEvents.BATCH);
    var filter = given.filter().readBy(Callers.of(security));
    return reads.run(
        () -> {
          var lives = order.epochs();
          var after = given.after();
          var start = after == null ? order.head() : after.in(lives);
          var epoch = lives.present();
          if (bounds.before() > 0) {
            return backward(bounds, count, filter, epoch);
          }
          var page = forward(start.position(), bounds, count, filter);
          return (asCloudEvents
                  ? Response.ok(CloudEvents.batch(page.events(), epoch), CloudEvents.BATCH)
                      .header("Link", next(here, new StorePosition(epoch, page.upTo())))
                  : Response.ok(
                      StoreReads.write(page, page.upTo(), epoch), MediaType.APPLICATION_JSON))
              .header(Headers.EPOCH, epoch)
              .build();
        });
  }

  private EventPage forward(long start, Bounds bounds, int count, EventFilter filter) {
    var from = bounds.from();
    var to = bounds.to();
    return search.between(
        from == null ? start : Math.max(start, order.lastBefore(from)),
        to == null ? Long.MAX_VALUE : order.lastBefore(to),
        count,
        filter);
  }

  /** Newest first; whoever goes on does so before {@code next}, which is null at the end. */
  private Response backward(Bounds bounds, int count, EventFilter filter, UUID epoch) {
    var from = bounds.from();
    var to = bounds.to();
    var page =
        search.before(
            to == null ? bounds.before() : Math.min(bounds.before(), order.lastBefore(to) + 1),
            from == null ? 0 : order.lastBefore(from),
            count,
            filter);
    return Response.ok(
            StoreReads.write(page, page.end() ? null : page.upTo(), epoch),
            MediaType.APPLICATION_JSON)
        .header(Headers.EPOCH, epoch)
        .build();
  }

  /** A batch is nothing but its events, so where it goes on stands beside it. */
  private static String next(UriBuilder here, StorePosition after) {
    // The epoch stands with the position from now on.
    var next = here.replaceQueryParam("after", after.text()).replaceQueryParam("epoch").build();
    return "<" + next.getRawPath() + "?" + next.getRawQuery() + ">; rel=\"next\"";
  }
}
