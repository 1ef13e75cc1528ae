package io.evento.server.gateway.http;

import io.evento.protocol.Codec;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Names;
import io.evento.protocol.PayloadVersions;
import io.evento.server.catalog.Catalog;
import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.follow.SeenPosition;
import io.evento.server.routing.command.Appends;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The body of an append, in the words of dcb.events. Fields that it does not know are refused: a
 * condition whose name is misspelt would guard nothing.
 *
 * @param context of the events
 * @param aggregate whose stream they go to; null for one of their own
 */
record AppendBody(
    List<Event> events,
    @Nullable Condition condition,
    @Nullable String context,
    @Nullable Aggregate aggregate) {
  private static final int EVENTS_MAX = 1_000;
  private static final int ITEMS_MAX = 100;

  record Event(
      @Nullable String type,
      @Nullable Integer payloadVersion,
      @Nullable List<String> tags,
      @Nullable Json payload) {
    NewEvent checked(int index) {
      var at = "/events/" + index;
      if (payload == null || !payload.text().startsWith("{")) {
        throw EventoException.invalid(at + "/payload", "must be a JSON object");
      }
      var given = tags == null ? List.<String>of() : tags;
      if (given.size() > Names.TAGS_MAX) {
        throw EventoException.invalid(at + "/tags", "must be at most " + Names.TAGS_MAX);
      }
      for (var i = 0; i < given.size(); i++) {
        Names.checkTag(at + "/tags/" + i, given.get(i));
      }
      return new NewEvent(
          Names.checkType(at + "/type", type == null ? "" : type),
          payloadVersion == null ? 1 : checkedVersion(at, payloadVersion),
          given,
          payload);
    }
  }

  private static int checkedVersion(String at, int payloadVersion) {
    if (payloadVersion < 1 || payloadVersion > PayloadVersions.MAX) {
      throw EventoException.invalid(
          at + "/payloadVersion", "must be a whole number from 1 to " + PayloadVersions.MAX);
    }
    return payloadVersion;
  }

  /**
   * @param after position that was read up to; the whole store counts without it
   * @param epoch in which it was read; without it the present one
   */
  record Condition(@Nullable Query failIfEventsMatch, @Nullable Long after, @Nullable UUID epoch) {}

  /** Events that meet one of the items; all events where there are none. */
  record Query(@Nullable List<Item> items) {

    /** An item without types and tags stands for all events too. */
    List<Alternative> checked(String at) {
      var given = items == null ? List.<Item>of() : items;
      if (given.size() > ITEMS_MAX) {
        throw EventoException.invalid(at + "/items", "must be at most " + ITEMS_MAX);
      }
      if (given.isEmpty()) {
        return List.of(new Alternative(null, List.of()));
      }
      var alternatives = new ArrayList<Alternative>();
      for (var i = 0; i < given.size(); i++) {
        alternatives.add(given.get(i).checked(at + "/items/" + i));
      }
      return alternatives;
    }
  }

  /**
   * @param types one of these; any where there are none
   * @param tags all of these
   */
  record Item(@Nullable List<String> types, @Nullable List<String> tags) {
    Alternative checked(String at) {
      var anyOf = types == null ? List.<String>of() : types;
      var allOf = tags == null ? List.<String>of() : tags;
      if (anyOf.size() > ITEMS_MAX || allOf.size() > ITEMS_MAX) {
        throw EventoException.invalid(at, "must have at most " + ITEMS_MAX + " types and tags");
      }
      for (var i = 0; i < anyOf.size(); i++) {
        Names.checkType(at + "/types/" + i, anyOf.get(i));
      }
      for (var i = 0; i < allOf.size(); i++) {
        Names.checkTag(at + "/tags/" + i, allOf.get(i));
      }
      return new Alternative(anyOf.isEmpty() ? null : anyOf, allOf);
    }
  }

  record Aggregate(@Nullable String type, @Nullable String id) {}

  static AppendBody read(Json body) {
    return Codec.readBody(AppendBody.class, body);
  }

  List<NewEvent> checkedEvents() {
    if (events == null || events.isEmpty() || events.size() > EVENTS_MAX) {
      throw EventoException.invalid("/events", "must be 1 to " + EVENTS_MAX + " events");
    }
    var checked = new ArrayList<NewEvent>(events.size());
    for (var i = 0; i < events.size(); i++) {
      var event = events.get(i);
      if (event == null) {
        throw EventoException.invalid("/events/" + i, "must be an object");
      }
      checked.add(event.checked(i));
    }
    return checked;
  }

  String checkedContext() {
    if (context == null) {
      return "default";
    }
    if (context.startsWith(Catalog.RESERVED)) {
      throw EventoException.invalid(
          "/context", "must not begin with " + Catalog.RESERVED + ", which is the cluster's own");
    }
    return Names.checkType("/context", context);
  }

  DecideMessage.@Nullable Aggregate checkedAggregate() {
    if (aggregate == null) {
      return null;
    }
    var type = aggregate.type == null ? "" : aggregate.type;
    var id = aggregate.id == null ? "" : aggregate.id;
    return new DecideMessage.Aggregate(
        Names.checkType("/aggregate/type", type), Names.checkAggregateId("/aggregate/id", id));
  }

  /** Position and query of the condition; null without one. */
  Appends.@Nullable Guard checkedGuard() {
    if (condition == null) {
      return null;
    }
    var query = condition.failIfEventsMatch;
    if (query == null) {
      throw EventoException.invalid("/condition/failIfEventsMatch", "is required");
    }
    var after = condition.after == null ? 0 : condition.after;
    if (after < 0) {
      throw EventoException.invalid("/condition/after", "must be 0 or more");
    }
    return new Appends.Guard(
        new SeenPosition(after, condition.epoch), query.checked("/condition/failIfEventsMatch"));
  }
}
