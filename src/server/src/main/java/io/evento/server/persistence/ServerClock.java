package io.evento.server.persistence;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeUnit;

/** How far the clock of PostgreSQL's machine is from this one's. */
public final class ServerClock {
  private static final String NOW =
      """
      select extract(epoch from clock_timestamp()) * 1000000
      """;

  private ServerClock() {}

  /**
   * Compares the clocks.
   *
   * @return by how much the database is ahead of this machine, at least: what the answer took is
   *     taken for no difference. Negative if it is behind
   */
  public static Duration ahead(Connection connection) throws SQLException {
    try (var select = Sql.prepare(connection, NOW)) {
      var before = micros(Instant.now());
      long there = select.one(row -> row.getBigDecimal(1).longValue());
      var after = micros(Instant.now());
      return Duration.of(ahead(before, there, after), ChronoUnit.MICROS);
    }
  }

  static long ahead(long before, long there, long after) {
    return there > after ? there - after : Math.min(0, there - before);
  }

  private static long micros(Instant at) {
    return TimeUnit.SECONDS.toMicros(at.getEpochSecond())
        + TimeUnit.NANOSECONDS.toMicros(at.getNano());
  }
}
