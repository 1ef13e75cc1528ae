package io.evento.server.gateway;

import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.server.eventstore.EventFilter;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Which events a caller asks for by query parameters, checked. */
record EventQuery(@Nullable String start, @Nullable UUID epoch, EventFilter filter) {

  /**
   * @param parameters values by name, null where there are none
   */
  static EventQuery of(Function<String, @Nullable List<String>> parameters) {
    return new EventQuery(
        first(parameters, "after"),
        epoch(first(parameters, "epoch")),
        new EventFilter(
            name("context", first(parameters, "context")),
            EventTags.types(parameters.apply("type")),
            name("aggregateType", first(parameters, "aggregateType")),
            id(first(parameters, "aggregateType"), first(parameters, "aggregateId")),
            EventTags.tags(parameters.apply("tag")),
            EventTags.items(first(parameters, "query"))));
  }

  /** The same for what a message asks for. */
  static EventFilter filter(
      @Nullable String context,
      @Nullable String type,
      @Nullable String aggregateType,
      @Nullable String aggregateId,
      @Nullable String tag) {
    return new EventFilter(
        name("context", context),
        name("type", type),
        name("aggregateType", aggregateType),
        id(aggregateType, aggregateId),
        tag == null ? null : Names.checkTag("tag", tag));
  }

  /**
   * Everything up to here was seen.
   *
   * @param head last position of the store, which {@code after=head} means
   */
  long after(long head) {
    if (start == null) {
      return 0;
    }
    return start.equals("head") ? head : Headers.number("after", start, 0, Long.MAX_VALUE);
  }

  private static @Nullable String first(
      Function<String, @Nullable List<String>> parameters, String name) {
    var values = parameters.apply(name);
    return values == null || values.isEmpty() || values.get(0).isEmpty() ? null : values.get(0);
  }

  private static @Nullable String name(String parameter, @Nullable String value) {
    return value == null ? null : Names.checkType(parameter, value);
  }

  private static @Nullable String id(@Nullable String type, @Nullable String id) {
    if (id == null) {
      return null;
    }
    if (type == null) {
      throw EventoException.invalid("aggregateType", "is required with aggregateId");
    }
    return Names.checkAggregateId("aggregateId", id);
  }

  private static @Nullable UUID epoch(@Nullable String given) {
    try {
      return given == null ? null : UUID.fromString(given);
    } catch (IllegalArgumentException malformed) {
      throw EventoException.invalid("epoch", "must be a UUID");
    }
  }
}
