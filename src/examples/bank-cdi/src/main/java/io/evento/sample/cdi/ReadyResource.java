package io.evento.sample.cdi;

import io.evento.bundle.EventoBundle;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Response;

/**
 * Whether the bank can do its work, for servers without MicroProfile Health: 200, or 503 with what
 * is known of each node.
 */
@Path("ready")
public class ReadyResource {
  @Inject private EventoBundle bundle;

  @GET
  public Response ready() {
    var readiness = bundle.readiness();
    return Response.status(readiness.isReady() ? 200 : 503)
        .type("text/plain")
        .entity(String.join("\n", readiness.addresses()))
        .build();
  }
}
