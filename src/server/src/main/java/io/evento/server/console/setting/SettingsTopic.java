package io.evento.server.console.setting;

import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.console.setting.SettingResource.SettingView;
import io.evento.server.gateway.live.LiveTopic;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;

/**
 * The settings as this node has them, and which each node has of its own. Costs a query of the last
 * changes, of some dozens, and one question to each node every two seconds.
 */
@NodeScoped
public class SettingsTopic implements LiveTopic {
  private final Settings settings;
  private final NodeSettings nodes;

  @Inject
  public SettingsTopic(Settings settings, NodeSettings nodes) {
    this.settings = settings;
    this.nodes = nodes;
  }

  /**
   * @param settings by key
   * @param nodes settings that each has of its own, by its name and their keys
   * @param unreachable live nodes that did not answer in time, or are of a release that cannot
   */
  record View(
      Map<String, SettingView> settings,
      Map<String, Map<String, Integer>> nodes,
      List<String> unreachable) {}

  @Override
  public String name() {
    return "settings";
  }

  @Override
  public Duration every() {
    return Duration.ofSeconds(2);
  }

  @Override
  public CompletionStage<Json> look() {
    var last = settings.lastChanges();
    var views = new LinkedHashMap<String, SettingView>();
    for (var value : settings.all()) {
      var key = value.setting().key();
      views.put(key, SettingView.of(value, last.get(key)));
    }
    return nodes
        .gather()
        .thenApply(told -> new Json(Codec.text(new View(views, own(told), told.unreachable()))));
  }

  private static Map<String, Map<String, Integer>> own(NodeSettings.Gathered told) {
    var own = new TreeMap<String, Map<String, Integer>>();
    told.nodes().forEach((node, one) -> own.put(node, one.settings()));
    return own;
  }
}
