package io.evento.server.security;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which events a caller may read: those that one of its scopes covers.
 *
 * @param scopes of the right to read
 */
public record Reading(List<Scope> scopes) {
  private static final String ANY = "*";

  /** Everything. */
  public static final Reading ALL = new Reading(List.of(new Scope(Right.READ, ANY, ANY)));

  public Reading {
    scopes = List.copyOf(scopes);
  }

  /**
   * What of the events that a caller asks for it may read.
   *
   * @param context that is asked for; null for all
   * @param types that are asked for; empty for all
   * @return {@link #ALL} if nothing has to be left out
   * @throws EventoException {@code forbidden} if nothing is left
   */
  public static Reading of(Caller caller, @Nullable String context, Collection<String> types) {
    var left =
        caller.scopes().stream()
            .filter(scope -> scope.right() == Right.READ && concerns(scope, context, types))
            .toList();
    if (left.isEmpty()) {
      throw forbidden(caller, context, types);
    }
    return left.stream().anyMatch(scope -> coversAll(scope, context, types))
        ? ALL
        : new Reading(left);
  }

  /**
   * For what tells of all events at once, and names no context or type that could be held against
   * the scopes.
   *
   * @param what such as {@code a state}, for the problem's sentence
   * @throws EventoException {@code forbidden} if the caller may not read everything
   */
  public static void checkAll(Caller caller, String what) {
    if (!of(caller, null, List.of()).isAll()) {
      throw new EventoException(
          ErrorCode.FORBIDDEN,
          caller.name() + " may read some events only, and " + what + " tells of all");
    }
  }

  private static boolean concerns(Scope scope, @Nullable String context, Collection<String> types) {
    return (context == null || scope.isIn(context))
        && (types.isEmpty() || types.stream().anyMatch(scope::isOf));
  }

  private static boolean coversAll(
      Scope scope, @Nullable String context, Collection<String> types) {
    return (context == null ? scope.context().equals(ANY) : scope.isIn(context))
        && (types.isEmpty() ? scope.type().equals(ANY) : types.stream().allMatch(scope::isOf));
  }

  private static EventoException forbidden(
      Caller caller, @Nullable String context, Collection<String> types) {
    return new EventoException(
        ErrorCode.FORBIDDEN,
        caller.name()
            + " lacks the right "
            + Right.READ.wire()
            + " for "
            + (types.isEmpty() ? ANY : String.join(", ", types))
            + " in context "
            + (context == null ? ANY : context));
  }

  /** Whether nothing is left out. */
  public boolean isAll() {
    return this == ALL;
  }

  public boolean allows(String context, String type) {
    if (this == ALL) {
      return true;
    }
    for (var i = 0; i < scopes.size(); i++) {
      if (scopes.get(i).covers(Right.READ, context, type)) {
        return true;
      }
    }
    return false;
  }

  /** The one context that all of it is in; null if there may be several. */
  public @Nullable String onlyContext() {
    var first = scopes.get(0).context();
    return first.endsWith(ANY) || !scopes.stream().allMatch(scope -> scope.context().equals(first))
        ? null
        : first;
  }

  /** The types that all of it is of; empty if they cannot be named. */
  public List<String> onlyTypes() {
    return scopes.stream().anyMatch(scope -> scope.type().endsWith(ANY))
        ? List.of()
        : scopes.stream().map(Scope::type).distinct().toList();
  }
}
