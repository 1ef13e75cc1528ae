package io.evento.server.verify;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.proof.ChainTable;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.security.Actor;
import jakarta.inject.Inject;
import org.jspecify.annotations.Nullable;

/**
 * What operators ask for: to have the whole store verified, and to stop that. Nodes work on it by
 * {@link VerifyRunner}. Its methods block on the database.
 */
@NodeScoped
public class Verification {
  private final VerifyTable table;
  private final OrderReader order;
  private final ChainTable chain;
  private final VerifyRunner runner;

  @Inject
  public Verification(VerifyTable table, OrderReader order, ChainTable chain, VerifyRunner runner) {
    this.table = table;
    this.order = order;
    this.chain = chain;
    this.runner = runner;
  }

  /**
   * What a run would look at.
   *
   * @param head the last position
   * @param chained up to this position the chain has the events
   */
  public record Extent(long head, long chained) {}

  /**
   * What a run that is started now would look at.
   *
   * @throws EventoException {@code conflict} if one is under way
   */
  public Extent extent() {
    if (table.isRunning()) {
      throw running();
    }
    return now();
  }

  /** How far the store and the chain go. */
  public Extent now() {
    return new Extent(
        order.head().position(), chain.last().map(ChainTable.Block::position).orElse(0L));
  }

  /**
   * Starts a run; this node takes it, or another one within some seconds.
   *
   * @param anchor a block that was exported before; null if none is to be compared with
   * @throws EventoException {@code conflict} if one is under way
   */
  public Run start(Run.@Nullable Anchor anchor, @Nullable String reason, Actor actor) {
    var id = table.start(order.head(), anchor, reason, actor);
    if (id.isEmpty()) {
      throw running();
    }
    runner.wake();
    return find(id.getAsLong());
  }

  private static EventoException running() {
    return new EventoException(
        ErrorCode.CONFLICT, "a run is under way; wait for its end, or cancel it");
  }

  /**
   * @throws EventoException {@code not-found}
   */
  public Run find(long id) {
    return table
        .find(id)
        .orElseThrow(() -> new EventoException(ErrorCode.NOT_FOUND, "there is no run " + id));
  }

  /**
   * Ends a run; what it found stays.
   *
   * @throws EventoException {@code not-found}; {@code conflict} if it is not running
   */
  public Run cancel(long id, Actor actor) {
    var run = find(id);
    if (!table.cancel(id, actor)) {
      throw new EventoException(ErrorCode.CONFLICT, "the run is " + run.state());
    }
    return find(id);
  }
}
