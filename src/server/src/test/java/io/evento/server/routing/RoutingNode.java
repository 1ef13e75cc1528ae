package io.evento.server.routing;

import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.config.ServerConfig;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.routing.command.AbandonedRuns;
import io.evento.server.routing.command.ClaimTable;
import io.evento.server.routing.command.CommandHandlers;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.routing.command.ServiceCommands;
import io.evento.server.routing.session.Availability;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.Directory;
import io.evento.server.routing.session.PoisonMessages;
import io.evento.server.routing.session.Sessions;
import io.evento.server.routing.session.UnresponsiveInstances;
import io.evento.server.security.Caller;
import io.evento.server.setting.Setting;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.FreePorts;
import io.evento.testing.TestDatabase;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** This room of one node, as the server wires it; its links are not started before a test does. */
public final class RoutingNode implements AutoCloseable {
  public final Threads threads = new Threads(Thread::new);
  public final Database database;
  public final StoreNode store;
  public final Sessions sessions;
  public final Links links;
  public final Membership membership;
  public final Directory directory;
  public final Availability availability;
  public final Catalog catalog;
  public final ClaimTable claims;
  public final AbandonedRuns lost;
  public final ServiceCommands services;
  public final PoisonMessages poisonMessages;
  public final UnresponsiveInstances unresponsiveInstances;
  public final CommandHandlers handlers;

  private RoutingNode(TestDatabase where, String name) {
    var config = config(where, name);
    var metrics = new Metrics();
    database = new Database(config);
    store = StoreNode.start(where, name);
    sessions = new Sessions(metrics);
    links = new Links(config, database, threads, metrics);
    membership = new Membership(config, database, threads, links, metrics);
    directory = new Directory(links, sessions, threads);
    availability = new Availability(membership, directory, sessions);
    catalog = new Catalog(database, Setting::standard, threads);
    claims = new ClaimTable(database);
    var commandOutcomes = new CommandOutcomes(store.outcomes, threads);
    lost = new AbandonedRuns(store.appender, commandOutcomes, claims);
    poisonMessages = new PoisonMessages(metrics);
    unresponsiveInstances = new UnresponsiveInstances(metrics);
    handlers =
        new CommandHandlers(
            sessions, directory, links, availability, poisonMessages, unresponsiveInstances);
    services =
        new ServiceCommands(
            catalog,
            handlers,
            store.appender,
            commandOutcomes,
            claims,
            lost,
            membership,
            links,
            threads,
            metrics);
  }

  /** A node that beats and serves. */
  public static RoutingNode up(TestDatabase where, String name) {
    var node = new RoutingNode(where, name);
    node.membership.start();
    node.membership.up();
    return node;
  }

  /** What a node is configured with whose links are its own. */
  static ServerConfig config(TestDatabase where, String name) {
    var standard = NodeConfig.of(where, name);
    var port = FreePorts.row(2);
    return new ServerConfig(
        standard.node(),
        standard.database(),
        new ServerConfig.Link(port, port + 1),
        new ServerConfig.Http(List.of()),
        standard.webSocket(),
        standard.security());
  }

  /** A session of an instance that hosts one command. */
  public BundleSession host(String kind, CommandType command, BundleSession.Door door) {
    return host(
        new Component(
            ComponentKind.of(kind),
            "Host",
            0,
            "bank",
            List.of(command),
            List.of(),
            List.of(),
            null,
            null),
        door);
  }

  /** A session of an instance that hosts one component. */
  public BundleSession host(Component component, BundleSession.Door door) {
    var session = new BundleSession(1, "bank", UUID.randomUUID(), Caller.developer("test"), door);
    StoreNode.await(catalog.declare("bank", List.of(component), Optional.empty()));
    sessions.add(session);
    sessions.declared(session, List.of(component));
    return session;
  }

  @Override
  public void close() {
    membership.stop();
    links.stop();
    threads.stop();
    store.close();
    database.close();
  }
}
