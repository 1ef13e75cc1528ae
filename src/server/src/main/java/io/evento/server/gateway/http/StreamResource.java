package io.evento.server.gateway.http;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.read.EventPage;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.eventstore.read.StreamReader;
import io.evento.server.gateway.access.Callers;
import io.evento.server.security.Access;
import io.evento.server.security.Caller;
import io.evento.server.security.Needs;
import io.evento.server.security.Right;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import jakarta.ws.rs.core.StreamingOutput;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** One aggregate's events. */
@NodeScoped
@Path("streams/{aggregateType}")
@Produces(MediaType.APPLICATION_JSON)
public class StreamResource {
  @Inject private OrderReader totalOrder;
  @Inject private StreamReader streams;
  @Inject private StoreReads reads;

  @GET
  @Needs(Access.READ)
  @Path("{aggregateId}")
  public CompletionStage<Response> read(
      @PathParam("aggregateType") String type,
      @PathParam("aggregateId") String id,
      @QueryParam("fromVersion") @Nullable String from,
      @QueryParam("limit") @Nullable String limit,
      @QueryParam("order") @Nullable String order,
      @Context SecurityContext security) {
    return page(Callers.of(security), type, "aggregateId", id, from, limit, order);
  }

  /**
   * The same for any id: containers refuse or rewrite paths with a backslash, and parts of dots.
   */
  @GET
  @Needs(Access.READ)
  public CompletionStage<Response> readById(
      @PathParam("aggregateType") String type,
      @QueryParam("id") @Nullable String id,
      @QueryParam("fromVersion") @Nullable String from,
      @QueryParam("limit") @Nullable String limit,
      @QueryParam("order") @Nullable String order,
      @Context SecurityContext security) {
    return page(Callers.of(security), type, "id", id == null ? "" : id, from, limit, order);
  }

  private CompletionStage<Response> page(
      Caller caller,
      String type,
      String parameter,
      String id,
      @Nullable String from,
      @Nullable String limit,
      @Nullable String order) {
    Names.checkType("aggregateType", type);
    Names.checkAggregateId(parameter, id);
    var stream = new DecideMessage.Aggregate(type, id).stream();
    var count = PageLimits.limit(limit);
    if (order != null && !order.equals("asc") && !order.equals("desc")) {
      throw EventoException.invalid("order", "must be asc or desc");
    }
    if ("desc".equals(order)) {
      var start =
          from == null ? Long.MAX_VALUE : Headers.number("fromVersion", from, 1, Long.MAX_VALUE);
      return reads.run(() -> backward(caller, stream, start, count));
    }
    var start = from == null ? 1 : Headers.number("fromVersion", from, 1, Long.MAX_VALUE);
    return reads.run(() -> forward(caller, stream, start, count));
  }

  private Response forward(Caller caller, String stream, long from, int limit) {
    var epoch = totalOrder.epochs().present();
    var page = streams.forward(stream, from, limit);
    if (page.events().isEmpty()) {
      checkExists(stream);
    }
    checkVisible(caller, page);
    return answer(StoreReads.write(page, page.end() ? null : page.upTo() + 1, epoch), epoch);
  }

  private Response backward(Caller caller, String stream, long from, int limit) {
    var epoch = totalOrder.epochs().present();
    var page = streams.backward(stream, from, limit);
    if (page.events().isEmpty()) {
      checkExists(stream);
    }
    checkVisible(caller, page);
    return answer(StoreReads.write(page, page.end() ? null : page.upTo() - 1, epoch), epoch);
  }

  /** A stream with holes would be taken for whole: who may not read all of a page reads none. */
  private static void checkVisible(Caller caller, EventPage page) {
    for (var event : page.events()) {
      caller.require(Right.READ, event.context(), event.type());
    }
  }

  private static Response answer(StreamingOutput page, UUID epoch) {
    return Response.ok(page).header(Headers.EPOCH, epoch).build();
  }

  private void checkExists(String stream) {
    if (streams.tip(stream).version() == 0) {
      throw new EventoException(ErrorCode.STREAM_NOT_FOUND, "there is no stream " + stream);
    }
  }
}
