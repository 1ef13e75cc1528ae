package io.evento.server.console.capacity;

import io.evento.server.telemetry.FlowTable.Led;
import io.evento.server.telemetry.Kind;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was measured within some time, as far as the model needs it.
 *
 * @param seconds that were looked at
 * @param handlers by kind, handler and type; of appends only their rates count
 * @param led what led to what, within these seconds
 * @param instances that are connected now, by bundle
 * @param segments by consumer with its version
 * @param processors of the nodes
 */
record Measured(
    double seconds,
    List<Handled> handlers,
    List<Led> led,
    Map<String, Integer> instances,
    Map<String, Integer> segments,
    List<Processing> processors) {

  /**
   * What one handler did with one type.
   *
   * @param handler component, or consumer with its version; empty for appends
   * @param bundle that hosts it; null where that is unknown
   * @param errorShare of all, 0 to 1
   */
  record Handled(
      Kind kind,
      String handler,
      String type,
      @Nullable String bundle,
      double perSecond,
      double errorShare,
      @Nullable Spread total,
      @Nullable Spread queue,
      @Nullable Spread work,
      @Nullable Spread commit) {}

  /**
   * Processors and what is done by them.
   *
   * @param name of the node
   * @param isMachine whether it is all of the machine, or the node's process alone
   * @param busy cores in use, on average
   * @param fixed of them, those that are in use without any message
   */
  record Processing(String name, boolean isMachine, int processors, double busy, double fixed) {}

  /** So many a second, of all that nodes and bundles have to do with. */
  double messages() {
    return handlers.stream()
        .filter(one -> one.kind() != Kind.APPEND)
        .mapToDouble(Handled::perSecond)
        .sum();
  }
}
