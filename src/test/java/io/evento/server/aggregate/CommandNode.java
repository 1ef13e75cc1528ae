package io.evento.server.aggregate;

import io.evento.server.cluster.StandardSettings;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.routing.RoutingNode;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.routing.command.Router;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.TestDatabase;

/** The way of a command through one node, from its door to the store, as the server wires it. */
final class CommandNode implements AutoCloseable {
  final RoutingNode routing;
  final DecisionContext decisions;
  final BoundaryContext boundaries;
  final Router router;
  private final EntityManagers managers;

  /** A node that beats and serves; its links are not started before a test does. */
  CommandNode(TestDatabase where, String name) {
    routing = RoutingNode.up(where, name);
    managers = new EntityManagers(routing.database);
    var settings = StandardSettings.of(routing.database, managers, routing.threads);
    var metrics = new Metrics();
    var store = routing.store;
    var outcomes = new CommandOutcomes(store.outcomes, routing.threads);
    decisions =
        new DecisionContext(
            routing.handlers,
            store.appender,
            outcomes,
            new HistoryReader(store.streams, store.snapshots),
            store.snapshots,
            store.streams,
            routing.threads,
            settings,
            metrics);
    boundaries =
        new BoundaryContext(
            routing.handlers,
            store.appendConditions,
            outcomes,
            store.criteria,
            store.streams,
            routing.threads,
            settings,
            metrics);
    router =
        new Router(
            settings,
            routing.catalog,
            routing.membership,
            routing.availability,
            routing.links,
            new Owner(decisions, boundaries, store.follower, routing.threads, metrics),
            routing.services,
            metrics);
  }

  @Override
  public void close() {
    routing.close();
    managers.close();
  }
}
