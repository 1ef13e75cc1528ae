package io.evento.server.aggregate;

import io.evento.protocol.Receipt;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.eventstore.append.AppendConditions;
import io.evento.server.eventstore.read.CriteriaReader;
import io.evento.server.eventstore.read.StreamReader;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.command.CommandHandlers;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import jakarta.inject.Inject;
import java.util.concurrent.CompletionStage;

/** What the {@link BoundaryDecision decisions over several streams} of this node share. */
@NodeScoped
public class BoundaryContext {
  final LoopContext loop;
  final AppendConditions appendConditions;
  final CriteriaReader criteria;
  final StreamReader events;
  final Counter refused;

  @Inject
  public BoundaryContext(
      CommandHandlers commandHandlers,
      AppendConditions appendConditions,
      CommandOutcomes commandOutcomes,
      CriteriaReader criteria,
      StreamReader events,
      Threads threads,
      Settings settings,
      Catalog catalog,
      Metrics metrics) {
    this.appendConditions = appendConditions;
    this.criteria = criteria;
    this.events = events;
    loop =
        new LoopContext(
            commandHandlers,
            commandOutcomes,
            threads.pool("criteria", 6, 20_000),
            threads,
            settings,
            metrics.telemetry(),
            catalog);
    refused =
        metrics.counter(
            "evento_conditions_refused", "decisions of boundaries that something came between");
  }

  /**
   * Takes one command of a boundary to its outcome.
   *
   * @return fails with an {@link io.evento.protocol.EventoException}
   */
  CompletionStage<Receipt> decide(PendingCommand pendingCommand, CommandRequest.Boundary boundary) {
    var decision = new BoundaryDecision(this, pendingCommand.request(), boundary);
    pendingCommand.asks(decision);
    decision.begin();
    return decision.outcome.stage();
  }
}
