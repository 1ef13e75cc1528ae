package io.evento.server.catalog;

import static java.util.Comparator.comparing;

import io.evento.protocol.DeclareMessage;
import io.evento.protocol.DeclareMessage.ComponentKind;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The whole catalog at one moment, and who has to do with which type. Never changes. */
public final class CatalogPicture {
  private final List<Type> types;
  private final Map<Key, Type> byKey = new HashMap<>();
  private final Map<Member, Component> components = new TreeMap<>();
  private final Map<String, Set<Member>> emitters = new HashMap<>();
  private final Map<String, Set<Member>> consumers = new HashMap<>();

  /**
   * @param kind {@code command}, {@code event} or {@code query}
   */
  public record Key(String kind, String type) {}

  /** A component, whatever its versions. */
  public record Member(String kind, String name) implements Comparable<Member> {
    @Override
    public int compareTo(Member other) {
      var byName = name.compareTo(other.name);
      return byName == 0 ? kind.compareTo(other.kind) : byName;
    }
  }

  /**
   * A declared type.
   *
   * @param owner that handles it, or was the first to emit it
   * @param bundle of the owner; null if the owner is gone
   * @param isPersonal whether something in it is encrypted
   */
  public record Type(
      Key key,
      int version,
      Member owner,
      String context,
      @Nullable String bundle,
      OffsetDateTime declaredAt,
      boolean isPersonal) {
    public String kind() {
      return key.kind();
    }

    public String name() {
      return key.type();
    }
  }

  /**
   * A component with what it declared in all its versions together.
   *
   * @param versions of a consumer, in order; of others {@code 0}
   * @param bundle that declared it last
   * @param commands that it handles
   * @param emits events, of an aggregate or a boundary
   * @param consumes events, of a consumer
   * @param queries that it answers
   * @param projector for a projection: whose read model it reads; else null
   */
  public record Component(
      Member id,
      List<Integer> versions,
      String context,
      String bundle,
      OffsetDateTime declaredAt,
      Set<String> commands,
      Set<String> emits,
      Set<String> consumes,
      Set<String> queries,
      @Nullable String projector) {}

  /** A row of the types. */
  record TypeLine(
      String kind,
      String type,
      int version,
      String componentKind,
      String component,
      String context,
      OffsetDateTime declaredAt,
      boolean isPersonal) {}

  /** A row of the components. */
  record Declared(String bundle, OffsetDateTime at, DeclareMessage.Component what) {}

  CatalogPicture(Collection<TypeLine> lines, Collection<Declared> declared) {
    var byMember = new TreeMap<Member, List<Declared>>();
    for (var one : declared) {
      byMember
          .computeIfAbsent(
              new Member(one.what().kind().wire(), one.what().name()), first -> new ArrayList<>())
          .add(one);
    }
    byMember.forEach((id, versions) -> components.put(id, together(id, versions)));
    for (var component : components.values()) {
      note(emitters, component.emits(), component.id());
      note(consumers, component.consumes(), component.id());
    }
    for (var line : lines) {
      var owner = new Member(line.componentKind(), line.component());
      var known = components.get(owner);
      var key = new Key(line.kind(), line.type());
      byKey.put(
          key,
          new Type(
              key,
              line.version(),
              owner,
              line.context(),
              known == null ? null : known.bundle(),
              line.declaredAt(),
              line.isPersonal()));
    }
    types =
        byKey.values().stream().sorted(comparing(Type::name).thenComparing(Type::kind)).toList();
  }

  private static void note(Map<String, Set<Member>> where, Set<String> types, Member who) {
    types.forEach(type -> where.computeIfAbsent(type, first -> new TreeSet<>()).add(who));
  }

  private static Component together(Member id, List<Declared> versions) {
    var commands = new TreeSet<String>();
    var emits = new TreeSet<String>();
    var consumes = new TreeSet<String>();
    var queries = new TreeSet<String>();
    var numbers = new TreeSet<Integer>();
    var last = versions.get(0);
    for (var one : versions) {
      var what = one.what();
      numbers.add(what.version());
      what.commands().forEach(command -> commands.add(command.type()));
      what.queries().forEach(query -> queries.add(query.type()));
      var events = isEmitter(what.kind()) ? emits : consumes;
      what.events().forEach(event -> events.add(event.type()));
      if (what.consumes() != null) {
        consumes.addAll(what.consumes().types());
      }
      if (one.at().isAfter(last.at())) {
        last = one;
      }
    }
    return new Component(
        id,
        List.copyOf(numbers),
        last.what().context(),
        last.bundle(),
        last.at(),
        commands,
        emits,
        consumes,
        queries,
        last.what().projector());
  }

  private static boolean isEmitter(ComponentKind kind) {
    return kind == ComponentKind.AGGREGATE || kind == ComponentKind.BOUNDARY;
  }

  /** By name, then kind. */
  public List<Type> types() {
    return types;
  }

  public Optional<Type> type(String kind, String type) {
    return Optional.ofNullable(byKey.get(new Key(kind, type)));
  }

  /** By name, then kind. */
  public Collection<Component> components() {
    return components.values();
  }

  public Optional<Component> component(String kind, String name) {
    return Optional.ofNullable(components.get(new Member(kind, name)));
  }

  /** Aggregates and boundaries that emit an event. */
  public Set<Member> emitters(String event) {
    return emitters.getOrDefault(event, Set.of());
  }

  /** Projectors, sagas and observers that are given an event by its name. */
  public Set<Member> consumers(String event) {
    return consumers.getOrDefault(event, Set.of());
  }

  /** Who handles a command, answers a query or is given an event. */
  public Set<Member> handlers(Type type) {
    if (type.kind().equals("event")) {
      return consumers(type.name());
    }
    return components.containsKey(type.owner()) ? Set.of(type.owner()) : Set.of();
  }

  /** The bundles that declared something. */
  public Set<String> bundles() {
    var found = new HashSet<String>();
    components.values().forEach(component -> found.add(component.bundle()));
    return found;
  }
}
