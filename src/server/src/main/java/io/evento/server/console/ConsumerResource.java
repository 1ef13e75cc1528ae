package io.evento.server.console;

import io.evento.server.NodeScoped;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.concurrent.CompletionStage;

/** The consumers, who delivers their segments, and how far each is behind. */
@NodeScoped
@Path("consumers")
@Produces(MediaType.APPLICATION_JSON)
public class ConsumerResource {
  @Inject private AdminCalls adminCalls;
  @Inject private ConsumerViews views;

  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> all() {
    return adminCalls.view(views::all);
  }
}
