package io.evento.server.gateway.http;

import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.protocol.QueryMessage;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.access.Callers;
import io.evento.server.routing.query.Queries;
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
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.io.InputStream;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Door for callers without an SDK: takes a query, answers with the view. */
@NodeScoped
@Path("queries")
@Consumes(MediaType.APPLICATION_JSON)
@Produces(MediaType.APPLICATION_JSON)
public class QueryResource {
  @Inject private Queries queries;
  @Inject private Settings settings;
  @Inject private HttpAnswers answers;

  @POST
  @Needs(Access.SEND)
  @Path("{type}")
  public CompletionStage<byte[]> ask(
      @PathParam("type") String type,
      @HeaderParam("Prefer") @Nullable String prefer,
      @HeaderParam("traceparent") @Nullable String trace,
      @HeaderParam("Evento-Payload-Version") @Nullable String version,
      @HeaderParam("Evento-Consistent-After") @Nullable String after,
      @QueryParam("gather") @Nullable String gather,
      @Context SecurityContext security,
      InputStream body) {
    var query =
        new QueryMessage.Query(
            UUID.randomUUID(),
            Names.checkType("type", type),
            Headers.payloadVersion(version),
            Headers.deadlineMillis(prefer),
            Headers.trace(trace),
            Bodies.payload(body, settings.get(Setting.PAYLOAD_BYTES_MAX)),
            Headers.consistentAfter(after),
            gather(gather),
            null);
    return queries
        .ask(Callers.of(security), query)
        .thenApplyAsync(view -> Bodies.bytes(view.text()), answers.writers());
  }

  private static QueryMessage.@Nullable Gather gather(@Nullable String whom) {
    if (whom == null || whom.isEmpty()) {
      return null;
    }
    return switch (whom) {
      case "instances" -> QueryMessage.Gather.INSTANCES;
      case "versions" -> QueryMessage.Gather.VERSIONS;
      default -> throw EventoException.invalid("gather", "must be instances or versions");
    };
  }
}
