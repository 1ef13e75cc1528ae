package io.evento.server.catalog;

import static java.util.Comparator.comparingInt;

import io.evento.server.catalog.CatalogPicture.Component;
import io.evento.server.catalog.CatalogPicture.Key;
import io.evento.server.catalog.CatalogPicture.Member;
import io.evento.server.catalog.CatalogPicture.Type;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Parts of the catalog as boxes in columns and edges between them: who sends (0), commands and
 * queries (1), who handles them (2), events (3), who is given those (4). Never more than 150 boxes:
 * many types of one component fold into one box, and what is left out is counted.
 */
public final class CatalogMap {
  static final int BOXES_MAX = 150;
  static final int TYPES_MAX = 12;

  private static final int BUNDLES_MAX = 500;
  private static final Map<String, Integer> COLUMNS =
      Map.of(
          "invoker",
          0,
          "command",
          1,
          "query",
          1,
          "aggregate",
          2,
          "boundary",
          2,
          "service",
          2,
          "projection",
          2,
          "event",
          3);
  private static final int CONSUMERS = 4;

  private final CatalogPicture picture;
  private final Set<String> boxes = new LinkedHashSet<>();
  private final Map<String, String> folds = new HashMap<>();
  private int left;

  /**
   * @param id kind and name: {@code aggregate/Account}, {@code event/Opened}, {@code bundle/shop};
   *     of a fold {@code fold/}, its component's id and the kind of its types
   * @param column 0 to 4
   * @param bundle of a component or its type; null if unknown
   * @param types how many a fold stands for; else null
   */
  public record Box(
      String id,
      String kind,
      String name,
      int column,
      @Nullable String bundle,
      @Nullable Integer types) {}

  /**
   * @param kind of what goes along it
   * @param types how many types go along it
   */
  public record Edge(String from, String to, String kind, int types) {}

  /**
   * @param level {@code bundles}, {@code bundle} or {@code focus}
   * @param left how many components or bundles had no room
   * @param types names of those that go along each edge
   */
  public record View(
      String level, List<Box> boxes, List<Edge> edges, int left, Map<Edge, Set<String>> types) {}

  private record Line(String from, String to, String kind, String type) {}

  private CatalogMap(CatalogPicture picture) {
    this.picture = picture;
  }

  /** One box a bundle; edges are events that one emits and another is given. */
  public static View bundles(CatalogPicture picture) {
    var map = new CatalogMap(picture);
    var lines = new ArrayList<Line>();
    for (var component : picture.components()) {
      for (var event : component.emits()) {
        for (var consumer : picture.consumers(event)) {
          var to = map.bundleOf(consumer);
          lines.add(new Line(bundle(component.bundle()), to, "event", event));
        }
      }
    }
    var names = picture.bundles().stream().sorted().toList();
    names.stream().limit(BUNDLES_MAX).forEach(name -> map.boxes.add(bundle(name)));
    map.left = Math.max(0, names.size() - BUNDLES_MAX);
    return map.view("bundles", lines);
  }

  /** The components of a bundle with their types; other bundles are one box each. */
  public static View bundle(CatalogPicture picture, String bundle) {
    var map = new CatalogMap(picture);
    var own =
        picture.components().stream()
            .filter(component -> component.bundle().equals(bundle))
            .sorted(comparingInt((Component one) -> -map.weight(one)).thenComparing(Component::id))
            .toList();
    // Each takes at least one box, most take some of types beside it.
    var shown = own.stream().limit(BOXES_MAX / 2).toList();
    map.left = own.size() - shown.size();
    for (var component : shown) {
      map.boxes.add(id(component.id()));
      map.typesOf(component).forEach(type -> map.boxes.add(id(type)));
    }
    var lines = map.lines(shown);
    for (var component : shown) {
      for (var event : component.emits()) {
        map.others(picture.consumers(event), bundle)
            .forEach(other -> map.beside(lines, "event/" + event, other, event));
      }
      for (var event : component.consumes()) {
        map.others(picture.emitters(event), bundle)
            .forEach(other -> map.beside(lines, other, "event/" + event, event));
      }
    }
    return map.view("bundle", lines);
  }

  /**
   * What is around a component or a type, downstream and upstream.
   *
   * @param steps how many components away
   */
  public static View focus(CatalogPicture picture, String kind, String name, int steps) {
    var map = new CatalogMap(picture);
    var start = kind + '/' + name;
    map.boxes.add(start);
    var hops = 2 * steps;
    map.walk(start, hops, map::after);
    map.walk(start, hops, map::before);
    var members = map.boxes.stream().map(map::component).flatMap(Optional::stream).toList();
    return map.view("focus", map.lines(members));
  }

  private interface Neighbours {
    Collection<String> of(String id);
  }

  private void walk(String start, int hops, Neighbours neighbours) {
    record Reached(String id, int hops) {}

    var seen = new LinkedHashSet<String>();
    var waiting = new ArrayDeque<Reached>();
    seen.add(start);
    waiting.add(new Reached(start, 0));
    while (!waiting.isEmpty()) {
      var at = waiting.remove();
      if (at.hops() < hops) {
        for (var next : neighbours.of(at.id())) {
          if (seen.add(next)) {
            waiting.add(new Reached(next, at.hops() + 1));
          }
        }
      }
    }
    boxes.addAll(seen);
  }

  private Collection<String> after(String id) {
    var component = component(id);
    if (component.isPresent()) {
      return component.get().emits().stream().map(event -> "event/" + event).toList();
    }
    var type = Name.of(id);
    return (type.kind().equals("event")
            ? picture.consumers(type.name())
            : picture.type(type.kind(), type.name()).map(picture::handlers).orElse(Set.of()))
        .stream().map(CatalogMap::id).toList();
  }

  private Collection<String> before(String id) {
    var component = component(id);
    if (component.isPresent()) {
      var into = new ArrayList<String>();
      component.get().commands().forEach(command -> into.add("command/" + command));
      component.get().queries().forEach(query -> into.add("query/" + query));
      component.get().consumes().forEach(event -> into.add("event/" + event));
      return into;
    }
    var type = Name.of(id);
    return type.kind().equals("event")
        ? picture.emitters(type.name()).stream().map(CatalogMap::id).toList()
        : List.of();
  }

  private List<Line> lines(List<Component> components) {
    var lines = new ArrayList<Line>();
    for (var component : components) {
      var id = id(component.id());
      component
          .commands()
          .forEach(type -> lines.add(new Line("command/" + type, id, "command", type)));
      component.queries().forEach(type -> lines.add(new Line("query/" + type, id, "query", type)));
      component.emits().forEach(type -> lines.add(new Line(id, "event/" + type, "event", type)));
      component.consumes().forEach(type -> lines.add(new Line("event/" + type, id, "event", type)));
    }
    return lines;
  }

  private Set<String> others(Set<Member> members, String bundle) {
    return members.stream()
        .map(this::bundleOf)
        .filter(other -> !other.equals(bundle(bundle)))
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** A box of another bundle, in whose column its end of the edge belongs. */
  private void beside(List<Line> lines, String from, String to, String event) {
    boxes.add(from);
    boxes.add(to);
    lines.add(new Line(from, to, "event", event));
  }

  private View view(String level, List<Line> all) {
    var lines =
        all.stream()
            .filter(line -> boxes.contains(line.from()) && boxes.contains(line.to()))
            .toList();
    fold(lines, TYPES_MAX);
    if (shownIds().size() > BOXES_MAX) {
      fold(lines, 1);
    }
    var ids = shownIds();
    var counts = new HashMap<String, Integer>();
    boxes.forEach(id -> counts.merge(folds.getOrDefault(id, id), 1, Integer::sum));
    var max = level.equals("bundles") ? BUNDLES_MAX : BOXES_MAX;
    var shown = new LinkedHashMap<String, Box>();
    for (var id : ids) {
      if (shown.size() == max) {
        left++;
      } else {
        shown.put(id, box(id, counts.getOrDefault(id, 1), lines));
      }
    }
    record Ends(String from, String to, String kind) {}
    var edges = new LinkedHashMap<Ends, Set<String>>();
    for (var line : lines) {
      var from = folds.getOrDefault(line.from(), line.from());
      var to = folds.getOrDefault(line.to(), line.to());
      if (shown.containsKey(from) && shown.containsKey(to)) {
        edges
            .computeIfAbsent(new Ends(from, to, line.kind()), first -> new LinkedHashSet<>())
            .add(line.type());
      }
    }
    var types = new LinkedHashMap<Edge, Set<String>>();
    edges.forEach(
        (ends, names) ->
            types.put(new Edge(ends.from(), ends.to(), ends.kind(), names.size()), names));
    return new View(level, List.copyOf(shown.values()), List.copyOf(types.keySet()), left, types);
  }

  private Set<String> shownIds() {
    return boxes.stream()
        .map(id -> folds.getOrDefault(id, id))
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** Puts the types of one kind at one side of a component together where they are many. */
  private void fold(List<Line> lines, int max) {
    var groups = new LinkedHashMap<String, Set<String>>();
    for (var line : lines) {
      var isInto = Name.of(line.from()).isType();
      var type = isInto ? line.from() : line.to();
      var component = isInto ? line.to() : line.from();
      if (Name.of(type).isType() && !component.startsWith("bundle/")) {
        groups
            .computeIfAbsent(
                "fold/" + component + '/' + (isInto ? "" : "out-") + line.kind(),
                first -> new LinkedHashSet<>())
            .add(type);
      }
    }
    groups.forEach(
        (fold, types) -> {
          if (types.size() > max) {
            types.forEach(type -> folds.putIfAbsent(type, fold));
          }
        });
  }

  private Box box(String id, int count, List<Line> lines) {
    if (id.startsWith("fold/")) {
      var end = id.lastIndexOf('/');
      var kind = id.substring(end + 1).replace("out-", "");
      var owner = component(id.substring("fold/".length(), end));
      return new Box(
          id,
          kind,
          id.substring("fold/".length(), end),
          kind.equals("event") ? 3 : 1,
          owner.map(Component::bundle).orElse(null),
          count);
    }
    var name = Name.of(id);
    if (name.kind().equals("bundle")) {
      var isGiven = lines.stream().anyMatch(line -> line.to().equals(id));
      return new Box(id, "bundle", name.name(), isGiven ? CONSUMERS : 2, name.name(), null);
    }
    var bundle =
        name.isType()
            ? picture.type(name.kind(), name.name()).map(Type::bundle).orElse(null)
            : component(id).map(Component::bundle).orElse(null);
    return new Box(
        id, name.kind(), name.name(), COLUMNS.getOrDefault(name.kind(), CONSUMERS), bundle, null);
  }

  private List<Key> typesOf(Component component) {
    var types = new ArrayList<Key>();
    component.commands().forEach(type -> types.add(new Key("command", type)));
    component.queries().forEach(type -> types.add(new Key("query", type)));
    component.emits().forEach(type -> types.add(new Key("event", type)));
    component.consumes().forEach(type -> types.add(new Key("event", type)));
    types.sort(Comparator.comparing(Key::kind).thenComparing(Key::type));
    return types;
  }

  private int weight(Component component) {
    return component.commands().size()
        + component.queries().size()
        + component.emits().size()
        + component.consumes().size();
  }

  private String bundleOf(Member member) {
    return picture
        .component(member.kind(), member.name())
        .map(component -> bundle(component.bundle()))
        .orElse("");
  }

  private Optional<Component> component(String id) {
    var name = Name.of(id);
    return name.isType() ? Optional.empty() : picture.component(name.kind(), name.name());
  }

  private static String bundle(String name) {
    return "bundle/" + name;
  }

  private static String id(Member member) {
    return member.kind() + '/' + member.name();
  }

  private static String id(Key type) {
    return type.kind() + '/' + type.type();
  }

  private record Name(String kind, String name) {
    static Name of(String id) {
      var cut = id.indexOf('/');
      return new Name(id.substring(0, cut), id.substring(cut + 1));
    }

    boolean isType() {
      return kind.equals("command") || kind.equals("query") || kind.equals("event");
    }
  }
}
