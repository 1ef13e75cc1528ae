package io.evento.server.console.setting;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.evento.protocol.Codec;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.ScatterGather;
import io.evento.server.config.ServerConfig;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What each node has in its own configuration, as any node tells it: it asks them over its links.
 */
@NodeScoped
public class NodeSettings {
  private static final String KIND = "node.settings";

  private final Links links;
  private final Membership membership;
  private final Settings settings;
  private final ServerConfig config;

  @Inject
  public NodeSettings(Links links, Membership membership, Settings settings, ServerConfig config) {
    this.links = links;
    this.membership = membership;
    this.settings = settings;
    this.config = config;
    links.answer(KIND, (peer, body) -> CompletableFuture.completedStage(Codec.text(own())));
  }

  /**
   * @param settings that it has of its own, by key: they win there
   * @param start what it reads at its start alone, by key, without secrets
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  record Own(Map<String, Integer> settings, Map<String, String> start) {}

  /**
   * @param nodes by name
   * @param unreachable live nodes that did not answer in time, or are of a release that cannot
   */
  record Gathered(Map<String, Own> nodes, List<String> unreachable) {}

  private Own own() {
    var mine = new TreeMap<String, Integer>();
    settings.ofNode().forEach((setting, value) -> mine.put(setting.key(), value));
    return new Own(mine, start());
  }

  private Map<String, String> start() {
    var found = new TreeMap<String, String>();
    found.put("evento.node.url", config.node().url());
    found.put("evento.node.bind", config.node().bind());
    found.put("evento.security", config.security().isOpen() ? "open" : "on");
    config
        .security()
        .oidc()
        .ifPresent(oidc -> found.put("evento.oidc.issuer", oidc.issuer().toString()));
    found.put("evento.db.pool-size", Integer.toString(config.database().poolSize()));
    found.put("evento.db.synchronous", config.database().isSynchronous() ? "required" : "optional");
    config.database().jndi().ifPresent(name -> found.put("evento.datasource.jndi", name));
    found.put("evento.link.port", Integer.toString(config.link().port()));
    found.put("evento.link.tls", config.link().tls().isPresent() ? "on" : "off");
    found.put("evento.http.hosts", String.join(",", config.http().hosts()));
    found.put("evento.http.trusted-proxies", String.join(",", config.http().trustedProxies()));
    return found;
  }

  /** Asks all live nodes; done after half a second at the latest. */
  CompletionStage<Gathered> gather() {
    var told = new TreeMap<String, Own>();
    told.put(membership.self(), own());
    return ScatterGather.ask(
            links, membership.liveOthers(), KIND, "", text -> Codec.read(Own.class, text))
        .thenApply(
            gathered -> {
              told.putAll(gathered.answers());
              return new Gathered(told, gathered.silent());
            });
  }
}
