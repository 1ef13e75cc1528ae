package io.evento.server.gateway.http;

import io.evento.protocol.Codec;
import io.evento.protocol.CommandMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.outbox.Schedules;
import io.evento.server.gateway.access.Callers;
import io.evento.server.personal.PersonalTypes;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import java.io.InputStream;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Door for commands that are to be sent later. */
@NodeScoped
@Path("schedules")
@Produces(MediaType.APPLICATION_JSON)
public class ScheduleResource {
  private static final int SENDER_BYTES_MAX = 4_096;

  @Inject private Schedules schedules;
  @Inject private Settings settings;
  @Inject private PersonalTypes personalTypes;

  /**
   * Keeps a command for later; its body is the payload.
   *
   * @param at RFC 3339, by the database's clock; or
   * @param after ISO 8601, such as {@code PT10S}, from now
   * @param id chosen by the caller and kept across retries; under it the command will be sent
   */
  @POST
  @Needs(Access.SEND)
  @Path("{typeOrId}")
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<Response> add(
      @PathParam("typeOrId") String type,
      @QueryParam("at") @Nullable String at,
      @QueryParam("after") @Nullable String after,
      @HeaderParam("Idempotency-Key") @Nullable String id,
      @HeaderParam("traceparent") @Nullable String trace,
      @HeaderParam("Evento-Metadata") @Nullable String metadata,
      @Context SecurityContext security,
      InputStream body) {
    var commandId = Headers.commandId(id);
    try {
      var order =
          new CommandMessage.Schedule(
              commandId,
              Names.checkType("type", type),
              after == null ? null : millis(after),
              at,
              Headers.trace(trace),
              null,
              null,
              Headers.metadata(metadata),
              Bodies.payload(body, settings.get(Setting.PAYLOAD_BYTES_MAX)));
      personalTypes.refuseCommand(order.type());
      return schedules
          .add(Callers.of(security), order)
          .thenApply(
              scheduled ->
                  Response.status(Response.Status.CREATED)
                      .entity(Bodies.bytes(Codec.text(scheduled)))
                      .build());
    } catch (EventoException refused) {
      throw refused.ofCommand(commandId);
    }
  }

  private static long millis(String after) {
    try {
      return Duration.parse(after).toMillis();
    } catch (DateTimeException | ArithmeticException malformed) {
      throw EventoException.invalid("after", "must be a duration such as PT10S or P1D");
    }
  }

  /**
   * What waits, the first due first.
   *
   * @param type only commands of this one
   * @param after the last page's {@code next}
   */
  @GET
  @Needs(Access.OPERATE)
  public CompletionStage<byte[]> list(
      @QueryParam("type") @Nullable String type,
      @QueryParam("after") @Nullable String after,
      @QueryParam("limit") @Nullable String limit) {
    return schedules
        .page(type, after == null ? null : Headers.uuid("after", after), PageLimits.limit(limit))
        .thenApply(page -> Bodies.bytes(Codec.text(page)));
  }

  @GET
  @Needs(Access.SEND)
  @Path("{typeOrId}")
  public CompletionStage<byte[]> one(
      @PathParam("typeOrId") String id, @Context SecurityContext security) {
    return schedules
        .find(Callers.of(security), Headers.uuid("id", id))
        .thenApply(scheduled -> Bodies.bytes(Codec.text(scheduled)));
  }

  record Sender(@Nullable String bundle) {}

  /**
   * Names whose rights a command is sent with that has no sender: {@code {"bundle":"bank"}}.
   *
   * @param id of the command
   */
  @PUT
  @Needs(Access.ADMINISTER)
  @Path("{typeOrId}/sender")
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<Response> adopt(
      @PathParam("typeOrId") String id, @Context SecurityContext security, InputStream body) {
    var bundle = Codec.readBody(Sender.class, Bodies.payload(body, SENDER_BYTES_MAX)).bundle();
    if (bundle == null) {
      throw EventoException.invalid("/bundle", "is required");
    }
    return schedules
        .adopt(Headers.uuid("id", id), Names.checkType("/bundle", bundle), Callers.of(security))
        .thenApply(done -> Response.noContent().build());
  }

  /** Takes a command back that was not sent yet. */
  @DELETE
  @Needs(Access.SEND)
  @Path("{typeOrId}")
  public CompletionStage<Response> cancel(
      @PathParam("typeOrId") String id, @Context SecurityContext security) {
    return schedules
        .cancel(Callers.of(security), Headers.uuid("id", id))
        .thenApply(done -> Response.noContent().build());
  }
}
