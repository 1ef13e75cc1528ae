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
  SILENCE_PATIENCE_SECONDS(
      "silence.patience-seconds",
      5,
      0,
      30,
      "How much longer at most a node with too little CPU bears the silence of bundles; 0 for no longer"),
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
  SESSIONS_PER_CREDENTIAL_MAX(
      "sessions.per-credential-max",
      100,
      1,
      100_000,
      "Bundle sessions of one credential on a node before one more is closed"),
  SESSIONS_PER_ADDRESS_MAX(
      "sessions.per-address-max",
      1_000,
      1,
      100_000,
      "Bundle sessions from one address on a node before one more is closed"),
  LIVE_READERS_PER_CREDENTIAL_MAX(
      "live.readers-per-credential-max",
      100,
      0,
      100_000,
      "Live readers of one credential on a node before it is answered overloaded"),
  LIVE_READERS_PER_ADDRESS_MAX(
      "live.readers-per-address-max",
      250,
      0,
      100_000,
      "Live readers from one address on a node before it is answered overloaded"),
  REQUESTS_PER_CREDENTIAL_MAX(
      "requests.per-credential-max",
      5_000,
      1,
      1_000_000,
      "Commands, appends and queries of one credential under way on a node before it is answered overloaded"),
  REQUESTS_PER_ADDRESS_MAX(
      "requests.per-address-max",
      10_000,
      1,
      1_000_000,
      "Commands, appends and queries from one address under way on a node before it is answered overloaded"),
  DECLARED_COMPONENTS_MAX(
      "declared.components-max",
      1_000,
      1,
      100_000,
      "Components of one bundle in the catalog before one more is refused"),
  DECLARED_TYPES_MAX(
      "declared.types-max",
      5_000,
      1,
      1_000_000,
      "Payload types of one bundle in the catalog before one more is refused"),
  AUDIT_KEEP_DAYS(
      "audit.keep-days",
      36_500,
      90,
      36_500,
      "Days after which rows of the audit go; the largest keeps them for ever"),
  PERSONAL_KEYS_PER_MINUTE_MAX(
      "personal.new-keys-per-minute-max",
      6_000,
      1,
      1_000_000,
      "New keys of subjects that one credential makes on a node in a minute before it is answered overloaded"),
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
      "Events between snapshots where an aggregate says nothing"),
  TELEMETRY_ENABLED(
      "telemetry.enabled", 1, 0, 1, "1 to measure handlers and types and to write it, 0 not to"),
  TELEMETRY_SERIES_MAX(
      "telemetry.series-max",
      200,
      1,
      5_000,
      "Handlers and types that a node measures one by one; the rest is measured together"),
  VERIFY_PACE_PERCENT(
      "verify.pace-percent",
      50,
      1,
      100,
      "Share of the time that a run of verify works on a quiet store, percent; less while events come"),
  ALARMS_DAYS("alarms.days", 30, 1, 3_660, "How long alarms that are over are kept, days"),
  ALARMS_DATABASE_GIGABYTES(
      "alarms.database-gigabytes",
      0,
      0,
      1_000_000,
      "Size that the database is to have at most, an alarm at nine tenths of it; 0 for none"),
  TELEMETRY_HOURS(
      "telemetry.hours", 168, 1, 8_784, "How long what was measured is kept, by the minute, hours");

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
