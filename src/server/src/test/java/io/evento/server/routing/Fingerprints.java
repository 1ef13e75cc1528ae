package io.evento.server.routing;

import io.evento.protocol.Json;

/** What the store keeps of a command to know it again, for stores that a test plays. */
public final class Fingerprints {
  private Fingerprints() {}

  public static long hash(String type, Json payload) {
    return Fingerprint.of(type, payload, null).hash();
  }
}
