package io.evento.server.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.server.catalog.CatalogMap.Box;
import io.evento.server.catalog.CatalogMap.Edge;
import io.evento.server.catalog.CatalogPicture.Declared;
import io.evento.server.catalog.CatalogPicture.TypeLine;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CatalogMapTest {
  private static final OffsetDateTime NOW = OffsetDateTime.parse("2026-11-30T12:00:00Z");

  private final List<TypeLine> types = new ArrayList<>();
  private final List<Declared> components = new ArrayList<>();

  @Test
  void around_an_event_are_who_emits_it_what_made_it_and_who_is_given_it() {
    aggregate("shop", "Order", List.of("PlaceOrder"), List.of("OrderPlaced", "OrderShipped"));
    consumer("shop", ComponentKind.PROJECTOR, "orders", List.of("OrderPlaced"));
    consumer("mail", ComponentKind.OBSERVER, "letters", List.of("OrderShipped"));

    var view = CatalogMap.focus(picture(), "event", "OrderPlaced", 1);

    assertThat(view.boxes())
        .extracting(Box::id)
        .containsExactlyInAnyOrder(
            "event/OrderPlaced", "aggregate/Order", "command/PlaceOrder", "projector/orders");
    assertThat(view.edges())
        .containsExactlyInAnyOrder(
            new Edge("command/PlaceOrder", "aggregate/Order", "command", 1),
            new Edge("aggregate/Order", "event/OrderPlaced", "event", 1),
            new Edge("event/OrderPlaced", "projector/orders", "event", 1));
  }

  @Test
  void bundles_are_tied_by_what_one_emits_and_another_is_given() {
    aggregate("shop", "Order", List.of("PlaceOrder"), List.of("OrderPlaced", "OrderShipped"));
    consumer("mail", ComponentKind.OBSERVER, "letters", List.of("OrderPlaced", "OrderShipped"));

    var view = CatalogMap.bundles(picture());

    assertThat(view.boxes()).extracting(Box::name).containsExactly("mail", "shop");
    assertThat(view.edges()).containsExactly(new Edge("bundle/shop", "bundle/mail", "event", 2));
  }

  @Test
  void of_a_bundle_its_components_are_shown_and_others_are_one_box_each() {
    aggregate("shop", "Order", List.of("PlaceOrder"), List.of("OrderPlaced"));
    consumer("mail", ComponentKind.OBSERVER, "letters", List.of("OrderPlaced"));
    consumer("mail", ComponentKind.OBSERVER, "faxes", List.of("OrderPlaced"));

    var view = CatalogMap.bundle(picture(), "shop");

    assertThat(view.boxes())
        .extracting(Box::id)
        .containsExactlyInAnyOrder(
            "aggregate/Order", "command/PlaceOrder", "event/OrderPlaced", "bundle/mail");
    assertThat(view.edges()).contains(new Edge("event/OrderPlaced", "bundle/mail", "event", 1));
  }

  @Test
  void more_than_twelve_types_of_a_kind_fold_into_one_box() {
    var many = IntStream.range(0, 38).mapToObj(number -> "Event" + number).toList();
    aggregate("shop", "Order", List.of("PlaceOrder"), many);

    var view = CatalogMap.bundle(picture(), "shop");

    assertThat(view.boxes())
        .extracting(Box::id, Box::types)
        .contains(tuple("fold/aggregate/Order/out-event", 38));
    assertThat(view.boxes()).hasSize(3);
  }

  @Test
  void never_are_there_more_than_150_boxes_and_what_has_no_room_is_counted() {
    IntStream.range(0, 400)
        .forEach(
            number ->
                aggregate(
                    "shop",
                    "Order" + number,
                    List.of("Place" + number),
                    List.of("Placed" + number)));

    var view = CatalogMap.bundle(picture(), "shop");

    assertThat(view.boxes()).hasSize(CatalogMap.BOXES_MAX);
    assertThat(view.left()).isPositive();
  }

  private CatalogPicture picture() {
    return new CatalogPicture(types, components);
  }

  private void aggregate(String bundle, String name, List<String> commands, List<String> events) {
    commands.forEach(type -> types.add(line("command", type, "aggregate", name)));
    events.forEach(type -> types.add(line("event", type, "aggregate", name)));
    components.add(
        new Declared(
            bundle,
            NOW,
            new Component(
                ComponentKind.AGGREGATE,
                name,
                0,
                "shop",
                commands.stream().map(type -> new CommandType(type, "id", null)).toList(),
                events.stream().map(type -> new EventType(type, null)).toList(),
                List.of(),
                null,
                null)));
  }

  private void consumer(String bundle, ComponentKind kind, String name, List<String> events) {
    components.add(
        new Declared(
            bundle,
            NOW,
            new Component(
                kind,
                name,
                1,
                "shop",
                List.of(),
                events.stream().map(type -> new EventType(type, null)).toList(),
                List.of(),
                new Consumption(List.of("shop"), events, "beginning", 1),
                null)));
  }

  private static TypeLine line(String kind, String type, String componentKind, String component) {
    return new TypeLine(kind, type, 1, componentKind, component, "shop", NOW, false);
  }
}
