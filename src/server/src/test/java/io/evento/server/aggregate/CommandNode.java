package io.evento.server.aggregate;

import io.evento.server.routing.RoutingNode;
import io.evento.server.routing.command.Router;
import io.evento.server.security.Shares;
import io.evento.server.setting.Setting;
import io.evento.testing.TestDatabase;

/** The way of a command through one node, from its door to the store, as the server wires it. */
final class CommandNode implements AutoCloseable {
  final RoutingNode routing;
  final DecisionContext decisions;
  final BoundaryContext boundaries;
  final Router router;
  private final DecisionNode deciding;

  /** A node that beats and serves; its links are not started before a test does. */
  CommandNode(TestDatabase where, String name) {
    routing = RoutingNode.up(where, name);
    deciding = new DecisionNode(routing);
    decisions = deciding.decisions;
    boundaries = deciding.boundaries;
    router =
        new Router(
            deciding.settings,
            routing.catalog,
            routing.membership,
            routing.availability,
            routing.links,
            new Owner(
                decisions, boundaries, routing.store.follower, routing.threads, deciding.metrics),
            routing.services,
            new Shares(Setting::standard),
            deciding.metrics);
  }

  @Override
  public void close() {
    deciding.close();
  }
}
