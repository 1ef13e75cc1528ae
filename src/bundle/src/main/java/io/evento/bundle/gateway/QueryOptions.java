package io.evento.bundle.gateway;

import io.evento.protocol.DecideMessage.Aggregate;
import io.evento.protocol.QueryMessage.After;
import io.evento.protocol.Receipt;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a caller may say of a query beside its payload. Immutable.
 *
 * @param deadline until the answer is there, above 0
 * @param trace a W3C traceparent, or null
 * @param after what the answer has to rest on; null for what is known there now
 */
public record QueryOptions(Duration deadline, @Nullable String trace, @Nullable After after) {
  static final QueryOptions NONE = new QueryOptions(Duration.ofSeconds(10), null, null);

  public QueryOptions {
    if (deadline.isNegative() || deadline.isZero()) {
      throw new IllegalArgumentException("deadline must be above 0, is " + deadline);
    }
  }

  public static QueryOptions within(Duration limit) {
    return new QueryOptions(limit, null, null);
  }

  /** As {@link #seeing(Receipt)}, within ten seconds. */
  public static QueryOptions after(Receipt done) {
    return NONE.seeing(done);
  }

  /** As {@link #seeing(long)}, within ten seconds. */
  public static QueryOptions after(long position) {
    return NONE.seeing(position);
  }

  /**
   * The answer rests on what a command has stored: the projector is waited for, as far as the
   * command's stream is concerned. If it does not get there within the deadline, the query fails
   * with {@code deadline-exceeded}. A command that stored nothing is not waited for. Where the
   * store has lost what the command stored, the query fails with {@code conflict}.
   */
  public QueryOptions seeing(Receipt done) {
    var position = done.position();
    var stream = done.aggregate();
    return position == null
        ? this
        : new QueryOptions(
            deadline,
            trace,
            new After(
                position,
                done.epoch(),
                stream == null ? null : new Aggregate(stream.type(), stream.id())));
  }

  /** The answer rests on everything up to a position, of all streams. */
  public QueryOptions seeing(long position) {
    return new QueryOptions(deadline, trace, new After(position, null));
  }

  public QueryOptions tracedBy(String traceparent) {
    return new QueryOptions(deadline, traceparent, after);
  }
}
