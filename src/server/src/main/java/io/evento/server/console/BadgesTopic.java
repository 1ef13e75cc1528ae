package io.evento.server.console;

import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.config.ServerConfig;
import io.evento.server.gateway.live.LiveTopic;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What every page shows, whatever it is about: how many nodes there are, and what needs somebody.
 */
@NodeScoped
public class BadgesTopic implements LiveTopic {
  private static final Set<String> HELPLESS = Set.of("full", "stuck", "failing");

  private final NodeViews nodes;
  private final ConsumerViews consumers;
  private final ServerConfig config;

  @Inject
  public BadgesTopic(NodeViews nodes, ConsumerViews consumers, ServerConfig config) {
    this.nodes = nodes;
    this.consumers = consumers;
    this.config = config;
  }

  /**
   * @param self the node that answers
   * @param nodesUp of {@code nodes}, those that work
   * @param nodesAway of {@code nodes}, those that do not
   * @param consumers those with a segment that does not get on by itself
   * @param letters dead letters of all consumers
   */
  record Badges(
      String self,
      String release,
      long nodes,
      long nodesUp,
      long nodesAway,
      long consumers,
      long letters) {}

  @Override
  public String name() {
    return "badges";
  }

  @Override
  public Duration every() {
    return Duration.ofSeconds(3);
  }

  @Override
  public CompletionStage<Json> look() {
    var known = nodes.all();
    var up = known.nodes().stream().filter(node -> node.state().equals("up")).count();
    var all = consumers.all().consumers();
    return CompletableFuture.completedStage(
        new Json(
            Codec.text(
                new Badges(
                    known.self(),
                    config.node().release(),
                    known.nodes().size(),
                    up,
                    known.nodes().size() - up,
                    all.stream()
                        .filter(
                            consumer ->
                                consumer.segments().stream()
                                    .anyMatch(segment -> HELPLESS.contains(segment.state())))
                        .count(),
                    all.stream().mapToLong(ConsumerViews.ConsumerView::deadLetters).sum()))));
  }
}
