package io.evento.server.consumer.segment;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.NodeState;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.Directory;
import io.evento.server.routing.session.Sessions;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Who can be given segments of which consumer, here and elsewhere. */
@NodeScoped
public class Hosts {
  /**
   * The hosts of one consumer that has sessions here.
   *
   * @param component as the newest session here declared it
   * @param sessions of this node, open
   * @param nodes that have sessions and may hold leases; this node, while it drains, only if no
   *     other one has any
   * @param instances all of them, as text
   */
  public record Of(
      Component component,
      List<BundleSession> sessions,
      Set<String> nodes,
      Set<String> instances) {}

  private static final Set<ComponentKind> KINDS =
      Set.of(ComponentKind.PROJECTOR, ComponentKind.SAGA, ComponentKind.OBSERVER);

  private final Sessions sessions;
  private final Directory directory;
  private final Membership membership;

  @Inject
  Hosts(Sessions sessions, Directory directory, Membership membership) {
    this.sessions = sessions;
    this.directory = directory;
    this.membership = membership;
  }

  /** As of now, by consumer; only what is hosted here. */
  public Map<ConsumerId, Of> now() {
    var self = membership.self();
    var owners = membership.members().owners();
    var found = new TreeMap<ConsumerId, Of>();
    here(sessions.all())
        .forEach(
            (consumer, open) -> {
              var nodes = new TreeSet<String>();
              var instances = new TreeSet<String>();
              if (membership.state() == NodeState.UP) {
                nodes.add(self);
              }
              open.forEach(session -> instances.add(session.instance().toString()));
              for (var remote : directory.consuming(consumer.wire())) {
                if (owners.contains(remote.node())) {
                  nodes.add(remote.node());
                  instances.add(remote.instance().toString());
                }
              }
              // A consumer that only a draining node can reach stays there until another node hosts
              // it. One whose process ends gives it back nevertheless.
              if (nodes.isEmpty() && membership.state() == NodeState.DRAINING) {
                nodes.add(self);
              }
              var newest = open.get(open.size() - 1);
              found.put(consumer, new Of(declaration(newest, consumer), open, nodes, instances));
            });
    return found;
  }

  /** Whether a session still stands, be it that it takes nothing new. */
  public boolean isConnected(BundleSession session) {
    return sessions.all().contains(session);
  }

  private static Map<ConsumerId, List<BundleSession>> here(List<BundleSession> sessions) {
    var found = new TreeMap<ConsumerId, List<BundleSession>>();
    for (var session : sessions) {
      if (session.isOpen()) {
        for (var component : consumersOf(session)) {
          found.computeIfAbsent(ConsumerId.of(component), first -> new ArrayList<>()).add(session);
        }
      }
    }
    return found;
  }

  /** What a session says of a consumer that it hosts. */
  public static Component declaration(BundleSession session, ConsumerId consumer) {
    return consumersOf(session).stream()
        .filter(component -> ConsumerId.of(component).equals(consumer))
        .findFirst()
        .orElseThrow();
  }

  private static List<Component> consumersOf(BundleSession session) {
    return session.components().stream()
        .filter(c -> KINDS.contains(c.kind()) && c.consumes() != null)
        .toList();
  }
}
