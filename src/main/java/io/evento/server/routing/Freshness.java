package io.evento.server.routing;

import io.evento.protocol.Message;
import io.evento.server.NodeScoped;
import jakarta.inject.Inject;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** Holds a query back until what it is answered from has seen what the asker has written. */
@NodeScoped
class Freshness {
  private final ReadModels readModels;
  private final Availability availability;

  @Inject
  Freshness(ReadModels readModels, Availability availability) {
    this.readModels = readModels;
    this.availability = availability;
  }

  /**
   * Waits for the first of several versions: one may be far behind, as it is replayed.
   *
   * @param models such as {@code accounts:1} and {@code accounts:2}
   * @return the one that was there first; fails as the last one does, or with {@code no-handler} if
   *     there is none
   */
  CompletionStage<String> firstSeen(
      Set<String> models, String query, Message.After after, Deadline deadline) {
    if (models.isEmpty()) {
      return CompletableFuture.failedStage(
          availability.noHandler("hosts the projector that " + query + " is answered from"));
    }
    var first = new CompletableFuture<String>();
    var behind = new AtomicInteger(models.size());
    for (var model : models) {
      readModels
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
