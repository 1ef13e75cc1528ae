package io.evento.server.security;

import java.util.Locale;

/** What a scope lets its holder do. */
public enum Right {
  /** Declare components, and be given their decisions, queries, events and steps. */
  HOST,
  /** Send commands, ask queries, schedule, append. */
  SEND,
  /** Read events and streams. */
  READ,
  /** Be given the keys of personal data. Of a context, whatever the type. */
  PERSONAL;

  /** As tables, tokens and problems name it. */
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }
}
