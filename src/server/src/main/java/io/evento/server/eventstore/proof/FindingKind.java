package io.evento.server.eventstore.proof;

/** What may be wrong with a store. Its names are API. */
public enum FindingKind {
  /** There is no event at positions that were given. */
  POSITION_MISSING("position-missing"),
  /** The store is said to begin above events that the chain has. */
  FLOOR_MOVED("floor-moved"),
  /** What stands at a position is not what the chain was made of. */
  EVENT_CHANGED("event-changed"),
  /**
   * A block of the chain does not follow from the one before and its events, or is not the one that
   * an operator exported.
   */
  CHAIN_BROKEN("chain-broken"),
  /** An event is older than the one before it. */
  TIME_BACKWARDS("time-backwards"),
  /** A version of a stream has no predecessor. */
  VERSION_MISSING("version-missing"),
  /** A version of a stream stands before its predecessor. */
  VERSION_ORDER("version-order"),
  /** The events of one command do not stand side by side. */
  COMMAND_TORN("command-torn"),
  /** An index does not lead to an event. */
  INDEX_MISSING("index-missing"),
  /** The lives of the store are not in order. */
  EPOCH_ORDER("epoch-order"),
  /** A command has events and another outcome too. */
  OUTCOME_TWICE("outcome-twice"),
  /** An outcome names a position that it cannot have seen. */
  OUTCOME_MISPLACED("outcome-misplaced"),
  /** A checkpoint is beyond the store, of an unknown epoch, or at another event. */
  CHECKPOINT_WRONG("checkpoint-wrong"),
  /** The segments of a consumer leave slots out, or have some twice. */
  SLOTS_WRONG("slots-wrong"),
  /** A snapshot is of a state that no event led to. */
  SNAPSHOT_ORPHANED("snapshot-orphaned"),
  /** A snapshot is not what the aggregate's handlers make of its events; raises no alarm. */
  SNAPSHOT_DIFFERS("snapshot-differs"),
  /** PostgreSQL could not read something: its files are damaged. */
  UNREADABLE("unreadable");

  private final String wire;

  FindingKind(String wire) {
    this.wire = wire;
  }

  /** The name in tables and answers, such as {@code position-missing}. */
  public String wire() {
    return wire;
  }
}
