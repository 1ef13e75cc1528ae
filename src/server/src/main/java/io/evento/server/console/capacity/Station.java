package io.evento.server.console.capacity;

import org.jspecify.annotations.Nullable;

/**
 * Something that messages queue for, at some rate.
 *
 * @param kind {@code streams}, {@code threads}, {@code segments}, {@code machine} or {@code
 *     process}
 * @param name of the component, the bundle with what its threads are for, the consumer or the node
 * @param bundle that would need more instances; null where none would help
 * @param servers threads, segments or processors; of streams one, that of the busy ones
 * @param perSecond messages; 0 of processors
 * @param service mean time of one, in milliseconds; 0 of processors
 * @param scv squared coefficient of variation of that time
 * @param utilisation of the servers; from 1 on the queue grows without end
 * @param fixed part of the utilisation that does not grow with what comes in
 */
record Station(
    String kind,
    String name,
    @Nullable String bundle,
    int servers,
    double perSecond,
    double service,
    double scv,
    double utilisation,
    double fixed) {

  boolean isProcessors() {
    return kind.equals("machine") || kind.equals("process");
  }

  /** What could come in, as a factor of what comes in, until it saturates. */
  double headroom() {
    return utilisation <= fixed ? Double.POSITIVE_INFINITY : (1 - fixed) / (utilisation - fixed);
  }

  /** Threads share a queue; streams and segments have one each. */
  private int sharing() {
    return kind.equals("threads") ? servers : 1;
  }

  /**
   * Mean time in its queue, in milliseconds, infinite if it is saturated.
   *
   * @param stretch how much longer everything takes as processors are busy
   */
  double waiting(double stretch) {
    return isProcessors()
        ? 0
        : Queueing.wait(sharing(), utilisation * stretch, service * stretch, scv);
  }

  /** The time in its queue that so many do not exceed. */
  double waitAt(double share, double stretch) {
    return isProcessors()
        ? 0
        : Queueing.waitAt(
            share, Queueing.waits(sharing(), utilisation * stretch), waiting(stretch));
  }
}
