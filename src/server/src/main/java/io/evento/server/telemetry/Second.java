package io.evento.server.telemetry;

import java.util.Map;

/**
 * What one node did in about a second.
 *
 * @param seconds that it covers
 * @param counts by {@link Kind#wire}
 * @param errors by kind and code, such as {@code command rejected}
 * @param commands times of commands, as {@link Times} encodes them; empty for none
 * @param queries the same of queries
 */
public record Second(
    double seconds,
    Map<String, Long> counts,
    Map<String, Long> errors,
    byte[] commands,
    byte[] queries) {
  public Second {
    counts = Map.copyOf(counts);
    errors = Map.copyOf(errors);
  }
}
