package io.evento.server.console.telemetry;

import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.live.LiveTopic;
import io.evento.server.monitor.AlarmWatch;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The alarms that are active, as this node knows them; some seconds old. */
@NodeScoped
public class AlarmsTopic implements LiveTopic {
  private final AlarmWatch watch;

  @Inject
  public AlarmsTopic(AlarmWatch watch) {
    this.watch = watch;
  }

  /**
   * @param alarms by their ids
   */
  record Active(Map<String, AlarmResource.AlarmView> alarms) {}

  @Override
  public String name() {
    return "alarms";
  }

  @Override
  public Duration every() {
    return Duration.ofSeconds(2);
  }

  @Override
  public CompletionStage<Json> look() {
    var byId = new LinkedHashMap<String, AlarmResource.AlarmView>();
    watch
        .active()
        .forEach(alarm -> byId.put(Long.toString(alarm.id()), AlarmResource.AlarmView.of(alarm)));
    return CompletableFuture.completedStage(new Json(Codec.text(new Active(byId))));
  }
}
