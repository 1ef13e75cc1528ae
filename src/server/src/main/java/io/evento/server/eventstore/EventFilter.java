package io.evento.server.eventstore;

import io.evento.protocol.RecordedEvent;
import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.security.Caller;
import io.evento.server.security.Reading;
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
 * @param correlation of the flow
 * @param reading what of all that may be read
 */
public record EventFilter(
    @Nullable String context,
    List<String> types,
    @Nullable String aggregateType,
    @Nullable String aggregateId,
    List<String> tags,
    List<Alternative> items,
    @Nullable String correlation,
    Reading reading) {
  public static final EventFilter ALL = new EventFilter(null, null, null, null, null);

  public EventFilter {
    types = List.copyOf(types);
    tags = List.copyOf(tags);
    items = List.copyOf(items);
    if (aggregateId != null && aggregateType == null) {
      throw new IllegalArgumentException("an aggregate's id means nothing without its type");
    }
  }

  /** Of whatever may be read. */
  public EventFilter(
      @Nullable String context,
      List<String> types,
      @Nullable String aggregateType,
      @Nullable String aggregateId,
      List<String> tags,
      List<Alternative> items) {
    this(context, types, aggregateType, aggregateId, tags, items, null, Reading.ALL);
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

  /** The same of one flow only; null for any. */
  public EventFilter ofFlow(@Nullable String flow) {
    return new EventFilter(context, types, aggregateType, aggregateId, tags, items, flow, reading);
  }

  private static List<String> listOf(@Nullable String value) {
    return value == null ? List.of() : List.of(value);
  }

  /**
   * The same for somebody who may not read everything.
   *
   * @throws io.evento.protocol.EventoException {@code forbidden} if nothing is left of it
   */
  public EventFilter readBy(Caller caller) {
    var allowed = Reading.of(caller, context, types);
    return allowed.isAll()
        ? this
        : new EventFilter(
            context == null ? allowed.onlyContext() : context,
            types.isEmpty() ? allowed.onlyTypes() : types,
            aggregateType,
            aggregateId,
            tags,
            items,
            correlation,
            allowed);
  }

  /** Whether the event is wanted; {@code EventSearch} says the same of what it finds. */
  public boolean accepts(RecordedEvent event) {
    return reading.allows(event.context(), event.type())
        && (context == null || context.equals(event.context()))
        && (types.isEmpty() || types.contains(event.type()))
        && (aggregateType == null || aggregateType.equals(event.aggregate().type()))
        && (aggregateId == null || aggregateId.equals(event.aggregate().id()))
        && event.tags().containsAll(tags)
        && isOfFlow(event)
        && (items.isEmpty() || items.stream().anyMatch(item -> meets(event, item)));
  }

  /** Whether it belongs to the flow that is asked for, or any is. */
  public boolean isOfFlow(RecordedEvent event) {
    return correlation == null || correlation.equals(event.correlationId());
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
