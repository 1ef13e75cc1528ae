package io.evento.server.telemetry;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Many times together, in microseconds: what histograms of several handlers, nodes and minutes add
 * up to. Not thread-safe.
 */
public final class Times {
  private static final int DIGITS = 2;

  /** Upper ends of the columns of a heat map, in milliseconds; the last one takes all above. */
  private static final int COLUMNS = 20;

  private static final double FIRST_COLUMN = 0.125;

  private final Histogram histogram;

  private Times(Histogram histogram) {
    this.histogram = histogram;
  }

  /** None yet; grows with what is added. */
  public static Times none() {
    return new Times(new Histogram(Latencies.MICROS_MAX, DIGITS));
  }

  Times add(@Nullable Histogram more) {
    if (more == null) {
      return this;
    }
    if (more.getNumberOfSignificantValueDigits() == DIGITS) {
      histogram.add(more);
    } else {
      // Its columns are wide: counted at their lower ends, all times would come out too short.
      for (var value : more.recordedValues()) {
        var middle = more.medianEquivalentValue(value.getValueIteratedTo());
        histogram.recordValueWithCount(
            Math.min(Latencies.MICROS_MAX, middle), value.getCountAtValueIteratedTo());
      }
    }
    return this;
  }

  /**
   * Adds what {@link #encode} made.
   *
   * @param encoded null for none
   */
  public Times add(byte @Nullable [] encoded) {
    return encoded == null || encoded.length == 0
        ? this
        : add(Histogram.decodeFromByteBuffer(ByteBuffer.wrap(encoded), 0));
  }

  /**
   * In HdrHistogram's form V2, which says a run of zeros by one number: some 100 to 600 bytes.
   * Deflated as well it would be a third smaller and cost a native buffer each time; PostgreSQL
   * compresses what is large.
   */
  static byte[] encode(Histogram histogram) {
    var buffer = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
    var length = histogram.encodeIntoByteBuffer(buffer);
    return Arrays.copyOf(buffer.array(), length);
  }

  public long count() {
    return histogram.getTotalCount();
  }

  /**
   * The time that so many percent did not exceed, in milliseconds.
   *
   * @return null if there are no times
   */
  public @Nullable Double percentile(double percent) {
    return count() == 0 ? null : round(histogram.getValueAtPercentile(percent) / 1_000.0);
  }

  /**
   * @return null if there are no times
   */
  public @Nullable Double mean() {
    return count() == 0 ? null : round(histogram.getMean() / 1_000.0);
  }

  /**
   * How far they spread: the squared coefficient of variation, which is the variance over the
   * squared mean.
   *
   * @return null if there are no times
   */
  public @Nullable Double scv() {
    if (count() == 0) {
      return null;
    }
    var mean = Math.max(1, histogram.getMean());
    var deviation = histogram.getStdDeviation();
    return deviation * deviation / (mean * mean);
  }

  private static double round(double millis) {
    return Math.round(millis * 1_000) / 1_000.0;
  }

  /** Upper ends of {@link #columns}, in milliseconds, each twice the one before. */
  public static double[] columnEnds() {
    var ends = new double[COLUMNS];
    for (var i = 0; i < COLUMNS; i++) {
      ends[i] = FIRST_COLUMN * (1L << i);
    }
    return ends;
  }

  /** How many times are in each column; the last one has all that took longer, too. */
  public long[] columns() {
    var counts = new long[COLUMNS];
    for (var value : histogram.recordedValues()) {
      var millis = value.getValueIteratedTo() / 1_000.0;
      var column = 0;
      while (column < COLUMNS - 1 && millis > FIRST_COLUMN * (1L << column)) {
        column++;
      }
      counts[column] += value.getCountAtValueIteratedTo();
    }
    return counts;
  }
}
