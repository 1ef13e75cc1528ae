package io.evento.bundle.gateway;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What several answerers of one query said.
 *
 * @param answers of those who answered, in no order
 * @param missing those who were asked and did not, or failed
 */
public record Gathered<V>(List<Answer<V>> answers, List<Missing> missing) {
  public Gathered {
    answers = List.copyOf(answers);
    missing = List.copyOf(missing);
  }

  /** Whether all that were asked have answered. */
  public boolean isComplete() {
    return missing.isEmpty();
  }

  /**
   * @param instance of the bundle, random, one per process
   * @param bundle its name
   * @param model projector and version that it answers from, such as {@code accounts:1}
   * @param view null where the handler answered null
   */
  public record Answer<V>(UUID instance, String bundle, String model, @Nullable V view) {}

  /**
   * @param code as of a failed query, such as {@code deadline-exceeded}
   * @param detail a sentence
   */
  public record Missing(UUID instance, String bundle, String model, String code, String detail) {}
}
