package io.evento.protocol;

import static io.evento.protocol.Checks.listOf;
import static io.evento.protocol.Checks.require;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.evento.protocol.DecideMessage.Failure;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What sagas and observers are given, and what they decide. They too get their segments by {@link
 * ConsumerMessage}.
 */
public sealed interface StepMessage extends Message {
  /**
   * N→B, to a saga or observer: what happened, in order per key. The next of a segment comes only
   * after this one was answered by {@link Stepped}.
   *
   * @param batch number of this message under its fence
   * @param states of the sagas that live under the keys named here
   */
  record Steps(
      String consumer, int segment, long fence, long batch, List<State> states, List<Input> inputs)
      implements StepMessage {
    public Steps {
      states = listOf(states);
      inputs = listOf(inputs);
    }
  }

  /**
   * B→N: what was decided about the first so many inputs, one result each, in their order. What is
   * left out comes again, until it has failed often enough to be a dead letter.
   *
   * @param failure why the next one could not be decided; null if it was not tried. With a code
   *     that passes by itself it is waited out however long it takes
   */
  record Stepped(
      String consumer,
      int segment,
      long fence,
      long batch,
      List<Result> results,
      @Nullable Failure failure)
      implements StepMessage {
    public Stepped {
      require("/consumer", consumer);
      results = listOf(results);
    }
  }

  /** A saga that lives under a key, before the first input of the message. */
  record State(String key, @JsonProperty("p") Json state) {}

  /**
   * Something that happened to the saga of a key, or to an observer; exactly one of event, outcome
   * and due.
   */
  record Input(
      String key, @Nullable RecordedEvent event, @Nullable Settled outcome, @Nullable Due due) {
    public static Input of(String key, RecordedEvent event) {
      return new Input(key, event, null, null);
    }

    public static Input of(String key, Settled outcome) {
      return new Input(key, null, outcome, null);
    }

    public static Input of(String key, Due due) {
      return new Input(key, null, null, due);
    }
  }

  /**
   * A command of the saga and how it ended for good.
   *
   * @param id of the command
   * @param time when its end was kept, by the database's clock
   * @param receipt if it was done; else null
   * @param code if it was not done; else null
   * @param rejection with {@code rejected}; else null
   */
  record Settled(
      UUID id,
      String type,
      @JsonProperty("p") Json payload,
      String time,
      @Nullable Receipt receipt,
      @Nullable ErrorCode code,
      @Nullable String detail,
      @Nullable Rejection rejection) {}

  /**
   * A deadline that passed.
   *
   * @param time when it was due, by the database's clock
   */
  record Due(String name, String time) {}

  /**
   * What was decided about one input.
   *
   * @param state from now on; null to leave it as it is, or none
   * @param ended whether the saga ends
   * @param commands in order; at most 1,000
   */
  record Result(
      @Nullable Json state, boolean ended, List<Send> commands, List<Deadline> deadlines) {
    static final int COMMANDS_MAX = 1_000;

    /** Nothing is to be done. */
    public static final Result NOTHING = new Result(null, false, List.of(), List.of());

    public Result {
      commands = commands == null ? List.of() : List.copyOf(commands);
      deadlines = deadlines == null ? List.of() : List.copyOf(deadlines);
      if (commands.size() > COMMANDS_MAX) {
        throw EventoException.invalid(
            "/results/commands", "must be at most " + COMMANDS_MAX + ", are " + commands.size());
      }
    }
  }

  /**
   * A command to be sent.
   *
   * @param hear whether its outcome is to be an input of the saga
   */
  record Send(String type, @JsonProperty("p") Json payload, boolean hear) {
    public Send {
      Names.checkType("/results/commands/type", type);
      if (payload == null) {
        throw EventoException.invalid("/results/commands/p", "is required");
      }
    }
  }

  /**
   * A deadline to be set, or taken back if neither is said.
   *
   * @param after milliseconds from the moment when the step is stored
   * @param at RFC 3339
   */
  record Deadline(String name, @Nullable Long after, @Nullable String at) {
    public Deadline {
      if (name == null || name.isBlank() || name.length() > 100) {
        throw EventoException.invalid("/results/deadlines/name", "must have 1 to 100 characters");
      }
      if (after != null && after < 0) {
        throw EventoException.invalid("/results/deadlines/after", "must be 0 ms or more");
      }
    }
  }
}
