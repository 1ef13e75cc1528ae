package io.evento.server.aggregate;

import static org.awaitility.Awaitility.await;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Tip;
import io.evento.server.cluster.StandardSettings;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.eventstore.read.SnapshotTable;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.Failures;
import io.evento.server.routing.RoutingNode;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.TestDatabase;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The decisions of one node on a real store, as the server wires them. */
final class DecisionNode implements AutoCloseable {
  /** Of requests, where a test does not say another one. */
  static final long HASH = 7;

  final RoutingNode routing;
  final SnapshotTable snapshots;
  final DecisionContext decisions;
  final BoundaryContext boundaries;
  final Settings settings;
  final Metrics metrics = new Metrics();
  private final EntityManagers managers;

  DecisionNode(RoutingNode routing) {
    this.routing = routing;
    var store = routing.store;
    managers = new EntityManagers(routing.database);
    settings = StandardSettings.of(routing.database, managers, routing.threads);
    var outcomes = new CommandOutcomes(store.outcomes, routing.threads);
    snapshots = new SnapshotTable(routing.database);
    decisions =
        new DecisionContext(
            routing.handlers,
            store.appender,
            outcomes,
            new HistoryReader(store.streams, snapshots),
            snapshots,
            store.streams,
            routing.threads,
            settings,
            routing.catalog,
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
            routing.catalog,
            metrics);
  }

  /** A node that takes commands. */
  static DecisionNode up(TestDatabase where) {
    var routing = RoutingNode.up(where, "a");
    await().until(() -> routing.store.appender.isReady());
    return new DecisionNode(routing);
  }

  /** Somebody else writes an event without metadata, such as another node. */
  Tip write(String stream, Tip on, String type, String... tags) {
    return write(AppendRequests.on(stream, on).event(type, tags).events());
  }

  /** The state of the first stream once it is written. */
  Tip write(AppendRequest request) {
    return ((AppendResult.Appended) routing.store.append(request)).tips().get(0);
  }

  /** All that a stream has, in order. */
  List<RecordedEvent> events(String stream) {
    return routing.store.streams.forward(stream, 0, 2_000).events();
  }

  /** What the node has counted under a name. */
  double count(String name) {
    return metrics
        .scrape()
        .lines()
        .filter(line -> line.startsWith(name + "_total "))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(' '))))
        .sum();
  }

  /** A domain command as the router hands it over. */
  static CommandRequest command(
      UUID id, DecideMessage.Aggregate aggregate, @Nullable Long ifVersion, long millis) {
    return request(id, "Deposit", aggregate, null, ifVersion, millis, HASH);
  }

  /** A boundary's command as the router hands it over. */
  static CommandRequest command(UUID id, CommandRequest.Boundary boundary, long millis) {
    return request(id, "Transfer", null, boundary, null, millis, HASH);
  }

  /** The same id with another payload. */
  static CommandRequest anotherUnderTheIdOf(CommandRequest request) {
    return request(
        request.id(),
        request.type(),
        request.aggregate(),
        request.boundary(),
        null,
        5_000,
        HASH + 1);
  }

  private static CommandRequest request(
      UUID id,
      String type,
      DecideMessage.@Nullable Aggregate aggregate,
      CommandRequest.@Nullable Boundary boundary,
      @Nullable Long ifVersion,
      long millis,
      long hash) {
    return new CommandRequest(
        id,
        type,
        "bank",
        aggregate,
        boundary,
        ifVersion,
        Deadline.in(millis),
        null,
        id.toString(),
        null,
        null,
        Json.EMPTY_OBJECT,
        hash);
  }

  /** Why a command has no receipt. */
  static EventoException failure(CompletionStage<Receipt> outcome) {
    try {
      throw new AssertionError("was not refused: " + StoreNode.await(outcome));
    } catch (CompletionException failed) {
      return Failures.told(failed);
    }
  }

  @Override
  public void close() {
    routing.close();
    managers.close();
  }
}
