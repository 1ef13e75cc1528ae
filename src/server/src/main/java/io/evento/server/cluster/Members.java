package io.evento.server.cluster;

import io.evento.protocol.SessionMessage;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The nodes as of the last beat that succeeded; immutable. */
public record Members(List<Node> nodes) {
  public Members {
    nodes = List.copyOf(nodes);
  }

  /** Names of the nodes that may own streams, in order. */
  public List<String> owners() {
    return nodes.stream().filter(n -> n.state() == NodeState.UP).map(Node::name).toList();
  }

  /**
   * Names of the nodes that are up and that nobody asked to hand over, in order: who gets what
   * another one hands over.
   *
   * @param name of that other one, which is not among them
   */
  public List<String> keeping(String name) {
    return nodes.stream()
        .filter(n -> n.state() == NodeState.UP && !n.isAskedToDrain() && !n.name().equals(name))
        .map(Node::name)
        .toList();
  }

  public Optional<Node> find(String name) {
    return nodes.stream().filter(n -> n.name().equals(name)).findFirst();
  }

  /** Whether a process is alive, by the database's clock at the last beat. */
  public boolean isLive(UUID incarnation) {
    return nodes.stream().anyMatch(n -> n.incarnation().equals(incarnation) && n.isLive());
  }

  /** What bundles are told: all that are not gone. */
  public List<SessionMessage.Member> toMembers() {
    return nodes.stream().filter(Node::isLive).map(Node::toMember).toList();
  }
}
