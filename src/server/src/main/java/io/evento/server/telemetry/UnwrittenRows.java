package io.evento.server.telemetry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Rows that wait for the database. A newer one of the same minute replaces the older; beyond a
 * number the oldest are dropped. Thread-safe.
 */
final class UnwrittenRows {
  private record Place(long minute, SeriesKey key) {}

  private final int most;
  private final Map<Place, MinuteRow> rows = new LinkedHashMap<>();

  UnwrittenRows(int most) {
    this.most = most;
  }

  /**
   * @return how many others were dropped for them
   */
  synchronized int add(List<MinuteRow> more) {
    for (var row : more) {
      rows.put(new Place(row.minute(), row.key()), row);
    }
    var dropped = 0;
    for (var oldest = rows.entrySet().iterator(); rows.size() > most; dropped++) {
      oldest.next();
      oldest.remove();
    }
    return dropped;
  }

  /** The first ones; they stay until they are {@link #written}. */
  synchronized List<MinuteRow> first(int atMost) {
    var some = new ArrayList<MinuteRow>();
    for (var row : rows.values()) {
      if (some.size() == atMost) {
        break;
      }
      some.add(row);
    }
    return some;
  }

  /** They need not be written again, unless there is a newer one. */
  synchronized void written(List<MinuteRow> done) {
    for (var row : done) {
      rows.remove(new Place(row.minute(), row.key()), row);
    }
  }

  synchronized int size() {
    return rows.size();
  }
}
