package io.evento.server.gateway.http;

import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.protocol.JsonText;
import io.evento.protocol.Names;
import io.evento.server.eventstore.AppendCondition.Alternative;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a reader of events asks for by types and tags, checked. */
final class EventTags {
  private static final int COUNT_MAX = 100;

  private EventTags() {}

  /** Any of these. */
  static List<String> types(@Nullable List<String> given) {
    var types = some("type", given);
    types.forEach(type -> Names.checkType("type", type));
    return types;
  }

  /** All of these. */
  static List<String> tags(@Nullable List<String> given) {
    var tags = some("tag", given);
    tags.forEach(tag -> Names.checkTag("tag", tag));
    return tags;
  }

  private static List<String> some(String name, @Nullable List<String> given) {
    var values =
        given == null ? List.<String>of() : given.stream().filter(one -> !one.isEmpty()).toList();
    if (values.size() > COUNT_MAX) {
      throw EventoException.invalid(name, "must be there at most " + COUNT_MAX + " times");
    }
    return values;
  }

  /** A query of dcb.events as JSON: {@code {"items":[{"types":[…],"tags":[…]}]}}. */
  static List<Alternative> items(@Nullable String query) {
    if (query == null || query.isEmpty()) {
      return List.of();
    }
    return Codec.readBody(AppendBody.Query.class, JsonText.check(query)).checked("query");
  }
}
