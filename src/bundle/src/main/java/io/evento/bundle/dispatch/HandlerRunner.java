package io.evento.bundle.dispatch;

import io.evento.protocol.DecideMessage.Aggregate;
import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Tip;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Calls handlers on the calling thread and without a cluster, by the code that answers a node: what
 * test kits are made of. Holds states as a running bundle does; a new one holds none.
 */
public final class HandlerRunner {
  private static final int STREAMS_HELD_MAX = 16;
  private static final long STAGE_MAX_SECONDS = 10;

  private final Components components;
  private final StateCache held = new StateCache(STREAMS_HELD_MAX);
  private final AggregateDispatcher aggregates;
  private final BoundaryDispatcher boundaries;

  public HandlerRunner(Components components) {
    this.components = components;
    this.aggregates = new AggregateDispatcher(components, held);
    this.boundaries = new BoundaryDispatcher(components);
  }

  /**
   * What the handler answers to a node.
   *
   * @throws TimeoutException if the handler's stage does not complete within ten seconds
   */
  public Decided decide(Decide ask) throws Exception {
    var answered = new CompletableFuture<Message>();
    aggregates.decide(ask, answered::complete);
    return (Decided) answered.get(STAGE_MAX_SECONDS, TimeUnit.SECONDS);
  }

  /**
   * What the handler of a boundary answers to a node.
   *
   * @throws TimeoutException if the handler's stage does not complete within ten seconds
   */
  public BoundaryDecided decideBoundary(DecideBoundary ask) throws Exception {
    var answered = new CompletableFuture<Message>();
    boundaries.decideBoundary(ask, answered::complete);
    return (BoundaryDecided) answered.get(STAGE_MAX_SECONDS, TimeUnit.SECONDS);
  }

  /** The state that is held under this tip, null where there is none. */
  public @Nullable Object held(Aggregate stream, Tip tip) {
    var basis = held.of(stream.stream()).choose(tip);
    return basis == null ? null : basis.state();
  }

  /**
   * The state that stored events lead to; null without any.
   *
   * @throws Throwable whatever a handler throws, or what is wrong with a payload
   */
  public @Nullable Object replay(String aggregate, List<HistoryEvent> events) throws Throwable {
    var type = components.aggregate(aggregate);
    if (type == null) {
      throw new IllegalArgumentException("there is no aggregate " + aggregate);
    }
    return type.replay(null, events, null);
  }

  /**
   * The view that a projection answers with.
   *
   * @throws Throwable whatever the handler throws, or what is wrong with the payload
   */
  public @Nullable Object answer(String query, Json payload, @Nullable DataSource database)
      throws Throwable {
    var target = components.query(query);
    if (target == null) {
      throw new IllegalArgumentException("nothing here answers " + query);
    }
    var answer = ask(target, target.payload().readRequest(payload, null), database);
    return answer instanceof CompletionStage<?> stage
        ? stage.toCompletableFuture().get(STAGE_MAX_SECONDS, TimeUnit.SECONDS)
        : answer;
  }

  private static @Nullable Object ask(
      QueryAnswerer target, Object query, @Nullable DataSource database) throws Throwable {
    var handler = target.handler();
    if (!handler.takesConnection() || database == null) {
      return handler.call(target.projection(), query, null, null);
    }
    try (var connection = database.getConnection()) {
      return handler.call(target.projection(), query, null, connection);
    }
  }
}
