package io.evento.server.consumer.segment;

import java.util.Locale;

/** What a version of a consumer is for. Of one name at most one is live. */
public enum Role {
  /** Its commands are sent, and queries are answered from its read model. */
  LIVE,
  /** It handles the same events, and its commands are held. */
  SHADOW;

  /** As rows and documents have it. */
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Role of(String wire) {
    return valueOf(wire.toUpperCase(Locale.ROOT));
  }
}
