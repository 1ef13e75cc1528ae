package io.evento.server.gateway.http;

import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.access.Callers;
import io.evento.server.personal.PersonalTypes;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.command.Appends;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.io.InputStream;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Stores events that no handler decided, perhaps on a condition (dcb.events). */
@NodeScoped
@Path("events")
@Consumes(MediaType.APPLICATION_JSON)
@Produces(MediaType.APPLICATION_JSON)
public class AppendResource {
  static final int BODY_BYTES_MAX = 4 << 20;

  @Inject private Appends appends;
  @Inject private HttpAnswers answers;
  @Inject private PersonalTypes personalTypes;

  /**
   * @param id chosen by the caller and kept across retries; a repeat gets the first outcome
   */
  @POST
  @Needs(Access.SEND)
  public CompletionStage<byte[]> append(
      @HeaderParam("Idempotency-Key") @Nullable String id,
      @HeaderParam("Prefer") @Nullable String prefer,
      @HeaderParam("traceparent") @Nullable String trace,
      @HeaderParam("Evento-Metadata") @Nullable String metadata,
      @Context SecurityContext security,
      InputStream body) {
    if (id == null) {
      // One made here would be of no use to a caller who lost the answer.
      throw EventoException.invalid("Idempotency-Key", "is required");
    }
    var commandId = Headers.commandId(id);
    try {
      var given = Bodies.payload(body, BODY_BYTES_MAX);
      var read = AppendBody.read(given);
      var append =
          new Appends.Append(
              Callers.of(security),
              commandId,
              given,
              read.checkedContext(),
              read.checkedAggregate(),
              read.checkedEvents(),
              read.checkedGuard(),
              Deadline.in(Headers.deadlineMillis(prefer)),
              Headers.trace(trace),
              Headers.metadata(metadata));
      personalTypes.refuseEvents(append.context(), append.events());
      return appends.append(append).thenApplyAsync(CommandResource::write, answers.writers());
    } catch (EventoException refused) {
      throw refused.ofCommand(commandId);
    }
  }
}
