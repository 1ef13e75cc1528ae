package io.evento.server.config;

import java.util.Optional;
import org.eclipse.microprofile.config.Config;

/**
 * Where a node answers balancers beside its HTTP port.
 *
 * @param port of {@code evento.node.bind} at which a thread of its own answers health ({@code
 *     evento.health.port}); none if absent
 */
public record HealthConfig(Optional<Integer> port) {
  private static final String KEY = "evento.health.port";
  private static final int PORT_MAX = 65_535;

  public HealthConfig {
    port.ifPresent(
        number -> {
          if (number < 1 || number > PORT_MAX) {
            throw new IllegalArgumentException(KEY + " must be 1 to 65535, is " + number);
          }
        });
  }

  static HealthConfig read(Config source) {
    return new HealthConfig(source.getOptionalValue(KEY, Integer.class));
  }
}
