package io.evento.bundle.api;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What an {@link Observer} wants done about an event. A value: nothing has happened yet when it is
 * made.
 *
 * @param commands to be sent, each a record; no order between them is promised
 */
public record Reaction(List<Object> commands) {
  private static final Reaction NOTHING = new Reaction(List.of());

  public Reaction {
    commands = List.copyOf(commands);
  }

  /** There is nothing to send. */
  public static Reaction nothing() {
    return NOTHING;
  }

  /** Sends a command. */
  public static Reaction send(Object command) {
    return new Reaction(List.of(command));
  }

  /** Sends this command as well. */
  public Reaction and(Object command) {
    var all = new ArrayList<>(commands);
    all.add(Objects.requireNonNull(command, "a reaction sends commands, not null"));
    return new Reaction(all);
  }

  /**
   * What a handler returned, whichever way it said so: nothing, a reaction, a command, or a list of
   * commands.
   */
  public static Reaction of(@Nullable Object returned) {
    if (returned == null) {
      return NOTHING;
    }
    if (returned instanceof Reaction reaction) {
      return reaction;
    }
    return returned instanceof List<?> commands
        ? new Reaction(List.copyOf(commands))
        : send(returned);
  }
}
