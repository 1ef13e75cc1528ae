package io.evento.bundle.gateway;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a caller may say of a query beside its payload. Immutable.
 *
 * @param deadline until the answer is there, above 0
 * @param trace a W3C traceparent, or null
 */
public record QueryOptions(Duration deadline, @Nullable String trace) {
  static final QueryOptions NONE = new QueryOptions(Duration.ofSeconds(10), null);

  public QueryOptions {
    if (deadline.isNegative() || deadline.isZero()) {
      throw new IllegalArgumentException("deadline must be above 0, is " + deadline);
    }
  }

  public static QueryOptions within(Duration limit) {
    return new QueryOptions(limit, null);
  }

  public QueryOptions tracedBy(String traceparent) {
    return new QueryOptions(deadline, traceparent);
  }
}
