package io.evento.server.console.catalog;

import io.evento.server.NodeScoped;
import io.evento.server.catalog.CatalogMap.Edge;
import io.evento.server.catalog.CatalogMap.View;
import io.evento.server.catalog.CatalogPicture;
import io.evento.server.catalog.CatalogPicture.Component;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.SeriesKey;
import io.evento.server.telemetry.TelemetryTable;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What was measured of what goes along the edges of the map. Commands and queries are measured at
 * their handler, and what consumers are given at each of them; what is appended is measured by type
 * alone, so an event that several components emit tells of none of them. Blocks on the database.
 */
@NodeScoped
public class MapMeasures {
  /** More are not asked for: an edge of them tells nothing. */
  private static final int SERIES_MAX = 2_000;

  /** Rates are of so much time, and edges are failing by what happened in it. */
  static final Duration LATELY = Duration.ofMinutes(15);

  private final TelemetryTable table;

  @Inject
  public MapMeasures(TelemetryTable table) {
    this.table = table;
  }

  /**
   * Of an edge.
   *
   * @param errorShare of what was counted, 0 to 1
   * @param isSeen whether anything went along it, as far back as telemetry is kept
   */
  record Measured(double perSecond, double errorShare, boolean isSeen) {}

  /** By edge; those of which nobody can tell are missing. */
  Map<Edge, Measured> of(CatalogPicture picture, View view) {
    var series = new LinkedHashMap<Edge, Set<SeriesKey>>();
    var asked = new LinkedHashSet<SeriesKey>();
    // What had no room of its own may be anything of its kind.
    for (var kind : Kind.values()) {
      asked.add(new SeriesKey(kind, "", SeriesKey.OTHER));
    }
    view.types()
        .forEach(
            (edge, types) -> {
              var keys = keys(picture, edge, types);
              if (!keys.isEmpty() && asked.size() + keys.size() <= SERIES_MAX) {
                series.put(edge, keys);
                asked.addAll(keys);
              }
            });
    var known = read(List.copyOf(asked));
    var found = new HashMap<Edge, Measured>();
    series.forEach(
        (edge, keys) -> {
          var measured = sum(keys, known);
          if (measured != null) {
            found.put(edge, measured);
          }
        });
    return found;
  }

  private Map<SeriesKey, TelemetryTable.Measured> read(List<SeriesKey> keys) {
    var measured = table.measured(keys, Instant.now().minus(LATELY));
    var known = new HashMap<SeriesKey, TelemetryTable.Measured>();
    for (var i = 0; i < keys.size(); i++) {
      known.put(keys.get(i), measured.get(i));
    }
    return known;
  }

  /** Null where it was not seen, and might have been among what was not kept apart. */
  private static @Nullable Measured sum(
      Set<SeriesKey> keys, Map<SeriesKey, TelemetryTable.Measured> known) {
    var count = 0L;
    var failed = 0L;
    var isSeen = false;
    var mayHide = false;
    for (var key : keys) {
      var one = known.get(key);
      if (one != null) {
        count += one.count();
        failed += one.failed();
        isSeen |= one.lastSeen() != null;
      }
      var other = known.get(new SeriesKey(key.kind(), "", SeriesKey.OTHER));
      mayHide |= other != null && other.lastSeen() != null;
    }
    return !isSeen && mayHide
        ? null
        : new Measured(
            Math.round(1_000.0 * count / LATELY.toSeconds()) / 1_000.0,
            Math.min(1, (double) failed / Math.max(1, count)),
            isSeen);
  }

  /** Under what it was measured; none if that cannot be told of all of the edge. */
  private static Set<SeriesKey> keys(CatalogPicture picture, Edge edge, Set<String> types) {
    var keys = new LinkedHashSet<SeriesKey>();
    for (var type : types) {
      var found =
          edge.kind().equals("event")
              ? ofEvent(picture, edge, type)
              : ofRequest(picture, edge.kind(), type);
      if (found.isEmpty()) {
        return Set.of();
      }
      keys.addAll(found);
    }
    return keys;
  }

  private static List<SeriesKey> ofRequest(CatalogPicture picture, String kind, String type) {
    var measured = kind.equals("query") ? Kind.QUERY : Kind.COMMAND;
    return picture
        .type(kind, type)
        .map(known -> List.of(new SeriesKey(measured, known.owner().name(), type)))
        .orElse(List.of());
  }

  private static List<SeriesKey> ofEvent(CatalogPicture picture, Edge edge, String type) {
    if (isType(edge.to())) {
      return isAllFrom(picture, edge.from(), type)
          ? List.of(new SeriesKey(Kind.APPEND, "", type))
          : List.of();
    }
    if (!isType(edge.from()) && !isAllFrom(picture, edge.from(), type)) {
      return List.of();
    }
    var keys = new ArrayList<SeriesKey>();
    for (var member : picture.consumers(type)) {
      picture
          .component(member.kind(), member.name())
          .filter(consumer -> isIn(consumer, edge.to()))
          .ifPresent(
              consumer ->
                  consumer
                      .versions()
                      .forEach(
                          version ->
                              keys.add(
                                  new SeriesKey(
                                      Kind.CONSUMER, member.name() + ':' + version, type))));
    }
    return keys;
  }

  /** Whether a box stands for types, not for components. */
  private static boolean isType(String box) {
    return box.startsWith("event/") || box.startsWith("fold/");
  }

  /** Whether nobody else emits an event. */
  private static boolean isAllFrom(CatalogPicture picture, String box, String type) {
    return picture.emitters(type).stream()
        .allMatch(
            member ->
                picture
                    .component(member.kind(), member.name())
                    .filter(emitter -> isIn(emitter, box))
                    .isPresent());
  }

  /** Whether a box is a component, or the bundle that declared it. */
  private static boolean isIn(Component component, String box) {
    var id = component.id();
    return box.equals(id.kind() + '/' + id.name()) || box.equals("bundle/" + component.bundle());
  }
}
