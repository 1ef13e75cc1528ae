package io.evento.server.monitor;

import java.time.Duration;
import java.util.Locale;

/**
 * What may be wrong. Its names are API. Each is raised once it was seen for a while, and ends once
 * it was not seen for a while, so that what comes and goes is one alarm.
 */
public enum AlarmKind {
  CONSUMER_STUCK("consumer-stuck", Severity.CRITICAL, 0, 15),
  DEAD_LETTERS_FULL("dead-letters-full", Severity.CRITICAL, 0, 10),
  HANDLER_MISSING("handler-missing", Severity.CRITICAL, 15, 15),
  NODE_GONE("node-gone", Severity.CRITICAL, 0, 5),
  VERSION_SKEW("version-skew", Severity.WARNING, 120, 10),
  TIMER_OLD("timer-old", Severity.CRITICAL, 0, 10),
  NODE_CLOCK("node-clock", Severity.WARNING, 30, 60),
  DATABASE_UNFIT("database-unfit", Severity.CRITICAL, 0, 10),
  DATABASE_SETTING("database-setting", Severity.CRITICAL, 0, 0),
  DATABASE_SYNCHRONOUS("database-synchronous", Severity.CRITICAL, 30, 10),
  DATABASE_STANDBY("database-standby", Severity.WARNING, 60, 10),
  DATABASE_CONNECTIONS("database-connections", Severity.WARNING, 10, 60),
  DATABASE_DISK("database-disk", Severity.WARNING, 10, 60),
  DATABASE_BLOAT("database-bloat", Severity.WARNING, 60, 60),
  DATABASE_WRAPAROUND("database-wraparound", Severity.WARNING, 0, 60),
  STORE_DAMAGED("store-damaged", Severity.CRITICAL, 0, 0);

  /** Whether promises are broken, or will be. */
  public enum Severity {
    WARNING,
    CRITICAL;

    public String wire() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final String wire;
  private final Severity severity;
  private final Duration raisedAfter;
  private final Duration endsAfter;

  AlarmKind(String wire, Severity severity, int raisedAfter, int endsAfter) {
    this.wire = wire;
    this.severity = severity;
    this.raisedAfter = Duration.ofSeconds(raisedAfter);
    this.endsAfter = Duration.ofSeconds(endsAfter);
  }

  /** The name in tables, answers and metrics, such as {@code node-gone}. */
  public String wire() {
    return wire;
  }

  public Severity severity() {
    return severity;
  }

  Duration raisedAfter() {
    return raisedAfter;
  }

  Duration endsAfter() {
    return endsAfter;
  }
}
