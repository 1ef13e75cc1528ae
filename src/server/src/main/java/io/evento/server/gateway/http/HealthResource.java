package io.evento.server.gateway.http;

import io.evento.protocol.Codec;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.health.Health;
import io.evento.server.gateway.health.HealthChecks;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

/** What balancers and operators ask, in MicroProfile Health's JSON shape. */
@NodeScoped
@Path("health")
@Produces(MediaType.APPLICATION_JSON)
public class HealthResource {
  @Inject private HealthChecks checks;

  /** The process answers. */
  @GET
  @Needs(Access.ANYBODY)
  @Path("live")
  public Response live() {
    return answer(checks.live());
  }

  /** This node can take commands. */
  @GET
  @Needs(Access.ANYBODY)
  @Path("ready")
  public Response ready() {
    return answer(checks.ready());
  }

  /** This node has started: schema, links and timers are there. */
  @GET
  @Needs(Access.ANYBODY)
  @Path("started")
  public Response started() {
    return answer(checks.started());
  }

  private static Response answer(Health health) {
    return Response.status(health.code()).entity(Bodies.bytes(Codec.text(health))).build();
  }
}
