package io.evento.server.console;

import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.cluster.NodeRow;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** The nodes of the cluster, as the table and this node's links show them. */
@NodeScoped
@Path("nodes")
@Produces(MediaType.APPLICATION_JSON)
public class NodeResource {
  @Inject private AdminCalls adminCalls;
  @Inject private EntityManagers managers;
  @Inject private Membership membership;
  @Inject private Links links;

  /**
   * @param state {@code joining}, {@code up}, {@code draining} or {@code gone}, by the database's
   *     clock
   * @param linked whether the answering node has a live link to it
   */
  record NodeView(
      String id,
      String incarnation,
      String url,
      String release,
      String state,
      String startedAt,
      String seenAt,
      boolean linked) {}

  record Nodes(String self, List<NodeView> nodes) {}

  @GET
  public CompletionStage<byte[]> all() {
    return adminCalls.answer(
        () ->
            new Nodes(
                membership.self(),
                managers.read(
                    manager ->
                        manager
                            .createQuery("select n from NodeRow n order by n.name", NodeRow.class)
                            .getResultStream()
                            .map(this::view)
                            .toList())));
  }

  private NodeView view(NodeRow row) {
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
        name.equals(membership.self()) || links.reaches(name));
  }
}
