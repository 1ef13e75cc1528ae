package io.evento.server.console.setting;

import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.live.LiveTopic;
import io.evento.server.security.Access;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;

/**
 * What each node reads at its start alone: addresses, hosts, pools. For those who operate, as it
 * tells how the cluster is reached.
 */
@NodeScoped
public class ConfigurationTopic implements LiveTopic {
  private final NodeSettings nodes;

  @Inject
  public ConfigurationTopic(NodeSettings nodes) {
    this.nodes = nodes;
  }

  /**
   * @param nodes values by the node's name and their keys, without secrets
   */
  record View(Map<String, Map<String, String>> nodes) {}

  @Override
  public String name() {
    return "configuration";
  }

  @Override
  public Duration every() {
    return Duration.ofSeconds(10);
  }

  @Override
  public Access needs() {
    return Access.OPERATE;
  }

  @Override
  public CompletionStage<Json> look() {
    return nodes.gather().thenApply(ConfigurationTopic::view);
  }

  private static Json view(NodeSettings.Gathered told) {
    var start = new TreeMap<String, Map<String, String>>();
    told.nodes().forEach((node, one) -> start.put(node, one.start()));
    return new Json(Codec.text(new View(start)));
  }
}
