package io.evento.server.console.telemetry;

import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.live.LiveTopic;
import io.evento.server.monitor.ClusterRates;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/** The rates of the whole cluster, once a second. */
@NodeScoped
public class RatesTopic implements LiveTopic {
  private final ClusterRates rates;

  @Inject
  public RatesTopic(ClusterRates rates) {
    this.rates = rates;
  }

  @Override
  public String name() {
    return "metrics";
  }

  @Override
  public Duration every() {
    return Duration.ofSeconds(1);
  }

  /** After half a second at the latest, when the nodes have answered. */
  @Override
  public CompletionStage<Json> look() {
    return rates.now(0).thenApply(view -> new Json(Codec.text(view)));
  }
}
