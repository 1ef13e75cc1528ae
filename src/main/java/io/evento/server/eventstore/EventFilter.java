package io.evento.server.eventstore;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which events are wanted; null for any.
 *
 * @param aggregateId only together with {@code aggregateType}
 */
public record EventFilter(
    @Nullable String context,
    @Nullable String type,
    @Nullable String aggregateType,
    @Nullable String aggregateId) {
  public static final EventFilter ALL = new EventFilter(null, null, null, null);

  public EventFilter {
    if (aggregateId != null && aggregateType == null) {
      throw new IllegalArgumentException("an aggregate's id means nothing without its type");
    }
  }

  /** The one stream that can match, if an aggregate is named. */
  Optional<String> stream() {
    return aggregateId == null ? Optional.empty() : Optional.of(aggregateType + ':' + aggregateId);
  }

  /** What the names of all streams that can match begin with; null for any. */
  @Nullable String streamPrefix() {
    return aggregateType == null ? null : aggregateType + ':';
  }
}
