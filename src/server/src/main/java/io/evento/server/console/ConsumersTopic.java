package io.evento.server.console;

import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.live.LiveTopic;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The consumers with their segments and lags, each by its name and version. */
@NodeScoped
public class ConsumersTopic implements LiveTopic {
  private final ConsumerViews views;

  @Inject
  public ConsumersTopic(ConsumerViews views) {
    this.views = views;
  }

  /**
   * @param consumers by {@code name/version}
   */
  record Consumers(Map<String, ConsumerViews.ConsumerView> consumers) {}

  @Override
  public String name() {
    return "consumers";
  }

  @Override
  public Duration every() {
    return Duration.ofSeconds(2);
  }

  @Override
  public CompletionStage<Json> look() {
    var byId = new LinkedHashMap<String, ConsumerViews.ConsumerView>();
    for (var consumer : views.all().consumers()) {
      byId.put(consumer.name() + "/" + consumer.version(), consumer);
    }
    return CompletableFuture.completedStage(new Json(Codec.text(new Consumers(byId))));
  }
}
