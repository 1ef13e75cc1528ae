package io.evento.server.node;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * When a node drains that was asked to. Without a node that takes over it serves at once, as nobody
 * else does. It drains again only when another one has been there for a while: one that comes and
 * goes would have this one drain each time. Not thread-safe.
 */
final class DrainPause {
  /** How long another node has to be there, without a break, before a drain goes on. */
  static final long STEADY_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final Map<String, Long> thereSince = new HashMap<>();
  private boolean isPaused;

  /**
   * @param successors nodes that take over what this one has, as it sees them now
   * @param now by {@link System#nanoTime}
   */
  boolean shouldDrain(boolean isAsked, List<String> successors, long now) {
    thereSince.keySet().retainAll(successors);
    successors.forEach(node -> thereSince.putIfAbsent(node, now));
    if (!isAsked) {
      isPaused = false;
      return false;
    }
    if (successors.isEmpty()) {
      isPaused = true;
    } else if (thereSince.values().stream().anyMatch(since -> now - since >= STEADY_NANOS)) {
      isPaused = false;
    }
    return !isPaused;
  }
}
