package io.evento.scenario;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Looks twenty times a second whether a checkpoint went back: each slot's of every consumer on the
 * server, and each slot's of the bank's projectors beside their rows. Segments may change their
 * ranges meanwhile, slots do not.
 */
final class CheckpointWatch implements AutoCloseable {

  private static final String SERVER =
      """
      select 'server ' || name || ':' || version, first_slot, last_slot, epoch::text, checkpoint
        from evento.consumer_segment
      """;

  private static final String BANK =
      """
      select 'bank ' || consumer, first_slot, last_slot, epoch::text, position
        from bank.evento_checkpoint
      """;

  private final Connection connection;
  private final AtomicInteger looks = new AtomicInteger();
  private final List<String> broken = new CopyOnWriteArrayList<>();
  private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(1);
  private final Map<String, Standing> highest = new HashMap<>(); // known to the one thread alone

  private record Standing(String epoch, long position) {}

  CheckpointWatch(Cluster cluster) throws SQLException {
    connection = cluster.postgres().administrator();
    threads.scheduleWithFixedDelay(this::look, 0, 50, TimeUnit.MILLISECONDS);
  }

  private void look() {
    try (var server = connection.prepareStatement(SERVER);
        var bank = connection.prepareStatement(BANK)) {
      compare(server);
      compare(bank);
      looks.incrementAndGet();
    } catch (SQLException failure) {
      if (!threads.isShutdown()) {
        broken.add("not looked at: " + failure);
      }
    }
  }

  private void compare(PreparedStatement select) throws SQLException {
    try (var rows = select.executeQuery()) {
      while (rows.next()) {
        for (var slot = rows.getInt(2); slot <= rows.getInt(3); slot++) {
          compare(rows.getString(1) + " slot " + slot, standing(rows));
        }
      }
    }
  }

  private static Standing standing(ResultSet row) throws SQLException {
    return new Standing(row.getString(4), row.getLong(5));
  }

  private void compare(String slot, Standing now) {
    var before = highest.put(slot, now);
    // In whatever epoch: nobody loses events here, so no checkpoint has to go back for that.
    if (before != null && now.position < before.position) {
      broken.add(slot + " went from " + before + " to " + now);
    }
  }

  /** How often all checkpoints were looked at. */
  int looks() {
    return looks.get();
  }

  /** What was seen that must not be; empty is good. */
  List<String> broken() {
    return List.copyOf(broken);
  }

  @Override
  public void close() throws SQLException {
    threads.shutdownNow();
    connection.close();
  }
}
