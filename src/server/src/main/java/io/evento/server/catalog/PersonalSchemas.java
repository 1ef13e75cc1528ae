package io.evento.server.catalog;

import io.evento.protocol.DeclareMessage;
import io.evento.protocol.Json;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The declared types with something personal in them, and where. Immutable.
 *
 * <p>A command or query has one component in the whole cluster. An event of a type may be decided
 * by several, each in contexts of its own: what one says of its events says nothing of another
 * one's in another context. Where several in one context disagree, what any of them calls personal
 * is.
 */
final class PersonalSchemas {
  static final PersonalSchemas NONE = new PersonalSchemas(Map.of(), Map.of(), Map.of());

  private final Map<Owned, PersonalPlaces> owned;
  private final Map<Event, Said> events;
  private final Map<String, Said> anywhere;

  /** A command or query. */
  private record Owned(PayloadType.Kind kind, String type) {}

  private record Event(String context, String type) {}

  /** What declarations of an event say of it together. */
  private record Said(boolean isPersonal, List<PersonalPlaces> places) {
    static final Said NOTHING = new Said(false, List.of());

    static Said of(Set<String> schemas) {
      return new Said(
          !schemas.isEmpty(),
          schemas.stream().flatMap(one -> PersonalPlaces.of(one).stream()).toList());
    }
  }

  private PersonalSchemas(
      Map<Owned, PersonalPlaces> owned, Map<Event, Said> events, Map<String, Said> anywhere) {
    this.owned = owned;
    this.events = events;
    this.anywhere = anywhere;
  }

  static PersonalSchemas read(Connection open) throws SQLException {
    var owned = new HashMap<Owned, PersonalPlaces>();
    var anywhere = new HashMap<String, Set<String>>();
    for (var type : CatalogTable.personal(open)) {
      if (type.kind() == PayloadType.Kind.EVENT) {
        add(anywhere, type.type(), type.schema());
      } else {
        PersonalPlaces.of(type.schema())
            .ifPresent(places -> owned.put(new Owned(type.kind(), type.type()), places));
      }
    }
    var deciders = CatalogTable.deciders(open);
    deciders.forEach(
        component -> component.events().forEach(event -> addPersonal(anywhere, event)));
    return new PersonalSchemas(
        Map.copyOf(owned),
        anywhere.isEmpty() ? Map.of() : said(inContexts(open, deciders, anywhere.keySet())),
        said(anywhere));
  }

  private static void addPersonal(
      Map<String, Set<String>> schemas, DeclareMessage.EventType event) {
    var schema = event.schema();
    if (schema != null && PersonalPlaces.isSaidIn(schema.text())) {
      add(schemas, event.type(), schema.text());
    }
  }

  /**
   * What is personal of these types where somebody declares them: nothing, where the declarations
   * say so.
   */
  private static Map<Event, Set<String>> inContexts(
      Connection open, List<DeclareMessage.Component> deciders, Set<String> types)
      throws SQLException {
    var schemas = new HashMap<Event, Set<String>>();
    for (var type : CatalogTable.events(open, types)) {
      declare(schemas, type.context(), type.type(), type.schema());
    }
    var contexts = contexts(open);
    for (var component : deciders) {
      var kept = OwnerTable.kept(component.kind().wire());
      var in = new HashSet<>(contexts.getOrDefault(new Key(kept, component.name()), List.of()));
      in.add(component.context());
      for (var event : component.events()) {
        var schema = event.schema();
        if (schema != null && types.contains(event.type())) {
          in.forEach(context -> declare(schemas, context, event.type(), schema.text()));
        }
      }
    }
    return schemas;
  }

  private static void declare(
      Map<Event, Set<String>> schemas, String context, String type, String schema) {
    var said = schemas.computeIfAbsent(new Event(context, type), first -> new HashSet<>());
    if (PersonalPlaces.isSaidIn(schema)) {
      said.add(schema);
    }
  }

  private static <K> void add(Map<K, Set<String>> schemas, K key, String schema) {
    schemas.computeIfAbsent(key, first -> new HashSet<>()).add(schema);
  }

  private static <K> Map<K, Said> said(Map<K, Set<String>> schemas) {
    var said = new HashMap<K, Said>();
    schemas.forEach((key, all) -> said.put(key, Said.of(all)));
    return Map.copyOf(said);
  }

  private record Key(String kind, String name) {}

  /** In which contexts each component may be declared: its last declaration names one of them. */
  private static Map<Key, List<String>> contexts(Connection open) throws SQLException {
    var contexts = new HashMap<Key, List<String>>();
    for (var one : OwnerTable.all(open)) {
      contexts.put(new Key(one.kind(), one.name()), one.owner().contexts());
    }
    return contexts;
  }

  /** What is said in the context; of an event that nobody declares there, what anybody says. */
  private Said event(String context, String type) {
    var own = events.get(new Event(context, type));
    return own == null ? anywhere.getOrDefault(type, Said.NOTHING) : own;
  }

  boolean isPersonal(PayloadType.Kind kind, String type) {
    return owned.containsKey(new Owned(kind, type));
  }

  boolean isPersonalEvent(String context, String type) {
    return event(context, type).isPersonal();
  }

  /**
   * A place of a command or query where something stands in the clear that must not.
   *
   * @return its JSON pointer; empty if there is none
   */
  Optional<String> plainAt(PayloadType.Kind kind, String type, Json payload) {
    var places = owned.get(new Owned(kind, type));
    return places == null ? Optional.empty() : places.plainAt(payload);
  }

  /** The same of an event. */
  Optional<String> plainAtOfEvent(String context, String type, Json payload) {
    return event(context, type).places().stream()
        .flatMap(places -> places.plainAt(payload).stream())
        .findFirst();
  }
}
