package io.evento.server.routing;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.StandardSettings;
import io.evento.server.config.ServerConfig;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.eventstore.follow.SeenPositions;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.routing.query.Queries;
import io.evento.server.routing.query.QueryHandlers;
import io.evento.server.routing.query.ReadYourWrites;
import io.evento.server.routing.query.ScatterGather;
import io.evento.server.routing.query.ShadowVersions;
import io.evento.server.routing.session.Availability;
import io.evento.server.routing.session.Directory;
import io.evento.server.routing.session.PoisonMessages;
import io.evento.server.routing.session.Sessions;
import io.evento.server.routing.session.UnresponsiveInstances;
import io.evento.server.security.Shares;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.TestDatabase;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Queries of one node that is alone, as the server wires them; read models are never behind. */
public final class QueryNode implements AutoCloseable {
  public final Sessions sessions;
  public final Links links;
  public final Settings settings;
  public final Queries queries;
  private final Threads threads = new Threads(Thread::new);
  public final ServerConfig config;
  public final Database database;
  private final EntityManagers managers;
  private final Membership membership;
  private final Catalog catalog;

  /**
   * @param sessions that answer
   * @param shadowVersions what the node knows of them
   */
  public QueryNode(
      TestDatabase where, String name, Sessions sessions, ShadowVersions shadowVersions) {
    this.sessions = sessions;
    config = RoutingNode.config(where, name);
    var metrics = new Metrics();
    database = new Database(config);
    managers = new EntityManagers(database);
    links = new Links(config, database, threads, metrics);
    membership = new Membership(config, database, threads, links, metrics);
    catalog = new Catalog(database, Setting::standard, threads);
    settings = StandardSettings.of(database, managers, threads);
    var directory = new Directory(links, sessions, threads);
    var availability = new Availability(membership, directory, sessions);
    var queryHandlers =
        new QueryHandlers(
            sessions,
            directory,
            links,
            shadowVersions,
            new PoisonMessages(metrics),
            new UnresponsiveInstances(metrics));
    var order = new OrderReader(database);
    var positions = new SeenPositions(new Follower(order, threads, metrics), order, threads);
    var readYourWrites =
        new ReadYourWrites(
            (consumer, after, deadline) -> CompletableFuture.completedStage(null),
            availability,
            positions);
    queries =
        new Queries(
            settings,
            catalog,
            availability,
            queryHandlers,
            readYourWrites,
            new ScatterGather(queryHandlers, readYourWrites, availability),
            shadowVersions,
            new Shares(Setting::standard),
            metrics);
    membership.start();
    membership.up();
  }

  /** Whether it takes queries by now. */
  public boolean isServing() {
    return membership.isBeating();
  }

  /** Has the store know a component's queries. */
  public void declare(Component component) {
    StoreNode.await(catalog.declare(component.context(), List.of(component), Optional.empty()));
  }

  @Override
  public void close() {
    membership.stop();
    links.stop();
    threads.stop();
    managers.close();
    database.close();
  }
}
