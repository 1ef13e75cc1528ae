package io.evento.server.routing.command;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Which types of appended events are measured one by one. Who appends may call an event anything,
 * so names that nobody declares get a few places, for as long as the node runs: however many are
 * made up, those that a bundle declares keep theirs. Thread-safe.
 */
final class AppendedTypes {
  static final int UNDECLARED_MAX = 50;

  private final Predicate<String> isDeclared;
  private final Set<String> undeclared = ConcurrentHashMap.newKeySet();

  AppendedTypes(Predicate<String> isDeclared) {
    this.isDeclared = isDeclared;
  }

  /** An append has no handler; null for what is measured with the others. */
  @Nullable String handler(String type) {
    return isDeclared.test(type) || undeclared.contains(type) || isOneOfFew(type) ? "" : null;
  }

  private boolean isOneOfFew(String type) {
    return undeclared.size() < UNDECLARED_MAX && undeclared.add(type);
  }
}
