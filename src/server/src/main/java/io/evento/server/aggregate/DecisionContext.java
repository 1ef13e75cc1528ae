package io.evento.server.aggregate;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.eventstore.append.Appender;
import io.evento.server.eventstore.read.SnapshotTable;
import io.evento.server.eventstore.read.StreamReader;
import io.evento.server.routing.command.CommandHandlers;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import jakarta.inject.Inject;
import java.util.concurrent.CompletionStage;

/** What the {@link Decision decisions} of this node share. */
@NodeScoped
public class DecisionContext {
  final LoopContext loop;
  final Appender appender;
  final HistoryReader historyReader;
  final SnapshotTable snapshots;
  final StreamReader reader;
  final Counter stale;
  final Counter refused;
  final Counter chained;

  @Inject
  public DecisionContext(
      CommandHandlers commandHandlers,
      Appender appender,
      CommandOutcomes commandOutcomes,
      HistoryReader historyReader,
      SnapshotTable snapshots,
      StreamReader reader,
      Threads threads,
      Settings settings,
      Catalog catalog,
      Metrics metrics) {
    this.appender = appender;
    this.historyReader = historyReader;
    this.snapshots = snapshots;
    this.reader = reader;
    loop =
        new LoopContext(
            commandHandlers,
            commandOutcomes,
            threads.pool("histories", 6, 20_000),
            threads,
            settings,
            metrics.telemetry(),
            catalog);
    stale = metrics.counter("evento_decisions_stale", "handlers that had to be told the history");
    refused =
        metrics.counter("evento_decisions_refused", "decisions on a state that was not the last");
    chained =
        metrics.counter(
            "evento_decisions_chained", "decisions on an outcome that was not stored yet");
  }

  /**
   * Takes one command to its outcome, which its queue has just started.
   *
   * @return fails with an {@link EventoException}
   */
  CompletionStage<Receipt> decide(
      StreamQueue streamQueue, PendingCommand pendingCommand, DecideMessage.Aggregate aggregate) {
    var decision = new Decision(this, streamQueue, pendingCommand, aggregate);
    pendingCommand.asks(decision);
    decision.begin();
    return decision.outcome.stage();
  }
}
