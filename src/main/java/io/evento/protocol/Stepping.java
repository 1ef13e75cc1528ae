package io.evento.protocol;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What {@link Message.Steps} and {@link Message.Stepped} are made of. */
public final class Stepping {
  private Stepping() {}

  /** A saga that lives under a key, before the first input of the message. */
  public record State(String key, @JsonProperty("p") Json state) {}

  /**
   * Something that happened to the saga of a key, or to an observer; exactly one of event, outcome
   * and due.
   */
  public record Input(
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
  public record Settled(
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
  public record Due(String name, String time) {}

  /**
   * What was decided about one input.
   *
   * @param state from now on; null to leave it as it is, or none
   * @param ended whether the saga ends
   * @param commands in order; at most 1,000
   */
  public record Result(
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
  public record Send(String type, @JsonProperty("p") Json payload, boolean hear) {
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
  public record Deadline(String name, @Nullable Long after, @Nullable String at) {
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
