package io.evento.server.telemetry;

/**
 * Of what times and counts are kept.
 *
 * @param handler component or consumer; empty where there is none
 * @param type of the payload; empty for all of the kind together
 */
public record SeriesKey(Kind kind, String handler, String type) {
  /** Where there are more handlers and types than may be kept apart, the rest. */
  public static final String OTHER = "other";

  /** All of a kind together. */
  static SeriesKey whole(Kind kind) {
    return new SeriesKey(kind, "", "");
  }

  static SeriesKey other(Kind kind) {
    return new SeriesKey(kind, "", OTHER);
  }
}
