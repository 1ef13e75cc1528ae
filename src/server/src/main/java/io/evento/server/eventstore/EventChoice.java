package io.evento.server.eventstore;

import io.evento.server.persistence.ArrayLiteral;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which events are wanted, in the terms that the database can leave others out by, and exactly.
 *
 * @param types no event of another type is wanted; empty for any
 * @param contexts likewise
 * @param predicate what of that is wanted
 */
public record EventChoice(Set<String> types, Set<String> contexts, EventPredicate predicate) {
  /** All of them. */
  public static final EventChoice ALL = of(EventPredicate.ALL);

  public EventChoice {
    types = Set.copyOf(types);
    contexts = Set.copyOf(contexts);
  }

  /** What only a look at the event tells. */
  public static EventChoice of(EventPredicate predicate) {
    return new EventChoice(Set.of(), Set.of(), predicate);
  }

  /** All names that one of several names, of whom one that names none wants any. */
  public static Set<String> anyOf(Collection<Set<String>> several) {
    var all = new LinkedHashSet<String>();
    for (var names : several) {
      if (names.isEmpty()) {
        return Set.of();
      }
      all.addAll(names);
    }
    return all;
  }

  /** Whether the database has nothing to leave out. */
  public boolean isOfAnyKind() {
    return types.isEmpty() && contexts.isEmpty();
  }

  /** The types as PostgreSQL reads an array; null for any. */
  public @Nullable String typeArray() {
    return array(types);
  }

  /** The contexts as PostgreSQL reads an array; null for any. */
  public @Nullable String contextArray() {
    return array(contexts);
  }

  private static @Nullable String array(Set<String> names) {
    return names.isEmpty() ? null : ArrayLiteral.of(List.copyOf(names));
  }
}
