package io.evento.server.security;

import java.util.function.Predicate;

/** What a door asks of its caller before it looks at what he asks for. */
public enum Access {
  /** Nothing: he need not even be known. */
  ANYBODY(caller -> true),
  /** That he is known. */
  KNOWN(caller -> caller.kind() != Caller.Kind.NOBODY),
  /** That he sees nodes, consumers, catalog and lag. */
  VIEW(caller -> caller.has(Role.VIEWER)),
  /** The same, or a program that reads: what collects metrics has a token. */
  MONITOR(caller -> caller.has(Role.VIEWER) || caller.hasAny(Right.READ)),
  /** That he sees payloads, and does what operators do. */
  OPERATE(caller -> caller.has(Role.OPERATOR)),
  /** That he changes people, tokens, scopes, and accepts stores. */
  ADMINISTER(caller -> caller.has(Role.ADMIN)),
  /** That he sees what was done. */
  AUDIT(caller -> caller.has(Role.AUDITOR) || caller.has(Role.ADMIN)),
  /** That he sends something: what, and in which context, the door looks at itself. */
  SEND(caller -> caller.hasAny(Right.SEND)),
  /** That he reads events: which ones, the door looks at itself. */
  READ(caller -> caller.hasAny(Right.READ));

  private final Predicate<Caller> rule;

  Access(Predicate<Caller> rule) {
    this.rule = rule;
  }

  public boolean allows(Caller caller) {
    return rule.test(caller);
  }
}
