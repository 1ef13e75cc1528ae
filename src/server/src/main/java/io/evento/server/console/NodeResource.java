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

/** The nodes of the cluster, as the table and this node's links show them. */
@NodeScoped
@Path("nodes")
@Produces(MediaType.APPLICATION_JSON)
public class NodeResource {
  @Inject private AdminCalls adminCalls;
  @Inject private NodeViews views;
  @Inject private NodeFigures figures;

  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> all() {
    return adminCalls.viewed(
        adminCalls.read(views::all).thenCombine(figures.all(), NodeViews.Nodes::told));
  }
}
