package io.evento.server.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.live.LiveTopic;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The nodes, what each carries, and how long its link takes from here. */
@NodeScoped
public class NodesTopic implements LiveTopic {
  private final NodeViews views;
  private final NodeFigures figures;
  private final EntityManagers managers;

  @Inject
  public NodesTopic(
      NodeViews views, NodeFigures figures, SessionFigures sessions, EntityManagers managers) {
    // Here, as topics are there from a node's start on, and resources are not.
    sessions.answerPeers();
    this.views = views;
    this.figures = figures;
    this.managers = managers;
  }

  /**
   * @param segments of consumers that it delivers
   * @param figures absent for a node that is gone or did not answer in time
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Carried(
      @JsonUnwrapped NodeViews.NodeView node,
      long segments,
      NodeFigures.@Nullable Figures figures,
      @Nullable Double linkMillis) {}

  /**
   * @param self the node that answers
   * @param unreachable live nodes that did not answer in time
   */
  record Nodes(
      String self, String security, Map<String, Carried> nodes, List<String> unreachable) {}

  @Override
  public String name() {
    return "nodes";
  }

  @Override
  public Duration every() {
    return Duration.ofSeconds(2);
  }

  @Override
  public CompletionStage<Json> look() {
    var known = views.all();
    var segments = segments();
    return figures.all().thenApply(answers -> nodes(known, segments, answers));
  }

  private static Json nodes(
      NodeViews.Nodes known, Map<String, Long> segments, Map<String, NodeFigures.Answer> answers) {
    var nodes = new LinkedHashMap<String, Carried>();
    for (var node : known.nodes()) {
      var answer = answers.get(node.id());
      nodes.put(
          node.id(),
          new Carried(
              node,
              segments.getOrDefault(node.id(), 0L),
              answer == null ? null : answer.figures(),
              answer == null ? null : answer.linkMillis()));
    }
    var unreachable =
        known.nodes().stream()
            .filter(node -> !node.state().equals("gone") && !answers.containsKey(node.id()))
            .map(NodeViews.NodeView::id)
            .toList();
    return new Json(Codec.text(new Nodes(known.self(), known.security(), nodes, unreachable)));
  }

  private Map<String, Long> segments() {
    return managers.read(
        manager ->
            manager
                .createQuery(
                    "select s.owner, count(s.segment) from ConsumerSegmentRow s"
                        + " where s.leaseUntil > CURRENT_TIMESTAMP group by s.owner",
                    Object[].class)
                .getResultStream()
                .collect(Collectors.toMap(row -> (String) row[0], row -> (Long) row[1])));
  }
}
