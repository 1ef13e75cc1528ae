package io.evento.bundle.consumer;

import io.evento.bundle.dispatch.SnapshotProgress;
import io.evento.protocol.LiveMessage.RangeProgress;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** Where a consumer is in the very snapshot that a query is answered from. */
public final class ConsumerProgress implements SnapshotProgress {
  @Override
  public List<RangeProgress> progress(Connection snapshot, String consumer) throws SQLException {
    return CheckpointTable.progress(snapshot, consumer);
  }
}
