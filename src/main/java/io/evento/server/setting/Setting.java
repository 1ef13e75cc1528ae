package io.evento.server.setting;

import java.util.Arrays;
import java.util.Optional;

/**
 * What an operator may change while the cluster runs. Known by its key; a whole number within a
 * range.
 */
public enum Setting {
  PAYLOAD_BYTES_MAX(
      "payload.bytes-max",
      1 << 20,
      1 << 10,
      3 << 20,
      "Largest payload of a command or query, bytes"),
  COMMANDS_WAITING_MAX(
      "commands.waiting-max",
      20_000,
      1,
      1_000_000,
      "Commands under way on a node before it answers overloaded"),
  CONSUMER_SEGMENTS(
      "consumer.segments", 4, 1, 128, "Segments of a consumer that is declared for the first time"),
  LIVE_READERS_MAX(
      "live.readers-max",
      500,
      0,
      100_000,
      "Live readers of events and of queries on a node before it answers overloaded"),
  LIVE_STALL_SECONDS(
      "live.stall-seconds",
      30,
      1,
      3_600,
      "How long a live reader may take nothing while something waits before it is cut off"),
  HTTP_BODY_SECONDS(
      "http.body-seconds",
      10,
      1,
      600,
      "How long the body of a request may take to come, whole, before it is answered request-timeout"),
  HTTP_STALL_SECONDS(
      "http.stall-seconds",
      10,
      1,
      600,
      "How long a client may take nothing of its answer before its connection is cut"),
  DRAIN_LINGER_SECONDS(
      "drain.linger-seconds",
      3,
      0,
      60,
      "How long a node that stops goes on serving after it said that it is not ready"),
  SESSIONS_MAX(
      "sessions.max", 2_000, 1, 100_000, "Bundle sessions on a node before one more is closed"),
  SESSIONS_WITHOUT_HELLO_MAX(
      "sessions.without-hello-max",
      200,
      1,
      10_000,
      "Sessions on a node that have not said hello before one more is closed"),
  DEAD_LETTERS_MAX(
      "consumer.dead-letters-max",
      1_000,
      1,
      100_000,
      "Dead letters of a consumer before it is paused"),
  SNAPSHOT_EVENTS(
      "snapshot.events",
      500,
      1,
      1_000_000,
      "Events between snapshots where an aggregate says nothing");

  private final String key;
  private final int standard;
  private final int min;
  private final int max;
  private final String description;

  Setting(String key, int standard, int min, int max, String description) {
    this.key = key;
    this.standard = standard;
    this.min = min;
    this.max = max;
    this.description = description;
  }

  public String key() {
    return key;
  }

  /** The value where nobody set another one. */
  public int standard() {
    return standard;
  }

  public int min() {
    return min;
  }

  public int max() {
    return max;
  }

  public String description() {
    return description;
  }

  public static Optional<Setting> of(String key) {
    return Arrays.stream(values()).filter(s -> s.key.equals(key)).findFirst();
  }

  boolean allows(long value) {
    return value >= min && value <= max;
  }
}
