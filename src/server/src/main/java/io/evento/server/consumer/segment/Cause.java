package io.evento.server.consumer.segment;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What led to a command or to a deadline, in terms that all versions of a consumer share: by it one
 * version's rows tell whether it has handled what another one has decided about.
 *
 * <p>Deadlines are not named by when they are due, as each version sets its own when it gets there,
 * but by what they were set about. One that was set when another one passed names that one too, so
 * that of two versions the one that is behind is known by any link of the chain.
 *
 * @param event position of the event, or of the one that a chain of deadlines began with; null if
 *     an outcome did
 * @param outcome the command whose outcome it was, or that a chain of deadlines began with; null if
 *     an event did
 * @param deadlines the setting of the deadline that passed and of those before it, youngest first;
 *     empty if none led to it
 * @param label of the deadline that passed; null if none did
 */
public record Cause(
    @Nullable Long event, @Nullable UUID outcome, List<UUID> deadlines, @Nullable String label) {
  /** How many links of a chain are kept. */
  private static final int DEADLINES_MAX = 16;

  public Cause {
    deadlines = List.copyOf(deadlines);
  }

  public static Cause ofEvent(long position) {
    return new Cause(position, null, List.of(), null);
  }

  public static Cause ofOutcome(UUID command) {
    return new Cause(null, command, List.of(), null);
  }

  /** That of what happens when a deadline passes that was set about this. */
  public Cause then(UUID setting, String deadline) {
    var chain = new ArrayList<UUID>();
    chain.add(setting);
    chain.addAll(deadlines.subList(0, Math.min(deadlines.size(), DEADLINES_MAX - 1)));
    return new Cause(event, outcome, chain, deadline);
  }

  /** The deadlines as an array literal of PostgreSQL; null for none. */
  @Nullable
  public String deadlinesLiteral() {
    return deadlines.isEmpty()
        ? null
        : "{" + String.join(",", deadlines.stream().map(UUID::toString).toList()) + "}";
  }
}
