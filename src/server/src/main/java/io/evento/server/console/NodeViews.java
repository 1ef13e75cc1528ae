package io.evento.server.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Drains;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.cluster.NodeRow;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.security.OpenMode;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What pages show of nodes. Blocks on the database. */
@NodeScoped
public class NodeViews {
  private final EntityManagers managers;
  private final Membership membership;
  private final Links links;
  private final OpenMode mode;
  private final Drains drains;

  @Inject
  public NodeViews(
      EntityManagers managers, Membership membership, Links links, OpenMode mode, Drains drains) {
    this.managers = managers;
    this.membership = membership;
    this.links = links;
    this.mode = mode;
    this.drains = drains;
  }

  /**
   * @param state {@code joining}, {@code up}, {@code draining} or {@code gone}, by the database's
   *     clock
   * @param linked whether the answering node has a live link to it
   * @param timerMillis since the timer of its application server made its last pass; absent if it
   *     did not answer in time
   * @param drain absent if no operator asked it to hand over what it has
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record NodeView(
      String id,
      String incarnation,
      String url,
      String release,
      String state,
      String startedAt,
      String seenAt,
      boolean linked,
      @Nullable Long timerMillis,
      @Nullable DrainView drain) {
    NodeView told(@Nullable Long timer) {
      return new NodeView(
          id, incarnation, url, release, state, startedAt, seenAt, linked, timer, drain);
    }
  }

  /**
   * @param by who asked
   * @param reason in his words; absent for none
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record DrainView(String askedAt, String by, @Nullable String reason) {
    static DrainView of(Drains.Wish wish) {
      return new DrainView(AdminCalls.time(wish.askedAt()), wish.by(), wish.reason());
    }
  }

  /**
   * @param security of the answering node: {@code on}, or {@code open} to everybody
   */
  record Nodes(String self, String security, List<NodeView> nodes) {
    /** With what nodes say of themselves, as far as they answered. */
    Nodes told(Map<String, NodeFigures.Answer> answers) {
      return new Nodes(
          self,
          security,
          nodes.stream()
              .map(
                  node -> {
                    var answer = answers.get(node.id());
                    return node.told(answer == null ? null : answer.figures().timerMillis());
                  })
              .toList());
    }
  }

  Nodes all() {
    var asked = drains.all().stream().collect(Collectors.toMap(Drains.Wish::node, DrainView::of));
    return new Nodes(
        membership.self(),
        mode.isOpen() ? "open" : "on",
        managers.read(
            manager ->
                manager
                    .createQuery("select n from NodeRow n order by n.name", NodeRow.class)
                    .getResultStream()
                    .map(row -> view(row, asked.get(row.name())))
                    .toList()));
  }

  private NodeView view(NodeRow row, @Nullable DrainView drain) {
    var name = row.name();
    var state =
        membership
            .members()
            .find(name)
            .filter(node -> node.incarnation().equals(row.incarnation()))
            .map(Node::state)
            .map(known -> known.wire())
            .orElse(row.state());
    return new NodeView(
        name,
        row.incarnation().toString(),
        row.url(),
        row.release(),
        state,
        AdminCalls.time(row.startedAt()),
        AdminCalls.time(row.seenAt()),
        name.equals(membership.self()) || links.reaches(name),
        null,
        drain);
  }
}
