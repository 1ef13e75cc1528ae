package io.evento.scenario.workload;

import io.evento.scenario.fixture.Cluster;
import java.sql.SQLException;

/** What the database holds about parcels. */
public final class ParcelBooks {

  /** From a scan to the notice that the saga sent about it; of what has no notice until now. */
  private static final String SLOWEST =
      """
      select max(extract(epoch from coalesce(told.recorded_at, clock_timestamp())
                                    - scanned.recorded_at))
        from evento.event scanned
        left join evento.event told
          on told.stream_id = 'Notice:' || (scanned.payload::json->>'parcelId') || '-'
                              || (scanned.payload::json->>'scan')
       where starts_with(scanned.stream_id, 'Parcel:' || ?)
      """;

  private static final String NOTICES =
      "select count(*) from evento.event where starts_with(stream_id, 'Notice:' || ?)";

  private final Cluster cluster;

  public ParcelBooks(Cluster cluster) {
    this.cluster = cluster;
  }

  /** How often customers were told of parcels whose names begin so. */
  public int notices(String prefix) {
    return (int) number(NOTICES, prefix);
  }

  /** How long the slowest notice took, from its scan, in seconds. */
  public double slowestNotice(String prefix) {
    return number(SLOWEST, prefix);
  }

  private double number(String sql, String prefix) {
    try (var connection = cluster.postgres().administrator();
        var select = connection.prepareStatement(sql)) {
      select.setString(1, prefix);
      try (var row = select.executeQuery()) {
        row.next();
        return row.getDouble(1);
      }
    } catch (SQLException failure) {
      throw new IllegalStateException("cannot read the books", failure);
    }
  }
}
