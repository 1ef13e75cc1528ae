package io.evento.server.eventstore;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Holds as long as no event that meets one of the alternatives stands after a position: a dynamic
 * consistency boundary. Checked under the gate.
 *
 * @param after what the decision model had seen
 * @param alternatives one or more
 */
public record AppendCondition(StorePosition after, List<Alternative> alternatives) {
  public AppendCondition {
    alternatives = List.copyOf(alternatives);
    if (alternatives.isEmpty()) {
      throw new IllegalArgumentException("a condition needs an alternative");
    }
  }

  /**
   * @param types one of these, or null for any type
   * @param tags all of these; may be empty
   */
  public record Alternative(@Nullable List<String> types, List<String> tags) {
    public Alternative {
      types = types == null ? null : List.copyOf(types);
      tags = List.copyOf(tags);
    }
  }
}
