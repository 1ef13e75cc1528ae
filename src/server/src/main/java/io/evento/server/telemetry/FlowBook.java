package io.evento.server.telemetry;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Adds up what led to what and how busy processors are within the running minute, and writes it. A
 * row is always of the whole minute so far, so it may be written twice. Of one thread.
 */
final class FlowBook {
  private final Effects effects;
  private final FlowTable table;
  private final Processors processors = new Processors();
  private final Map<Effects.Effect, Long> sums = new HashMap<>();
  private Processors.@Nullable Use use;
  private long minute;

  FlowBook(Effects effects, FlowTable table) {
    this.effects = effects;
    this.table = table;
  }

  /**
   * Writes what came together.
   *
   * @param now the minute that runs, in seconds since 1970; what came since the last call is its
   */
  void write(long now) {
    if (now != minute) {
      minute = now;
      sums.clear();
      use = null;
    }
    effects.take().forEach((effect, more) -> sums.merge(effect, more, Long::sum));
    var looked = processors.look();
    use = use == null ? looked : use.plus(looked);
    table.write(minute, sums, use);
  }
}
