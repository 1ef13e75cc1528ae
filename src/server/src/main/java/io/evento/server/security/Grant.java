package io.evento.server.security;

import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * A valid credential and what it gives, as a node holds it.
 *
 * @param id of the token, or of a person's session
 * @param endsAt by {@link System#nanoTime}
 * @param csrf what a page says beside a person's cookie; empty for a token
 */
record Grant(
    Caller.Kind kind,
    UUID id,
    String name,
    Set<Role> roles,
    List<Scope> scopes,
    long endsAt,
    String csrf) {

  boolean isOver(long now) {
    return now - endsAt >= 0;
  }

  Caller caller(String address) {
    return new Caller(kind, name, roles, scopes, id, address);
  }

  /** Whether it gives a caller exactly what he was given when he came. */
  boolean isOf(Caller caller) {
    return kind == caller.kind()
        && name.equals(caller.name())
        && roles.equals(caller.roles())
        && scopes.equals(caller.scopes());
  }
}
