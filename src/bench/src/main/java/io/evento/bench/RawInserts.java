package io.evento.bench;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;

/**
 * What the same PostgreSQL stores without any of us: one connection, one insert of many rows a
 * commit, into a table with the columns and unique indexes of {@code event} but without a total
 * order. The yardstick for everything else.
 */
final class RawInserts {
  private static final String CREATE =
      """
      create schema if not exists bench;
      drop table if exists bench.raw;
      create table bench.raw(
        stream_id text collate "C" not null, version bigint not null, command_id uuid not null,
        ord smallint not null, type text not null, recorded_at timestamptz not null,
        payload text not null, unique (stream_id, version));
      create unique index on bench.raw(command_id) where ord = 0;
      """;
  private static final String INSERT =
      """
      insert into bench.raw
      select s, 1, c, 0, 'MoneyDeposited', now(), repeat('x', 60)
        from unnest(?::text[], ?::uuid[]) as r(s, c)
      """;

  private RawInserts() {}

  /** Rows per second in batches of this size. */
  static double rate(String jdbcUrl, int batch, Duration length) throws SQLException {
    try (var connection = DriverManager.getConnection(jdbcUrl, "evento_owner", "owner")) {
      try (var create = connection.createStatement()) {
        create.execute(CREATE);
      }
      insert(connection, batch, length.dividedBy(4));
      var rate = insert(connection, batch, length);
      try (var drop = connection.createStatement()) {
        drop.execute("drop schema bench cascade");
      }
      return rate;
    }
  }

  private static double insert(Connection connection, int batch, Duration length)
      throws SQLException {
    var begun = System.nanoTime();
    var rows = 0L;
    try (var insert = connection.prepareStatement(INSERT)) {
      while (System.nanoTime() - begun < length.toNanos()) {
        var streams = new String[batch];
        var commands = new UUID[batch];
        for (var i = 0; i < batch; i++) {
          commands[i] = UUID.randomUUID();
          streams[i] = "Account:" + commands[i];
        }
        insert.setArray(1, connection.createArrayOf("text", streams));
        insert.setArray(2, connection.createArrayOf("uuid", commands));
        insert.executeUpdate();
        rows += batch;
      }
    }
    return rows / ((System.nanoTime() - begun) / 1e9);
  }
}
