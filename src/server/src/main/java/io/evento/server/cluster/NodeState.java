package io.evento.server.cluster;

import java.util.Locale;

/** Where a node is in its life. */
public enum NodeState {
  /** Running, not yet serving. */
  JOINING,
  /** Serving: may own streams and leases. */
  UP,
  /** Finishes what it has and takes nothing new. */
  DRAINING,
  /** Not heard of within the lease, or left. */
  GONE;

  /** As it stands in the table and on the wire. */
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }

  static NodeState of(String wire) {
    return valueOf(wire.toUpperCase(Locale.ROOT));
  }
}
