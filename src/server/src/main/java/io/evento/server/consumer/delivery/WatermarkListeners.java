package io.evento.server.consumer.delivery;

import io.evento.server.eventstore.StorePosition;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Those who wait for a delivery to be somewhere. Confined to the delivery thread. */
public final class WatermarkListeners {
  /** What they are told. */
  public enum WatermarkAnswer {
    /** It did not get there, or stands in another epoch. */
    NONE,
    /** Everything up to there took effect, but for what is parked. */
    PASSED,
    /** And nothing of the key that was asked about is parked. */
    HANDLED
  }

  private record Wait(
      StorePosition position, @Nullable String key, CompletableFuture<WatermarkAnswer> answer) {}

  private final PriorityQueue<Wait> waits =
      new PriorityQueue<>(Comparator.comparingLong((Wait wait) -> wait.position.position()));
  private boolean isOver;

  /**
   * @param key that is asked about; null for none
   */
  void add(
      StorePosition position, @Nullable String key, CompletableFuture<WatermarkAnswer> answer) {
    if (isOver) {
      answer.complete(WatermarkAnswer.NONE);
    } else if (!answer.isDone()) {
      waits.add(new Wait(position, key, answer));
      // Who gave up is forgotten, however far the delivery is behind.
      waits.removeIf(wait -> wait.answer.isDone());
    }
  }

  /**
   * @param isUnparked whether it is certain that no event of a key is parked
   */
  void settle(StorePosition watermark, Predicate<String> isUnparked) {
    for (var next = waits.peek();
        next != null && next.position.position() <= watermark.position();
        next = waits.peek()) {
      waits.remove();
      next.answer.complete(answer(next, watermark, isUnparked));
    }
  }

  private static WatermarkAnswer answer(
      Wait wait, StorePosition watermark, Predicate<String> isUnparked) {
    if (!wait.position.epoch().equals(watermark.epoch())) {
      return WatermarkAnswer.NONE; // a position of another epoch says nothing of this one
    }
    return wait.key != null && isUnparked.test(wait.key)
        ? WatermarkAnswer.HANDLED
        : WatermarkAnswer.PASSED;
  }

  void end() {
    isOver = true;
    waits.forEach(wait -> wait.answer.complete(WatermarkAnswer.NONE));
    waits.clear();
  }
}
