package io.evento.server.security;

import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a person is to the cluster. */
public enum Role {
  /** Sees nodes, consumers, catalog and lag, and no payloads. */
  VIEWER,
  /** Sees payloads too; pauses, resets, tries again, changes settings. */
  OPERATOR,
  /** All that, and people, tokens and scopes. */
  ADMIN,
  /** Sees the audit and nothing else. */
  AUDITOR;

  static final Set<Role> NONE = Set.of();

  /** As tables and answers name it. */
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Empty for a name that this release does not know. */
  public static Optional<Role> ofWire(String wire) {
    return Stream.of(values()).filter(role -> role.wire().equals(wire)).findFirst();
  }

  static String commaSeparated(Collection<Role> roles) {
    return roles.stream().map(Role::wire).collect(Collectors.joining(","));
  }

  /** Roles as a row names them, with those that they contain; one of a newer release is none. */
  static Set<Role> implied(String commaSeparated) {
    var roles = EnumSet.noneOf(Role.class);
    Stream.of(commaSeparated.split(",", -1))
        .flatMap(name -> ofWire(name).stream())
        .forEach(roles::add);
    return implied(roles);
  }

  /** Roles with those that they contain. */
  static Set<Role> implied(Collection<Role> given) {
    var roles = EnumSet.noneOf(Role.class);
    roles.addAll(given);
    if (roles.contains(ADMIN)) {
      roles.add(OPERATOR);
    }
    if (roles.contains(OPERATOR)) {
      roles.add(VIEWER);
    }
    return Set.copyOf(roles);
  }

  /** Who operates sees payloads, and so may read events. */
  static List<Scope> scopes(Collection<Role> roles) {
    return roles.contains(OPERATOR) ? List.of(new Scope(Right.READ, "*", "*")) : List.of();
  }
}
