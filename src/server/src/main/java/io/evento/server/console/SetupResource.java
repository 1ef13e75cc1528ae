package io.evento.server.console;

import io.evento.protocol.Codec;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.access.Callers;
import io.evento.server.gateway.http.Bodies;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import io.evento.server.security.Setup;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Makes the first administrator, once, with the code that a node wrote into a file. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("setup")
@Produces(MediaType.APPLICATION_JSON)
public class SetupResource {
  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private Setup setup;

  record Wanted(@Nullable String code, @Nullable String name, @Nullable String password) {}

  record Administrator(String name) {}

  @POST
  @Needs(Access.ANYBODY)
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<Response> administrator(InputStream body) throws IOException {
    var given = OperationRequest.body(Wanted.class, body);
    var name = OperationRequest.required("/name", given.name());
    return setup
        .administrator(
            OperationRequest.required("/code", given.code()),
            name,
            OperationRequest.required("/password", given.password()),
            Callers.of(security).address())
        .thenCompose(
            done ->
                adminCalls.respond(
                    () ->
                        Response.status(Response.Status.CREATED)
                            .entity(Bodies.bytes(Codec.text(new Administrator(name))))
                            .build()));
  }
}
