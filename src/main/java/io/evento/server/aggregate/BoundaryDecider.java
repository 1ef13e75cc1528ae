package io.evento.server.aggregate;

import io.evento.protocol.Receipt;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Settings;
import io.evento.server.eventstore.Conditions;
import io.evento.server.eventstore.CriteriaReader;
import io.evento.server.eventstore.EventReader;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Handlers;
import io.evento.server.routing.Outcomes;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import jakarta.inject.Inject;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;

/** What the {@link BoundaryDecision decisions over several streams} of this node share. */
@NodeScoped
public class BoundaryDecider {
  final Handlers handlers;
  final Conditions conditions;
  final Outcomes outcomes;
  final CriteriaReader criteria;
  final EventReader events;
  final ExecutorService readers;
  final Threads threads;
  final Settings settings;
  final Counter refused;

  @Inject
  public BoundaryDecider(
      Handlers handlers,
      Conditions conditions,
      Outcomes outcomes,
      CriteriaReader criteria,
      EventReader events,
      Threads threads,
      Settings settings,
      Metrics metrics) {
    this.handlers = handlers;
    this.conditions = conditions;
    this.outcomes = outcomes;
    this.criteria = criteria;
    this.events = events;
    this.threads = threads;
    this.settings = settings;
    readers = threads.pool("criteria", 6, 20_000);
    refused =
        metrics.counter(
            "evento_conditions_refused", "decisions of boundaries that something came between");
  }

  /**
   * Takes one command of a boundary to its outcome.
   *
   * @return fails with an {@link io.evento.protocol.EventoException}
   */
  CompletionStage<Receipt> decide(Pending pending, CommandRequest.Boundary boundary) {
    var decision = new BoundaryDecision(this, pending.request(), boundary);
    pending.asks(decision);
    decision.begin();
    return decision.outcome();
  }
}
