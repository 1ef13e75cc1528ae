package io.evento.server.consumer.segment;

import io.evento.server.persistence.Sql;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Comparator;

/** A segment of a consumer. */
public record SegmentId(ConsumerId consumer, int number)
    implements Comparable<SegmentId>, Sql.Columns {
  private static final Comparator<SegmentId> ORDER =
      Comparator.comparing(SegmentId::consumer).thenComparing(SegmentId::number);

  /** Reads a row whose first three columns are name, version and segment. */
  public static SegmentId read(ResultSet row) throws SQLException {
    return new SegmentId(ConsumerId.read(row), row.getInt(3));
  }

  @Override
  public void bindTo(Sql sql) throws SQLException {
    sql.bind(consumer).bind(number);
  }

  @Override
  public int compareTo(SegmentId other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return consumer.wire() + '/' + number;
  }
}
