package io.evento.server.gateway.http;

import io.evento.server.NodeScoped;
import io.evento.server.gateway.access.Callers;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import io.evento.server.security.Right;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.SecurityContext;

/**
 * This node's metrics in Prometheus' text form. A program that may read some events only is told
 * those without labels: neither how often the others are handled, nor which bundles, consumers,
 * tables and nodes there are.
 */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("metrics")
public class MetricsResource {
  @Context private SecurityContext security;
  @Inject private Metrics metrics;

  @GET
  @Needs(Access.MONITOR)
  @Produces("text/plain;version=0.0.4;charset=utf-8")
  public String scrape() {
    var caller = Callers.of(security);
    return Access.VIEW.allows(caller) || caller.hasAll(Right.READ)
        ? metrics.scrape()
        : metrics.scrapeUnlabelled();
  }
}
