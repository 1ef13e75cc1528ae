package io.evento.server.gateway.websocket;

import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;

/** What goes over the sessions of bundles, all together. */
final class SessionTraffic {
  private final Counter framesIn;
  private final Counter framesOut;
  private final Counter charactersIn;
  private final Counter charactersOut;
  private final Counter slow;

  SessionTraffic(Metrics metrics) {
    framesIn = frames(metrics, "in");
    framesOut = frames(metrics, "out");
    charactersIn = characters(metrics, "in");
    charactersOut = characters(metrics, "out");
    slow =
        metrics.counter(
            "evento_sessions_cut",
            "sessions that were closed because their bundle read too slowly");
  }

  private static Counter frames(Metrics metrics, String direction) {
    return metrics.counter(
        "evento_session_frames", "frames of bundle sessions", "direction", direction);
  }

  private static Counter characters(Metrics metrics, String direction) {
    return metrics.counter(
        "evento_session_characters", "characters of these frames", "direction", direction);
  }

  void received(String frame) {
    framesIn.increment();
    charactersIn.increment(frame.length());
  }

  void sent(String frame) {
    framesOut.increment();
    charactersOut.increment(frame.length());
  }

  void cut() {
    slow.increment();
  }
}
