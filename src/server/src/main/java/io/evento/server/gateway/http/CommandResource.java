package io.evento.server.gateway.http;

import io.evento.protocol.Codec;
import io.evento.protocol.CommandMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Names;
import io.evento.protocol.Receipt;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.access.Callers;
import io.evento.server.personal.PersonalTypes;
import io.evento.server.routing.command.Router;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.io.InputStream;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Door for callers without an SDK: takes a command, answers with its outcome. */
@NodeScoped
@Path("commands")
@Consumes(MediaType.APPLICATION_JSON)
@Produces(MediaType.APPLICATION_JSON)
public class CommandResource {
  @Inject private Router router;
  @Inject private Settings settings;
  @Inject private HttpAnswers answers;
  @Inject private PersonalTypes personalTypes;

  /**
   * @param id chosen by the caller and kept across retries; a repeat gets the first outcome
   */
  @POST
  @Needs(Access.SEND)
  @Path("{type}")
  public CompletionStage<byte[]> send(
      @PathParam("type") String type,
      @HeaderParam("Idempotency-Key") @Nullable String id,
      @HeaderParam("Prefer") @Nullable String prefer,
      @HeaderParam("If-Match") @Nullable String ifMatch,
      @HeaderParam("traceparent") @Nullable String trace,
      @HeaderParam("Evento-Metadata") @Nullable String metadata,
      @Context SecurityContext security,
      InputStream body) {
    var commandId = Headers.commandId(id);
    try {
      var command =
          new CommandMessage.Command(
              commandId,
              Names.checkType("type", type),
              Headers.version(ifMatch),
              Headers.deadlineMillis(prefer),
              Headers.trace(trace),
              null,
              null,
              Headers.metadata(metadata),
              Bodies.payload(body, settings.get(Setting.PAYLOAD_BYTES_MAX)));
      personalTypes.refuseCommand(command.type());
      return router
          .dispatch(Callers.of(security), command)
          .thenApplyAsync(CommandResource::write, answers.writers());
    } catch (EventoException refused) {
      throw refused.ofCommand(commandId);
    }
  }

  static byte[] write(Receipt receipt) {
    var text = Codec.text(receipt);
    // The contract shows a missing result as null; the wire between nodes leaves it out.
    return Bodies.bytes(
        receipt.result() == null
            ? text.substring(0, text.length() - 1) + ",\"result\":" + Json.NULL.text() + "}"
            : text);
  }
}
