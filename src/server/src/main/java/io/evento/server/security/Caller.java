package io.evento.server.security;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.security.Principal;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Who asks. The gate puts it on every request and handshake, as their user principal.
 *
 * @param name unique among callers of its kind
 * @param roles of a person
 * @param scopes of a bundle, or of a person whose roles give some
 * @param credential by which it was recognized; null where none is needed
 * @param address of its peer, for limits and the audit
 */
public record Caller(
    Kind kind,
    String name,
    Set<Role> roles,
    List<Scope> scopes,
    @Nullable UUID credential,
    String address)
    implements Principal {

  /** What callers are. */
  public enum Kind {
    /** Whoever reaches a node that is open, which listens on loopback alone. */
    DEVELOPER,
    /** Nobody knows who, at a door that everybody may come to. */
    NOBODY,
    /** A person. */
    USER,
    /** A bundle, or another program with a token. */
    BUNDLE
  }

  public Caller {
    roles = Set.copyOf(roles);
    scopes = List.copyOf(scopes);
  }

  /** May do everything, as nobody else reaches the node. */
  public static Caller developer(String address) {
    return new Caller(
        Kind.DEVELOPER,
        "developer",
        Set.of(Role.values()),
        List.of(
            new Scope(Right.HOST, "*", "*"),
            new Scope(Right.SEND, "*", "*"),
            new Scope(Right.READ, "*", "*"),
            new Scope(Right.PERSONAL, "*", "*")),
        null,
        address);
  }

  /** May do nothing but become known. */
  public static Caller nobody(String address) {
    return new Caller(Kind.NOBODY, "nobody", Set.of(), List.of(), null, address);
  }

  @Override
  public String getName() {
    return name;
  }

  /** As the audit, events and rows name it: {@code bundle bank}. */
  public String who() {
    return kind.name().toLowerCase(Locale.ROOT) + ' ' + name;
  }

  public boolean has(Role role) {
    return roles.contains(role);
  }

  /** Whether it has a right anywhere. */
  public boolean hasAny(Right right) {
    return scopes.stream().anyMatch(scope -> scope.right() == right);
  }

  /** Whether it has a right everywhere, so that nobody need ask where. */
  public boolean hasAll(Right right) {
    return may(right, "", "");
  }

  public boolean may(Right right, String context, String type) {
    for (var i = 0; i < scopes.size(); i++) { // without an iterator: asked for each message
      if (scopes.get(i).covers(right, context, type)) {
        return true;
      }
    }
    return false;
  }

  /**
   * @throws EventoException {@code forbidden}, which names right, context and type
   */
  public void require(Right right, String context, String type) {
    if (!may(right, context, type)) {
      throw new EventoException(
          ErrorCode.FORBIDDEN,
          name + " lacks the right " + right.wire() + " for " + type + " in context " + context);
    }
  }
}
