package io.evento.bundle.dispatch;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The states of the streams decided on last. Forgetting one costs a history, never a wrong answer.
 */
final class StateCache {
  private final LinkedHashMap<String, CachedState> held;

  StateCache(int streamsMax) {
    held =
        new LinkedHashMap<>(64, 0.75f, true) {
          private static final long serialVersionUID = 1L;

          @Override
          protected boolean removeEldestEntry(Map.Entry<String, CachedState> eldest) {
            return super.size() > streamsMax;
          }
        };
  }

  /** What is held of a stream, perhaps nothing yet. */
  synchronized CachedState of(String stream) {
    return held.computeIfAbsent(stream, absent -> new CachedState());
  }

  /** Forgets all, as something in them must not be known any more. */
  synchronized void clear() {
    held.clear();
  }

  synchronized int size() {
    return held.size();
  }
}
