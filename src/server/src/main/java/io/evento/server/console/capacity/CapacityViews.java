package io.evento.server.console.capacity;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.server.console.capacity.CapacityModel.Outlook;
import io.evento.server.console.capacity.CapacityModel.Stay;
import io.evento.server.console.capacity.FlowPaths.Hop;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the model says, as it is answered. Rates are a second, times milliseconds. */
final class CapacityViews {
  private static final int FLOWS_MAX = 200;

  /** More instances than this are not tried for a target. */
  private static final int INSTANCES_MAX = 32;

  private final CapacityReader.Reading reading;
  private final CapacityModel model;
  private final WhatIf whatIf;
  private final Outlook outlook;

  CapacityViews(CapacityReader.Reading reading, WhatIf whatIf) {
    this.reading = reading;
    this.whatIf = whatIf;
    model = new CapacityModel(reading.measured());
    outlook = model.outlook(whatIf);
  }

  /**
   * @param mean absent, with the others, where a queue grows without end
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record StayView(@Nullable Double mean, @Nullable Double p50, @Nullable Double p99) {
    static StayView of(Stay stay) {
      return new StayView(round(stay.mean()), round(stay.p50()), round(stay.p99()));
    }
  }

  /**
   * A step of a flow, with what follows.
   *
   * @param ratio of these for each that comes in
   * @param handler that handles it; absent for an event
   * @param isLongest whether it is on the way that takes longest
   * @param parts of its mean time, by what it is spent on
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record HopView(
      String kind,
      String type,
      @Nullable String handler,
      @Nullable String bundle,
      double ratio,
      double perSecond,
      @Nullable Double errorShare,
      boolean isLongest,
      @Nullable StayView now,
      @Nullable StayView then,
      @Nullable Map<String, Double> parts,
      List<HopView> next) {}

  /**
   * What becomes of all that comes in of one type.
   *
   * @param id {@code command/Deposit}
   * @param answer until the caller is answered
   * @param through until the last consumer is done, by the way that takes longest
   * @param parts of the mean of {@code through}
   * @param then the same as it would be
   */
  record FlowView(
      String id,
      String kind,
      String type,
      double perSecond,
      double errorShare,
      StayView answer,
      StayView through,
      Map<String, Double> parts,
      Set<String> bundles,
      HopView hop,
      ThenView then) {}

  record ThenView(double perSecond, StayView answer, StayView through) {}

  /**
   * Something that messages queue for.
   *
   * @param service mean time of one; of processors 0
   * @param waiting mean time in its queue; absent where that grows without end
   * @param headroom factor of what comes in until it saturates; absent where it never does
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record StationView(
      String kind,
      String name,
      @Nullable String bundle,
      int servers,
      double perSecond,
      double service,
      double scv,
      double utilisation,
      @Nullable Double waiting,
      @Nullable Double headroom) {
    static StationView of(Station one, double stretch) {
      return new StationView(
          one.kind(),
          one.name(),
          one.bundle(),
          one.servers(),
          one.perSecond(),
          one.service(),
          one.scv(),
          one.utilisation(),
          round(one.waiting(stretch)),
          round(one.headroom()));
    }
  }

  record StationsView(StationView now, StationView then) {}

  /**
   * @param instances that the target needs; absent if no number up to 32 would do
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record NeedView(String bundle, int connected, @Nullable Integer instances) {}

  /**
   * @param from begin of the first minute that was looked at
   * @param minutes so many were looked at
   * @param messages commands, queries and events of consumers
   * @param stretch how much longer everything would take as processors are busier
   * @param first what saturates first; absent if nothing was measured
   * @param headroom until then, as a factor of what would come in
   * @param needs for the target; empty without one
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record CapacityView(
      String from,
      String to,
      int minutes,
      double seconds,
      double messages,
      List<FlowView> flows,
      int left,
      List<StationsView> stations,
      double stretch,
      @Nullable StationView first,
      @Nullable Double headroom,
      Map<String, Integer> instances,
      List<NeedView> needs) {}

  CapacityView view(Instant from, Instant to) {
    var paths = new FlowPaths(model, outlook);
    var flows = new ArrayList<FlowView>();
    for (var entry : outlook.entries().entrySet()) {
      flows.add(flow(entry.getKey(), entry.getValue(), paths));
    }
    flows.sort(Comparator.comparing(FlowView::perSecond).reversed().thenComparing(FlowView::id));
    var stations = new ArrayList<StationsView>();
    for (var i = 0; i < outlook.wanted().size(); i++) {
      stations.add(
          new StationsView(
              StationView.of(outlook.stations().get(i), 1),
              StationView.of(outlook.wanted().get(i), outlook.stretch())));
    }
    stations.sort(Comparator.comparing((StationsView one) -> one.then().utilisation()).reversed());
    var first = outlook.bottleneck();
    return new CapacityView(
        from.toString(),
        to.toString(),
        reading.minutes(),
        reading.measured().seconds(),
        reading.measured().messages(),
        List.copyOf(flows.subList(0, Math.min(FLOWS_MAX, flows.size()))),
        Math.max(0, flows.size() - FLOWS_MAX),
        stations,
        outlook.stretch(),
        first == null ? null : StationView.of(first, outlook.stretch()),
        first == null ? null : round(first.headroom()),
        reading.measured().instances(),
        needs());
  }

  private FlowView flow(Traffic.Node entry, double then, FlowPaths paths) {
    var tree = paths.tree(entry);
    var path = FlowPaths.longest(tree);
    var parts = new LinkedHashMap<String, Double>();
    path.parts().forEach((part, mean) -> parts.put(part, Math.round(mean * 1_000) / 1_000.0));
    return new FlowView(
        entry.text(),
        entry.kind(),
        entry.type(),
        model.traffic().entries().getOrDefault(entry, 0.0),
        tree.handled() == null ? 0 : tree.handled().errorShare(),
        StayView.of(tree.now()),
        StayView.of(path.now()),
        parts,
        FlowPaths.bundles(tree),
        hop(tree, path),
        new ThenView(then, StayView.of(tree.then()), StayView.of(path.then())));
  }

  private HopView hop(Hop hop, FlowPaths.Path path) {
    var one = hop.handled();
    return new HopView(
        hop.node().kind(),
        hop.node().type(),
        one == null ? null : one.handler(),
        one == null ? null : one.bundle(),
        hop.ratio(),
        one == null ? 0 : one.perSecond(),
        one == null ? null : one.errorShare(),
        path.hops().contains(hop),
        one == null ? null : StayView.of(hop.now()),
        one == null ? null : StayView.of(hop.then()),
        one == null ? null : FlowPaths.parts(hop),
        hop.next().stream().map(next -> hop(next, path)).toList());
  }

  private List<NeedView> needs() {
    var target = whatIf.targetMillis();
    if (target == null) {
      return List.of();
    }
    var needs = new ArrayList<NeedView>();
    reading
        .measured()
        .instances()
        .forEach(
            (bundle, connected) -> {
              if (reading.measured().handlers().stream()
                  .anyMatch(one -> bundle.equals(one.bundle()))) {
                needs.add(new NeedView(bundle, connected, needed(bundle, target)));
              }
            });
    return needs;
  }

  /** More instances never make anything slower: so the middle of what is left is tried. */
  private @Nullable Integer needed(String bundle, double target) {
    if (slowest(bundle, INSTANCES_MAX) > target) {
      return null;
    }
    var least = 1;
    var enough = INSTANCES_MAX;
    while (least < enough) {
      var middle = (least + enough) / 2;
      if (slowest(bundle, middle) <= target) {
        enough = middle;
      } else {
        least = middle + 1;
      }
    }
    return enough;
  }

  /** What 99 of 100 answers of a bundle to what comes in would take, of the slowest type. */
  private double slowest(String bundle, int instances) {
    var with = model.outlook(whatIf.with(bundle, instances));
    return reading.measured().handlers().stream()
        .filter(one -> bundle.equals(one.bundle()))
        .filter(one -> with.entries().containsKey(Traffic.Node.of(one)))
        .mapToDouble(one -> CapacityModel.stay(one, with).p99())
        .max()
        .orElse(0);
  }

  private static @Nullable Double round(double value) {
    return Double.isInfinite(value) || Double.isNaN(value)
        ? null
        : Double.valueOf(Math.round(value * 1_000) / 1_000.0);
  }
}
