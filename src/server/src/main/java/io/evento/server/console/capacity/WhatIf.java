package io.evento.server.console.capacity;

import io.evento.protocol.EventoException;
import io.evento.server.console.capacity.Traffic.Node;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is to be assumed; what it does not name stays as it was measured.
 *
 * @param all factor of what comes in from outside
 * @param rates by entry, such as {@code command/Deposit}: {@code x2} is a factor, {@code 400} is a
 *     rate a second
 * @param instances by bundle
 * @param processors of each machine; null for as many as there are
 * @param targetMillis so long may 99 of 100 answers take; null for no target
 */
record WhatIf(
    double all,
    Map<String, String> rates,
    Map<String, Integer> instances,
    @Nullable Integer processors,
    @Nullable Double targetMillis) {
  private static final int PAIRS_MAX = 100;
  private static final int INSTANCES_MAX = 1_000;
  private static final double FACTOR_MAX = 1_000;
  private static final double RATE_MAX = 1e7;

  static final WhatIf NOTHING = new WhatIf(1, Map.of(), Map.of(), null, null);

  /**
   * @param rates {@code command/Deposit:x2}
   * @param instances {@code bank:3}
   * @throws EventoException {@code invalid-request}
   */
  static WhatIf of(
      double all,
      List<String> rates,
      List<String> instances,
      @Nullable Integer processors,
      @Nullable Double targetMillis) {
    if (!(all >= 0 && all <= FACTOR_MAX)) {
      throw EventoException.invalid("all", "must be a factor, 0 to 1000");
    }
    if (processors != null && (processors < 1 || processors > 1_024)) {
      throw EventoException.invalid("cores", "must be 1 to 1024");
    }
    if (targetMillis != null && !(targetMillis > 0 && targetMillis <= 3_600_000)) {
      throw EventoException.invalid("target", "must be milliseconds, up to an hour");
    }
    var counts = new HashMap<String, Integer>();
    pairs("instances", instances)
        .forEach(
            (bundle, text) -> {
              var count = number("instances", text, INSTANCES_MAX);
              if (count < 1 || count != Math.rint(count)) {
                throw EventoException.invalid("instances", "must be bundle:1 to 1000");
              }
              counts.put(bundle, (int) count);
            });
    var wanted = pairs("rate", rates);
    wanted.values().forEach(text -> rate(text, 1));
    return new WhatIf(all, wanted, Map.copyOf(counts), processors, targetMillis);
  }

  private static Map<String, String> pairs(String name, List<String> given) {
    if (given.size() > PAIRS_MAX) {
      throw EventoException.invalid(name, "must be given at most " + PAIRS_MAX + " times");
    }
    var pairs = new HashMap<String, String>();
    for (var pair : given) {
      var cut = pair.lastIndexOf(':');
      if (cut < 1) {
        throw EventoException.invalid(name, "must be a name, a colon and a number");
      }
      pairs.put(pair.substring(0, cut), pair.substring(cut + 1));
    }
    return Map.copyOf(pairs);
  }

  private static double number(String name, String text, double max) {
    try {
      var number = Double.parseDouble(text);
      if (number >= 0 && number <= max) {
        return number;
      }
    } catch (NumberFormatException wrong) {
      throw EventoException.invalid(name, "must be a name, a colon and a number");
    }
    throw EventoException.invalid(name, "must be 0 to " + (long) max);
  }

  private static double rate(String text, double now) {
    return text.startsWith("x")
        ? now * number("rate", text.substring(1), FACTOR_MAX)
        : number("rate", text, RATE_MAX);
  }

  /** What would come in. */
  Map<Node, Double> entries(Map<Node, Double> now) {
    var then = new HashMap<Node, Double>();
    now.forEach(
        (entry, rate) -> {
          var own = rates.get(entry.text());
          then.put(entry, own == null ? rate * all : rate(own, rate));
        });
    return then;
  }

  /** The same with so many instances of a bundle. */
  WhatIf with(String bundle, int count) {
    var more = new HashMap<>(instances);
    more.put(bundle, count);
    return new WhatIf(all, rates, Map.copyOf(more), processors, targetMillis);
  }
}
