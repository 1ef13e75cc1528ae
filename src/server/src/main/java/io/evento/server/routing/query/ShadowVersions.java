package io.evento.server.routing.query;

import io.evento.server.NodeScoped;
import java.util.Set;

/**
 * Which versions of consumers are shadows, as this node last saw it. Queries are answered from
 * their read models only where nobody hosts another version. Thread-safe.
 */
@NodeScoped
public class ShadowVersions {
  private volatile Set<String> versions = Set.of();

  /**
   * @param shadows all that there are, such as {@code accounts:2}
   */
  public void are(Set<String> shadows) {
    versions = Set.copyOf(shadows);
  }

  /** Whether there are any. */
  public boolean isAny() {
    return !versions.isEmpty();
  }

  /** Whether a projector with its version is one; a name without version is none. */
  public boolean contains(String model) {
    return versions.contains(model);
  }
}
