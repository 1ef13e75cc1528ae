package io.evento.server.eventstore;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** The node's one tail reader: keeps the newest events in memory and feeds all subscriptions. */
@NodeScoped
public class Follower {
  /**
   * A new life of the store began.
   *
   * @param from what this node had seen
   * @param to what of it is still so, in the new epoch
   */
  public record NewEpoch(StorePosition from, StorePosition to) {}

  @Inject
  public Follower(EventReader reader, Threads threads, Metrics metrics) {}

  /** Begins to follow; the database need not be there yet. */
  public void start() {
    throw new UnsupportedOperationException("next commit");
  }

  /** Last position known to this node; empty until the store was read once. */
  public Optional<StorePosition> head() {
    throw new UnsupportedOperationException("next commit");
  }

  /**
   * Takes what was just committed, by this node or a peer. Never blocks. What is known already is
   * dropped; what does not fit is read from the database instead.
   */
  public void offer(Fresh fresh) {
    throw new UnsupportedOperationException("next commit");
  }

  /**
   * @param from everything up to here was seen already; of any epoch that this store had
   * @param wakeUp as {@link Subscription#take} says
   * @return its first answer is {@link Taken.Rewound} if {@code from} is of another epoch
   */
  public Subscription subscribe(StorePosition from, Runnable wakeUp) {
    throw new UnsupportedOperationException("next commit");
  }

  /**
   * Waits until this node has seen a position of the present epoch.
   *
   * @return whether it has; false after the limit
   */
  public CompletionStage<Boolean> awaitHead(long position, Duration limit) {
    throw new UnsupportedOperationException("next commit");
  }

  /**
   * Called at every new epoch, before any subscription hears of it, on the tail's thread: whoever
   * keeps states or caches of streams has to drop them all.
   */
  public void onNewEpoch(Consumer<NewEpoch> listener) {
    throw new UnsupportedOperationException("next commit");
  }
}
