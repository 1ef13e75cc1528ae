package io.evento.server.routing.query;

import io.evento.protocol.QueryMessage;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.follow.SeenPosition;
import io.evento.server.eventstore.follow.SeenPositions;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.session.Availability;
import jakarta.inject.Inject;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Holds a query back until what it is answered from has seen what the asker has written. The wait
 * itself is {@code consumer.watermark.PositionWait}, behind {@link ReadModelProgress}.
 */
@NodeScoped
public class ReadYourWrites {
  private final ReadModelProgress readModelProgress;
  private final Availability availability;
  private final SeenPositions positions;

  @Inject
  public ReadYourWrites(
      ReadModelProgress readModelProgress, Availability availability, SeenPositions positions) {
    this.readModelProgress = readModelProgress;
    this.availability = availability;
    this.positions = positions;
  }

  /**
   * Waits for the first of several versions: one may be far behind, as it is replayed.
   *
   * @param models such as {@code accounts:1} and {@code accounts:2}
   * @return the one that was there first; fails as the last one does, or with {@code no-handler} if
   *     there is none, or with {@code conflict} if the store has lost what is waited for: no wait
   *     would end
   */
  CompletionStage<String> firstSeen(
      Set<String> models, String query, QueryMessage.After after, Deadline deadline) {
    if (models.isEmpty()) {
      return CompletableFuture.failedStage(
          availability.noHandler("hosts the projector that " + query + " is answered from"));
    }
    return after.epoch() == null
        ? firstThere(models, after, deadline)
        : positions
            .present(new SeenPosition(after.position(), after.epoch()))
            .thenApply(place -> new QueryMessage.After(place.position(), after.stream()))
            .thenCompose(present -> firstThere(models, present, deadline));
  }

  private CompletionStage<String> firstThere(
      Set<String> models, QueryMessage.After after, Deadline deadline) {
    var first = new CompletableFuture<String>();
    var behind = new AtomicInteger(models.size());
    for (var model : models) {
      readModelProgress
          .seen(model, after, deadline)
          .whenComplete(
              (seen, failure) -> {
                if (failure == null) {
                  first.complete(model);
                } else if (behind.decrementAndGet() == 0) {
                  first.completeExceptionally(failure);
                }
              });
    }
    return first;
  }
}
