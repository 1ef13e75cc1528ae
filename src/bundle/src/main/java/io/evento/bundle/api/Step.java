package io.evento.bundle.api;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Saga} decided: its next state, commands to send, deadlines to set or take back. A
 * value: nothing has happened yet when it is made. All of it takes effect together, or nothing.
 *
 * @param <S> type of the saga's state
 * @param state from now on; null to leave it as it is
 * @param isEnd whether the saga ends with this step: its deadlines are gone, and it is given
 *     nothing more
 * @param commands to send, each a record. No order between them is promised: what must come after
 *     another command's outcome is sent by the step that hears of it
 * @param deadlines in the order in which they were said; of the same name the last one counts
 */
public record Step<S>(
    @Nullable S state, boolean isEnd, List<Object> commands, List<DeadlineChange> deadlines) {

  public Step {
    commands = List.copyOf(commands);
    deadlines = List.copyOf(deadlines);
  }

  /**
   * A deadline set, or taken back where both are null.
   *
   * @param after from the moment when the step is stored, by the database's clock
   * @param at a moment by the database's clock
   */
  public record DeadlineChange(String name, @Nullable Duration after, @Nullable Instant at) {
    public DeadlineChange {
      if (name == null || name.isBlank() || name.length() > 100) {
        throw new IllegalArgumentException("a deadline needs a name of 1 to 100 characters");
      }
      if (after != null && after.isNegative()) {
        throw new IllegalArgumentException("a deadline must not be before now, is " + after);
      }
    }

    public boolean isCancelled() {
      return after == null && at == null;
    }
  }

  /** From now on the saga's state is this one. */
  public static <S> Step<S> to(S state) {
    return new Step<>(
        Objects.requireNonNull(state, "a state must not be null: to end a saga return end()"),
        false,
        List.of(),
        List.of());
  }

  /** Everything stays as it is. */
  public static <S> Step<S> stay() {
    return new Step<>(null, false, List.of(), List.of());
  }

  /** The saga ends; to end it with a command, say {@code to(state).send(command).andEnd()}. */
  public static <S> Step<S> end() {
    return new Step<>(null, true, List.of(), List.of());
  }

  /** Sends a command as well; how it ends is told to the method with {@link Outcome}. */
  public Step<S> send(Object command) {
    var all = new ArrayList<>(commands);
    all.add(Objects.requireNonNull(command, "a step sends commands, not null"));
    return new Step<>(state, isEnd, all, deadlines);
  }

  /** Sets a deadline, or sets it anew: the method with that {@link Deadline} is called then. */
  public Step<S> deadline(String name, Duration after) {
    return with(new DeadlineChange(name, Objects.requireNonNull(after, "after"), null));
  }

  /** Sets a deadline at a moment of the database's clock; one that has passed is due at once. */
  public Step<S> deadline(String name, Instant at) {
    return with(new DeadlineChange(name, null, Objects.requireNonNull(at, "at")));
  }

  /** Takes a deadline back, if it is set. */
  public Step<S> cancel(String name) {
    return with(new DeadlineChange(name, null, null));
  }

  /** The saga ends with this step; the state is kept for operators to see. */
  public Step<S> andEnd() {
    return new Step<>(state, true, commands, deadlines);
  }

  private Step<S> with(DeadlineChange change) {
    var all = new ArrayList<>(deadlines);
    all.add(change);
    return new Step<>(state, isEnd, commands, all);
  }
}
