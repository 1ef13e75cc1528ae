package io.evento.server.verify;

import java.util.Locale;

/** What a run looks at, in this order. */
public enum Part {
  /** The lives of the store, the end of the chain, and an anchor. */
  STORE,
  /** Each event, and the chain. */
  EVENTS,
  /** Outcomes of commands without events. */
  OUTCOMES,
  /** Where consumers stand. */
  CHECKPOINTS,
  /** Whether snapshots are of states that events led to. */
  SNAPSHOTS,
  /** Some snapshots, made anew by bundles. */
  REPLAY;

  /** The name in tables and answers. */
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Part of(String wire) {
    return valueOf(wire.toUpperCase(Locale.ROOT));
  }
}
