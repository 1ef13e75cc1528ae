package io.evento.server.eventstore;

import io.evento.protocol.RecordedEvent;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which events are wanted; null for any.
 *
 * @param aggregateId only together with {@code aggregateType}
 * @param tag that the event has, perhaps among others
 */
public record EventFilter(
    @Nullable String context,
    @Nullable String type,
    @Nullable String aggregateType,
    @Nullable String aggregateId,
    @Nullable String tag) {
  public static final EventFilter ALL = new EventFilter(null, null, null, null, null);

  public EventFilter {
    if (aggregateId != null && aggregateType == null) {
      throw new IllegalArgumentException("an aggregate's id means nothing without its type");
    }
  }

  /** Whether the event is wanted; the same as what the statements of {@link EventReader} say. */
  public boolean accepts(RecordedEvent event) {
    return (context == null || context.equals(event.context()))
        && (type == null || type.equals(event.type()))
        && (aggregateType == null || aggregateType.equals(event.aggregate().type()))
        && (aggregateId == null || aggregateId.equals(event.aggregate().id()))
        && (tag == null || event.tags().contains(tag));
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
