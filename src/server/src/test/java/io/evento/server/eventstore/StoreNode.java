package io.evento.server.eventstore;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.evento.server.Threads;
import io.evento.server.config.ServerConfig;
import io.evento.server.eventstore.append.AppendConditions;
import io.evento.server.eventstore.append.AppendQueue;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.eventstore.append.Appender;
import io.evento.server.eventstore.follow.AppendedEventsPublisher;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.eventstore.read.CriteriaReader;
import io.evento.server.eventstore.read.EventBlockTable;
import io.evento.server.eventstore.read.EventSearch;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.eventstore.read.SnapshotTable;
import io.evento.server.eventstore.read.StreamReader;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The event store of one node, as the server wires it. */
public final class StoreNode implements AutoCloseable {
  static final AppendQueue.Limits LIMITS =
      new AppendQueue.Limits(256, 1 << 20, 50_000, 20_000, 64 << 20);

  public final Database database;
  final Threads threads = new Threads(Thread::new);
  public final OrderReader order;
  public final StreamReader streams;
  public final EventSearch search;
  public final OutcomeReader outcomes;
  public final SnapshotTable snapshots;
  public final Follower follower;
  public final Appender appender;
  public final CriteriaReader criteria;
  public final AppendConditions appendConditions;

  /** Everything published to peers. */
  public final List<AppendedEventsPublisher> peers = new ArrayList<>();

  private StoreNode(ServerConfig config, AppendQueue.Limits limits) {
    database = new Database(config);
    var metrics = new Metrics();
    order = new OrderReader(database);
    streams = new StreamReader(database);
    search = new EventSearch(database, order, new EventBlockTable(database));
    outcomes = new OutcomeReader(database);
    snapshots = new SnapshotTable(database);
    follower = new Follower(order, threads, metrics);
    appender = new Appender(limits, database, threads, metrics, follower, peers);
    criteria = new CriteriaReader(database);
    appendConditions = new AppendConditions(appender, follower, criteria, threads);
  }

  public static StoreNode start(TestDatabase where, String name) {
    return start(where, name, LIMITS);
  }

  public static StoreNode start(TestDatabase where, String name, AppendQueue.Limits limits) {
    return started(new StoreNode(NodeConfig.of(where, name), limits));
  }

  /** One that demands a synchronous standby. */
  public static StoreNode synchronous(TestDatabase where, String name) {
    return started(new StoreNode(NodeConfig.of(where, name, true), LIMITS));
  }

  private static StoreNode started(StoreNode node) {
    node.follower.start();
    node.appender.start();
    return node;
  }

  /** The result, within a deadline that only a broken store misses. */
  public AppendResult append(AppendRequest appendRequest) {
    return await(appender.append(appendRequest));
  }

  public static <T> T await(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(20, SECONDS).join();
  }

  public static void awaitAll(List<? extends CompletionStage<?>> stages) {
    CompletableFuture.allOf(
            stages.stream()
                .map(CompletionStage::toCompletableFuture)
                .toArray(CompletableFuture<?>[]::new))
        .orTimeout(60, SECONDS)
        .join();
  }

  @Override
  public void close() {
    appender.close();
    threads.stop();
    database.close();
  }
}
