package io.evento.server.eventstore.follow;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.read.OrderReader;
import jakarta.inject.Inject;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;

/** Finds out whether positions that were seen before still stand. */
@NodeScoped
public class SeenPositions {
  private final Follower follower;
  private final OrderReader order;
  private final ExecutorService readers;

  @Inject
  public SeenPositions(Follower follower, OrderReader order, Threads threads) {
    this.follower = follower;
    this.order = order;
    readers = threads.pool("epochs", 1, 5_000);
  }

  /**
   * The same position in the present epoch. Where this node holds the epoch for the present one, as
   * nearly always, nothing is read; it hears of another within its poll.
   *
   * @return fails with {@code conflict} as {@link SeenPosition#in}
   */
  public CompletionStage<StorePosition> present(SeenPosition seen) {
    var known = follower.known();
    if (known != null && (seen.epoch() == null || known.present().equals(seen.epoch()))) {
      return CompletableFuture.completedStage(seen.in(known));
    }
    return Threads.supply(() -> now(seen), readers);
  }

  /** The same as the store says it now. Blocks on the database. */
  public StorePosition now(SeenPosition seen) {
    return seen.in(order.epochs());
  }
}
