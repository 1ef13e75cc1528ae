package io.evento.server.console.capacity;

import io.evento.server.NodeScoped;
import io.evento.server.catalog.CatalogIndex;
import io.evento.server.catalog.CatalogPicture;
import io.evento.server.cluster.Membership;
import io.evento.server.console.capacity.Measured.Handled;
import io.evento.server.console.capacity.Measured.Processing;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.routing.session.Directory;
import io.evento.server.telemetry.FlowTable;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.Phase;
import io.evento.server.telemetry.SeriesKey;
import io.evento.server.telemetry.TelemetryTable;
import io.evento.server.telemetry.TelemetryTable.Sums;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Gathers what was measured: of an hour each minute, of more one minute in so many, so that an
 * answer is made of a bounded number of rows. Blocks on the database.
 */
@NodeScoped
public class CapacityReader {
  private static final int MINUTE = 60;
  private static final int MINUTES_MAX = 60;

  private final TelemetryTable telemetry;
  private final FlowTable flows;
  private final CatalogIndex catalog;
  private final Directory directory;
  private final Membership membership;
  private final EntityManagers managers;

  @Inject
  public CapacityReader(
      TelemetryTable telemetry,
      FlowTable flows,
      CatalogIndex catalog,
      Directory directory,
      Membership membership,
      EntityManagers managers) {
    this.telemetry = telemetry;
    this.flows = flows;
    this.catalog = catalog;
    this.directory = directory;
    this.membership = membership;
    this.managers = managers;
  }

  /**
   * @param minutes that were looked at
   */
  record Reading(Measured measured, int minutes) {}

  Reading read(Instant from, Instant to) {
    var first = from.getEpochSecond() / MINUTE * MINUTE;
    var last = Math.max(first, (to.getEpochSecond() - 1) / MINUTE * MINUTE);
    var span = (int) ((last - first) / MINUTE + 1);
    var every = MINUTE * Math.max(1, (span + MINUTES_MAX - 1) / MINUTES_MAX);
    var range = new Instant[] {Instant.ofEpochSecond(first), Instant.ofEpochSecond(last)};
    var minutes = new ArrayList<Long>();
    for (var at = first; at <= last; at += every) {
      minutes.add(at);
    }
    var seconds = seconds(minutes);
    var picture = catalog.picture();
    var handlers = new ArrayList<Handled>();
    telemetry
        .sampled(range, every)
        .forEach((key, sums) -> handlers.add(handled(key, sums, seconds, picture)));
    return new Reading(
        new Measured(
            seconds,
            List.copyOf(handlers),
            flows.led(range, every),
            instances(),
            segments(),
            processors(range, every)),
        minutes.size());
  }

  /** The running minute counts as far as it has come. */
  private static double seconds(List<Long> minutes) {
    var now = Instant.now().getEpochSecond();
    return Math.max(
        1, minutes.stream().mapToLong(at -> Math.max(0, Math.min(MINUTE, now - at))).sum());
  }

  private static Handled handled(SeriesKey key, Sums sums, double seconds, CatalogPicture picture) {
    var failed = sums.errors().values().stream().mapToLong(n -> n).sum();
    return new Handled(
        key.kind(),
        key.kind() == Kind.APPEND ? "" : key.handler(),
        key.type(),
        bundle(key, picture),
        sums.count() / seconds,
        Math.min(1, (double) failed / Math.max(1, sums.count())),
        Spread.of(sums.times(Phase.TOTAL)),
        Spread.of(sums.times(Phase.QUEUE)),
        Spread.of(sums.times(Phase.HANDLER)),
        Spread.of(sums.times(Phase.COMMIT)));
  }

  private static @Nullable String bundle(SeriesKey key, CatalogPicture picture) {
    return switch (key.kind()) {
      case APPEND -> null;
      case COMMAND, QUERY ->
          picture.type(key.kind().wire(), key.type()).map(CatalogPicture.Type::bundle).orElse(null);
      case CONSUMER -> {
        var cut = key.handler().lastIndexOf(':');
        var name = cut < 0 ? key.handler() : key.handler().substring(0, cut);
        yield List.of("projector", "saga", "observer").stream()
            .flatMap(kind -> picture.component(kind, name).stream())
            .map(CatalogPicture.Component::bundle)
            .findFirst()
            .orElse(null);
      }
    };
  }

  private Map<String, Integer> instances() {
    var found = new TreeMap<String, Set<UUID>>();
    directory
        .everywhere(membership.self())
        .values()
        .forEach(
            entries ->
                entries.forEach(
                    entry ->
                        found
                            .computeIfAbsent(entry.bundle(), first -> new HashSet<>())
                            .add(entry.instance())));
    var counts = new TreeMap<String, Integer>();
    found.forEach((bundle, instances) -> counts.put(bundle, instances.size()));
    return counts;
  }

  private Map<String, Integer> segments() {
    return managers.read(
        manager -> {
          var counts = new HashMap<String, Integer>();
          manager
              .createQuery(
                  "select s.name, s.version, count(s.segment) from ConsumerSegmentRow s"
                      + " group by s.name, s.version",
                  Object[].class)
              .getResultStream()
              .forEach(row -> counts.put(row[0] + ":" + row[1], ((Number) row[2]).intValue()));
          return counts;
        });
  }

  private List<Processing> processors(Instant[] range, int every) {
    var found = new ArrayList<Processing>();
    var past = past(range[1]);
    byNode(flows.busy(range, every))
        .forEach(
            (node, list) -> {
              var before = past.getOrDefault(node, List.of());
              var last = list.get(list.size() - 1);
              found.add(
                  new Processing(
                      node,
                      false,
                      last.processors(),
                      list.stream().mapToDouble(FlowTable.Busy::busy).average().orElse(0),
                      Line.fixed(before.stream().map(Minute::ofProcess).toList())));
              var machine = last.machineProcessors();
              if (machine != null) {
                found.add(
                    new Processing(
                        node,
                        true,
                        machine,
                        list.stream()
                            .mapToDouble(busy -> orZero(busy.machineBusy()))
                            .average()
                            .orElse(0),
                        Line.fixed(before.stream().map(Minute::ofMachine).toList())));
              }
            });
    return List.copyOf(found);
  }

  private record Minute(double perSecond, FlowTable.Busy busy) {
    Line.Point ofProcess() {
      return new Line.Point(perSecond, busy.busy());
    }

    Line.Point ofMachine() {
      return new Line.Point(perSecond, orZero(busy.machineBusy()));
    }
  }

  private static double orZero(@Nullable Double value) {
    return value == null ? 0 : value;
  }

  private static Map<String, List<FlowTable.Busy>> byNode(List<FlowTable.Busy> all) {
    var found = new TreeMap<String, List<FlowTable.Busy>>();
    all.forEach(busy -> found.computeIfAbsent(busy.node(), n -> new ArrayList<>()).add(busy));
    return found;
  }

  /** The hour up to a minute, as a short range has too few minutes that differ. */
  private Map<String, List<Minute>> past(Instant last) {
    var range = new Instant[] {last.minusSeconds((MINUTES_MAX - 1) * (long) MINUTE), last};
    var messages = new HashMap<Long, Double>();
    var now = Instant.now().getEpochSecond();
    for (var point :
        telemetry.points(
            List.of(Kind.COMMAND, Kind.QUERY, Kind.CONSUMER),
            range[0],
            last.plusSeconds(MINUTE),
            MINUTE)) {
      var seconds = Math.max(1, Math.min(MINUTE, now - point.at()));
      messages.merge(point.at(), (double) point.count() / seconds, Double::sum);
    }
    var found = new HashMap<String, List<Minute>>();
    byNode(flows.busy(range, MINUTE))
        .forEach(
            (node, list) ->
                found.put(
                    node,
                    list.stream()
                        .map(busy -> new Minute(messages.getOrDefault(busy.minute(), 0.0), busy))
                        .toList()));
    return found;
  }
}
