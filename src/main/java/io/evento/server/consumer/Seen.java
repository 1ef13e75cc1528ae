package io.evento.server.consumer;

import io.evento.server.eventstore.StorePosition;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;

/** Those who wait for a delivery to be somewhere. Confined to the delivery thread. */
final class Seen {
  private record Wait(StorePosition position, CompletableFuture<Boolean> seen) {}

  private final PriorityQueue<Wait> waits =
      new PriorityQueue<>(Comparator.comparingLong((Wait wait) -> wait.position.position()));
  private boolean isOver;

  void add(StorePosition position, CompletableFuture<Boolean> seen) {
    if (isOver) {
      seen.complete(false);
    } else if (!seen.isDone()) {
      waits.add(new Wait(position, seen));
      // Who gave up is forgotten, however far the delivery is behind.
      waits.removeIf(wait -> wait.seen.isDone());
    }
  }

  void settle(StorePosition watermark) {
    for (var next = waits.peek();
        next != null && next.position.position() <= watermark.position();
        next = waits.peek()) {
      waits.remove();
      // A position of another epoch says nothing of this one.
      next.seen.complete(next.position.epoch().equals(watermark.epoch()));
    }
  }

  void end() {
    isOver = true;
    waits.forEach(wait -> wait.seen.complete(false));
    waits.clear();
  }
}
