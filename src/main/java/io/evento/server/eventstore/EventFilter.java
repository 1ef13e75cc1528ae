package io.evento.server.eventstore;

import io.evento.protocol.RecordedEvent;
import io.evento.server.eventstore.AppendCondition.Alternative;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which events are wanted; null or empty for any.
 *
 * @param types one of these
 * @param aggregateId only together with {@code aggregateType}
 * @param tags all of these, perhaps among others
 * @param items at least one of these, besides all of the above
 */
public record EventFilter(
    @Nullable String context,
    List<String> types,
    @Nullable String aggregateType,
    @Nullable String aggregateId,
    List<String> tags,
    List<Alternative> items) {
  public static final EventFilter ALL = new EventFilter(null, null, null, null, null);

  public EventFilter {
    types = List.copyOf(types);
    tags = List.copyOf(tags);
    items = List.copyOf(items);
    if (aggregateId != null && aggregateType == null) {
      throw new IllegalArgumentException("an aggregate's id means nothing without its type");
    }
  }

  /** At most one type and one tag. */
  public EventFilter(
      @Nullable String context,
      @Nullable String type,
      @Nullable String aggregateType,
      @Nullable String aggregateId,
      @Nullable String tag) {
    this(context, listOf(type), aggregateType, aggregateId, listOf(tag), List.of());
  }

  private static List<String> listOf(@Nullable String value) {
    return value == null ? List.of() : List.of(value);
  }

  /** Whether the event is wanted; the same as what the statements of {@code EventSearch} say. */
  public boolean accepts(RecordedEvent event) {
    return (context == null || context.equals(event.context()))
        && (types.isEmpty() || types.contains(event.type()))
        && (aggregateType == null || aggregateType.equals(event.aggregate().type()))
        && (aggregateId == null || aggregateId.equals(event.aggregate().id()))
        && event.tags().containsAll(tags)
        && (items.isEmpty() || items.stream().anyMatch(item -> meets(event, item)));
  }

  private static boolean meets(RecordedEvent event, Alternative item) {
    var anyOf = item.types();
    return (anyOf == null || anyOf.contains(event.type())) && event.tags().containsAll(item.tags());
  }

  /** The one stream that can match, if an aggregate is named. */
  public Optional<String> stream() {
    return aggregateId == null ? Optional.empty() : Optional.of(aggregateType + ':' + aggregateId);
  }

  /** What the names of all streams that can match begin with; null for any. */
  @Nullable
  public String streamPrefix() {
    return aggregateType == null ? null : aggregateType + ':';
  }
}
