package io.evento.server.telemetry;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * How often one type led to another, in memory: which events commands emitted, and which commands
 * consumers sent upon what. Declarations do not say either. Any thread adds without a lock.
 */
final class Effects {
  /** Far more than there are; what comes beyond is left out. */
  private static final int EFFECTS_MAX = 2_000;

  private final Map<Effect, LongAdder> counts = new ConcurrentHashMap<>();

  /**
   * One thing that leads to another.
   *
   * @param kind {@code emits} or {@code sends}
   * @param cause the type of a command that emits, or a consumer with its version
   * @param upon the type that the consumer sends upon; empty for what emits
   * @param effect the type of the event or the command
   */
  record Effect(String kind, String cause, String upon, String effect) {}

  void emitted(String command, String event) {
    count(new Effect("emits", command, "", event));
  }

  void sent(String consumer, String upon, String command) {
    count(new Effect("sends", consumer, upon, command));
  }

  private void count(Effect effect) {
    var known = counts.get(effect);
    if (known == null && counts.size() < EFFECTS_MAX) {
      known = counts.computeIfAbsent(effect, first -> new LongAdder());
    }
    if (known != null) {
      known.increment();
    }
  }

  /** Gives away what came since the last call. */
  Map<Effect, Long> take() {
    var taken = new HashMap<Effect, Long>();
    counts.forEach(
        (effect, adder) -> {
          var some = adder.sumThenReset();
          if (some > 0) {
            taken.put(effect, some);
          }
        });
    return taken;
  }
}
