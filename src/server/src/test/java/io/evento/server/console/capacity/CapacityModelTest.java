package io.evento.server.console.capacity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.evento.protocol.EventoException;
import io.evento.server.console.capacity.CapacityModel.Stay;
import io.evento.server.console.capacity.Measured.Handled;
import io.evento.server.console.capacity.Measured.Processing;
import io.evento.server.console.capacity.Traffic.Node;
import io.evento.server.telemetry.FlowTable.Led;
import io.evento.server.telemetry.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * A shop: 100 orders a second come in, each is one event, a saga books upon each of them, 20
 * bookings a second come in by themselves; 50 questions a second.
 */
class CapacityModelTest {
  private static final Node ORDER = Node.of("command", "Order");
  private static final Node BOOK = Node.of("command", "Book");
  private static final Node ASK = Node.of("query", "Ask");

  private static Spread spread(double mean) {
    return new Spread(1_000, mean, 1, mean * Math.log(2), mean * Math.log(100));
  }

  private static Handled handled(
      Kind kind,
      String handler,
      String type,
      double perSecond,
      @Nullable Spread total,
      @Nullable Spread queue,
      @Nullable Spread work,
      @Nullable Spread commit) {
    return new Handled(
        kind,
        handler,
        type,
        kind == Kind.APPEND ? null : "shop",
        perSecond,
        0,
        total,
        queue,
        work,
        commit);
  }

  private static Measured shop(double busy, double fixed) {
    return new Measured(
        60,
        List.of(
            handled(Kind.COMMAND, "Shop", "Order", 100, spread(7), spread(1), spread(3), spread(2)),
            handled(
                Kind.COMMAND, "Ledger", "Book", 120, spread(5), spread(0.1), spread(2), spread(2)),
            handled(Kind.QUERY, "Orders", "Ask", 50, spread(2), null, spread(1), null),
            handled(Kind.APPEND, "", "Ordered", 100, null, null, null, null),
            handled(Kind.APPEND, "", "Booked", 120, null, null, null, null),
            handled(
                Kind.CONSUMER,
                "booking:1",
                "Ordered",
                100,
                spread(8),
                spread(5),
                spread(3),
                spread(2)),
            handled(
                Kind.CONSUMER, "orders:1", "Ordered", 100, spread(6), spread(4), spread(2), null)),
        List.of(
            new Led("emits", "Order", "", "Ordered", 6_000),
            new Led("emits", "Book", "", "Booked", 7_200),
            new Led("sends", "booking:1", "Ordered", "Book", 6_000)),
        Map.of("shop", 2),
        Map.of("booking:1", 4, "orders:1", 4),
        List.of(new Processing("node-1", true, 4, busy, fixed)));
  }

  private static WhatIf all(double factor) {
    return WhatIf.of(factor, List.of(), List.of(), null, null);
  }

  private static Handled order(CapacityModel model) {
    return model.measured().handlers().get(0);
  }

  @Test
  void what_a_saga_sends_is_no_entry_and_the_rest_is() {
    var traffic = new Traffic(shop(1, 0));
    assertThat(traffic.entries().keySet()).containsExactlyInAnyOrder(ORDER, BOOK, ASK);
    assertThat(traffic.entries().get(ORDER)).isCloseTo(100, within(1e-9));
    assertThat(traffic.entries().get(BOOK)).isCloseTo(20, within(1e-9));
  }

  @Test
  void more_of_one_entry_is_more_of_all_that_it_leads_to_and_of_nothing_else() {
    var model = new CapacityModel(shop(1, 0));
    var rates =
        model.outlook(WhatIf.of(1, List.of("command/Order:x3"), List.of(), null, null)).rates();
    assertThat(rates.get(ORDER)).isCloseTo(300, within(1e-6));
    assertThat(rates.get(BOOK)).isCloseTo(320, within(1e-6));
    assertThat(rates.get(new Node("consumer", "orders:1", "Ordered"))).isCloseTo(300, within(1e-6));
    assertThat(rates.get(ASK)).isCloseTo(50, within(1e-6));
    var typed =
        model.outlook(WhatIf.of(2, List.of("command/Book:7"), List.of(), null, null)).entries();
    assertThat(typed.get(BOOK)).isCloseTo(7, within(1e-9));
    assertThat(typed.get(ORDER)).isCloseTo(200, within(1e-9));
  }

  @Test
  void the_forecast_for_what_comes_in_now_is_what_was_measured() {
    var model = new CapacityModel(shop(2, 0.5));
    var now = model.outlook(all(1));
    for (var one : model.measured().handlers()) {
      var stay = CapacityModel.stay(one, now);
      assertThat(stay.mean()).isCloseTo(CapacityModel.stay(one).mean(), within(1e-6));
      assertThat(stay.p99()).isCloseTo(CapacityModel.stay(one).p99(), within(1e-6));
    }
    assertThat(now.stretch()).isCloseTo(1, within(1e-9));
  }

  @Test
  void processors_saturate_by_what_messages_cost_and_not_by_what_they_do_anyway() {
    var first =
        Objects.requireNonNull(new CapacityModel(shop(2.5, 0.5)).outlook(all(1)).bottleneck());
    assertThat(first.kind()).isEqualTo("machine");
    // Of four cores half a one is fixed, and two are for what comes in: 3.5 / 2.
    assertThat(first.headroom()).isCloseTo(1.75, within(1e-9));
    var twice = new CapacityModel(shop(2.5, 0.5)).outlook(all(2));
    assertThat(CapacityModel.stay(order(new CapacityModel(shop(2.5, 0.5))), twice).p99())
        .isInfinite();
  }

  @Test
  void more_cores_move_the_bottleneck_to_the_streams_that_are_waited_for() {
    var model = new CapacityModel(shop(2.5, 0.5));
    var first =
        Objects.requireNonNull(
            model.outlook(WhatIf.of(1, List.of(), List.of(), 1_000, null)).bottleneck());
    assertThat(first.kind()).isEqualTo("streams");
    assertThat(first.name()).isEqualTo("Shop");
    // A wait of 1 ms for 5 ms of work, of two phases that are exponential each.
    var scv = (9 + 4) / 25.0;
    var busy = 1 / (1 + 5 * (1 + scv) / 2);
    assertThat(first.headroom()).isCloseTo(1 / busy, within(1e-6));
  }

  @Test
  void the_nearer_to_saturation_the_longer_everything_takes() {
    var model = new CapacityModel(shop(1, 0));
    var last = CapacityModel.stay(order(model), model.outlook(all(1)));
    for (var factor : new double[] {1.5, 2, 2.5, 3, 3.5}) {
      var stay = CapacityModel.stay(order(model), model.outlook(all(factor)));
      assertThat(stay.mean()).as("×" + factor).isGreaterThan(last.mean());
      assertThat(stay.p99()).as("×" + factor).isGreaterThan(last.p99());
      last = stay;
    }
  }

  @Test
  void a_consumer_has_as_many_queues_as_segments() {
    var stations = new CapacityModel(shop(1, 0)).outlook(all(2));
    var now = station(stations.stations(), "booking:1");
    // 25 a second in each segment, 5 ms from its handing over to its commit.
    assertThat(now.servers()).isEqualTo(4);
    assertThat(now.utilisation()).isCloseTo(0.125 / 1.125, within(1e-9));
    assertThat(station(stations.wanted(), "booking:1").utilisation())
        .isCloseTo(2 * 0.125 / 1.125, within(1e-9));
  }

  private static Station station(List<Station> stations, String name) {
    return stations.stream().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void instances_are_threads() {
    var model = new CapacityModel(shop(1, 0));
    var four = model.outlook(WhatIf.of(1, List.of(), List.of("shop:4"), null, null));
    assertThat(station(four.stations(), "shop commands").servers()).isEqualTo(128);
    assertThat(station(four.wanted(), "shop commands").servers()).isEqualTo(256);
    // 100 × 3 ms and 120 × 2 ms in 128 threads.
    assertThat(station(four.stations(), "shop commands").utilisation())
        .isCloseTo(0.54 / 128, within(1e-9));
  }

  @Test
  void the_longest_way_of_a_flow_leads_through_the_saga_to_its_commands() {
    var model = new CapacityModel(shop(1, 0));
    var tree = new FlowPaths(model, model.outlook(all(1))).tree(ORDER);
    var path = FlowPaths.longest(tree);
    assertThat(path.hops().stream().map(hop -> hop.node().text()))
        .containsExactly(
            "command/Order",
            "event/Ordered",
            "consumer/booking:1/Ordered",
            "command/Book",
            "event/Booked");
    // 7 ms, 8 and 2 for the store, 5.
    assertThat(path.now().mean()).isCloseTo(22, within(1e-9));
    assertThat(path.parts())
        .containsEntry("queue", 1.1)
        .containsEntry("handler", 8.0)
        .containsEntry("commit", 6.0)
        .containsEntry("lag", 5.0);
    assertThat(path.parts().values().stream().mapToDouble(part -> part).sum())
        .isCloseTo(22, within(1e-9));
    assertThat(FlowPaths.bundles(tree)).containsExactly("shop");
  }

  @Test
  void an_outcome_follows_the_command_of_whoever_hears_it_and_no_other_of_its_type() {
    var shop = shop(1, 0);
    var handlers = new ArrayList<>(shop.handlers());
    handlers.add(handled(Kind.CONSUMER, "booking:1", "Book", 50, null, null, spread(1), spread(1)));
    var model =
        new CapacityModel(
            new Measured(
                shop.seconds(),
                handlers,
                shop.led(),
                shop.instances(),
                shop.segments(),
                shop.processors()));
    var heard = new Node("consumer", "booking:1", "Book");
    var outlook = model.outlook(WhatIf.of(1, List.of("command/Book:x9"), List.of(), null, null));
    assertThat(outlook.rates().get(heard)).isCloseTo(50, within(1e-6));
    var paths = new FlowPaths(model, outlook);
    assertThat(FlowPaths.longest(paths.tree(ORDER)).hops().get(4).node()).isEqualTo(heard);
    assertThat(FlowPaths.longest(paths.tree(ORDER)).hops().get(4).ratio())
        .isCloseTo(0.5, within(1e-9));
    assertThat(FlowPaths.longest(paths.tree(BOOK)).hops())
        .noneMatch(hop -> hop.node().equals(heard));
  }

  @Test
  void sagas_that_cause_each_other_come_to_an_end() {
    var round =
        new Measured(
            60,
            List.of(
                handled(Kind.COMMAND, "A", "Ping", 10, spread(1), null, spread(1), null),
                handled(Kind.APPEND, "", "Pinged", 10, null, null, null, null),
                handled(Kind.CONSUMER, "again:1", "Pinged", 10, spread(1), null, spread(1), null)),
            List.of(
                new Led("emits", "Ping", "", "Pinged", 600),
                new Led("sends", "again:1", "Pinged", "Ping", 300)),
            Map.of(),
            Map.of(),
            List.of());
    var model = new CapacityModel(round);
    var outlook = model.outlook(all(2));
    assertThat(outlook.rates().get(Node.of("command", "Ping"))).isCloseTo(20, within(0.01));
    assertThat(FlowPaths.longest(new FlowPaths(model, outlook).tree(Node.of("command", "Ping"))))
        .isNotNull();
  }

  @Test
  void slow_ones_do_not_all_come_together() {
    var both = new Stay(10, 8, 40).then(new Stay(10, 8, 50));
    assertThat(both.mean()).isEqualTo(20);
    assertThat(both.p99()).isCloseTo(20 + Math.hypot(30, 40), within(1e-9));
  }

  @Test
  void what_is_assumed_has_limits() {
    for (var wrong :
        List.of("command/Order", "command/Order:", "command/Order:fast", ":3", "a:-1", "a:x1001")) {
      assertThatThrownBy(() -> WhatIf.of(1, List.of(wrong), List.of(), null, null))
          .isInstanceOf(EventoException.class);
    }
    assertThatThrownBy(() -> WhatIf.of(1, List.of(), List.of("shop:0"), null, null))
        .isInstanceOf(EventoException.class);
    assertThatThrownBy(() -> WhatIf.of(1, List.of(), List.of("shop:1.5"), null, null))
        .isInstanceOf(EventoException.class);
    assertThatThrownBy(() -> WhatIf.of(Double.NaN, List.of(), List.of(), null, null))
        .isInstanceOf(EventoException.class);
    assertThatThrownBy(() -> WhatIf.of(1, List.of(), List.of(), 0, null))
        .isInstanceOf(EventoException.class);
    assertThatThrownBy(() -> WhatIf.of(1, List.of(), List.of(), null, 0.0))
        .isInstanceOf(EventoException.class);
  }
}
