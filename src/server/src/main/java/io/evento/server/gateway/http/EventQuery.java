package io.evento.server.gateway.http;

import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.follow.SeenPosition;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Which events a caller asks for by query parameters, checked.
 *
 * @param after everything up to here was seen; null for {@code head}, all that there is now
 */
public record EventQuery(@Nullable SeenPosition after, EventFilter filter) {
  private static final int CORRELATION_CHARS_MAX = 200;

  /**
   * Between which positions and times a page is read, and in which direction.
   *
   * @param before exclusive, and the page newest first; 0 for a page in order
   * @param from of the first event that is wanted; null for any
   * @param to of the first that is not wanted any more; null for any
   */
  public record Bounds(long before, @Nullable Instant from, @Nullable Instant to) {
    /**
     * @param parameters values by name, null where there are none
     */
    public static Bounds of(Function<String, @Nullable List<String>> parameters) {
      var before = first(parameters, "before");
      if (before != null && first(parameters, "after") != null) {
        throw EventoException.invalid("before", "goes with no after");
      }
      return new Bounds(
          before == null
              ? 0
              : "head".equals(before)
                  ? Long.MAX_VALUE
                  : Headers.number("before", before, 1, Long.MAX_VALUE),
          time("from", first(parameters, "from")),
          time("to", first(parameters, "to")));
    }

    private static @Nullable Instant time(String parameter, @Nullable String given) {
      try {
        return given == null ? null : Instant.parse(given);
      } catch (DateTimeParseException wrong) {
        throw EventoException.invalid(parameter, "must be such as 2026-01-31T10:15:30Z");
      }
    }
  }

  /**
   * @param parameters values by name, null where there are none
   */
  public static EventQuery of(Function<String, @Nullable List<String>> parameters) {
    return new EventQuery(
        after(first(parameters, "after"), epoch(first(parameters, "epoch"))),
        new EventFilter(
                name("context", first(parameters, "context")),
                EventTags.types(parameters.apply("type")),
                name("aggregateType", first(parameters, "aggregateType")),
                id(first(parameters, "aggregateType"), first(parameters, "aggregateId")),
                EventTags.tags(parameters.apply("tag")),
                EventTags.items(first(parameters, "query")))
            .ofFlow(flow(first(parameters, "correlation"))));
  }

  /** The same for what a message asks for. */
  public static EventFilter filter(
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

  private static @Nullable String flow(@Nullable String given) {
    if (given != null && given.length() > CORRELATION_CHARS_MAX) {
      throw EventoException.invalid(
          "correlation", "must have at most " + CORRELATION_CHARS_MAX + " characters");
    }
    return given;
  }

  private static @Nullable SeenPosition after(@Nullable String given, @Nullable UUID epoch) {
    if ("head".equals(given)) {
      return null;
    }
    return within(
        given == null ? new SeenPosition(0, null) : SeenPosition.parse("after", given), epoch);
  }

  /** The same in an epoch that was told beside it. */
  private static SeenPosition within(SeenPosition seen, @Nullable UUID epoch) {
    if (epoch == null || epoch.equals(seen.epoch())) {
      return seen;
    }
    if (seen.epoch() != null) {
      throw EventoException.invalid("epoch", "must not differ from the one in after");
    }
    return new SeenPosition(seen.position(), epoch);
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
    return given == null ? null : Headers.uuid("epoch", given);
  }
}
