package io.evento.bundle.dispatch;

import io.evento.protocol.LiveMessage.RangeProgress;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** What a transaction's snapshot holds of the events, which the checkpoints beside the rows say. */
public interface SnapshotProgress {
  /**
   * @param consumer such as {@code accounts:1}
   * @return empty if it keeps no checkpoint in this database
   */
  List<RangeProgress> progress(Connection snapshot, String consumer) throws SQLException;
}
