package io.evento.bundle;

import java.util.List;

/**
 * Whether a bundle can do its work now, for probes and health pages.
 *
 * @param isReady whether a node is connected that knows what the bundle hosts
 * @param addresses each address that was given, with the node behind it or why there is none
 */
public record Readiness(boolean isReady, List<String> addresses) {
  public Readiness {
    addresses = List.copyOf(addresses);
  }
}
