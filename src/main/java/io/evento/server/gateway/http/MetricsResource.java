package io.evento.server.gateway.http;

import io.evento.server.NodeScoped;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;

/** This node's metrics in Prometheus' text form. */
@NodeScoped
@Path("metrics")
public class MetricsResource {
  @Inject private Metrics metrics;

  @GET
  @Produces("text/plain;version=0.0.4;charset=utf-8")
  public String scrape() {
    return metrics.scrape();
  }
}
