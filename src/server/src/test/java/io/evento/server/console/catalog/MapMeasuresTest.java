package io.evento.server.console.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.catalog.CatalogIndex;
import io.evento.server.catalog.CatalogMap;
import io.evento.server.catalog.CatalogMap.Edge;
import io.evento.server.catalog.CatalogMap.View;
import io.evento.server.console.catalog.MapMeasures.Measured;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.telemetry.TelemetryTable;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the edges of the map tell of what went along them. */
class MapMeasuresTest {
  private TestDatabase where;
  private Database database;
  private CatalogIndex index;
  private MapMeasures measures;

  @BeforeEach
  void open() throws SQLException {
    where = PostgresFixture.shared().migrated();
    database = new Database(NodeConfig.of(where, "a"));
    index = new CatalogIndex(database);
    measures = new MapMeasures(new TelemetryTable(database, NodeConfig.of(where, "a")));
    component(
        "aggregate",
        "Order",
        0,
        "shop",
        "\"commands\":[{\"type\":\"PlaceOrder\"},{\"type\":\"Forget\"}],\"events\":[{\"type\":\"OrderPlaced\"},{\"type\":\"Shared\"}]");
    component("aggregate", "Cart", 0, "shop", "\"events\":[{\"type\":\"Shared\"}]");
    component(
        "projector",
        "orders",
        1,
        "mail",
        "\"consumes\":{\"contexts\":[],\"types\":[\"OrderPlaced\"],\"start\":\"beginning\",\"segments\":1}");
    component(
        "projector",
        "orders",
        2,
        "mail",
        "\"consumes\":{\"contexts\":[],\"types\":[\"OrderPlaced\"],\"start\":\"beginning\",\"segments\":1}");
    execute(
        "insert into evento.payload (kind, type, component_kind, component, context) values"
            + " ('command', 'PlaceOrder', 'aggregate', 'Order', 'x'), ('command', 'Forget',"
            + " 'aggregate', 'Order', 'x'), ('event', 'OrderPlaced', 'aggregate', 'Order', 'x'),"
            + " ('event', 'Shared', 'aggregate', 'Order', 'x')");
  }

  @AfterEach
  void close() {
    database.close();
    where.close();
  }

  private void component(String kind, String name, int version, String bundle, String rest)
      throws SQLException {
    execute(
        "insert into evento.component (kind, name, version, context, bundle, definition) values"
            + " ('%1$s', '%2$s', %3$s, 'x', '%4$s', '{\"kind\":\"%1$s\",\"name\":\"%2$s\",\"version\":%3$s,\"context\":\"x\",%5$s}')"
                .formatted(kind, name, version, bundle, rest));
  }

  /** What was measured a few minutes or days ago. */
  private void measured(
      String kind, String handler, String type, int count, String errors, String ago)
      throws SQLException {
    execute(
        "insert into evento.telemetry_minute (minute, node, process, kind, handler, type, count,"
            + " errors) values (date_trunc('minute', now() - interval '%s'), 'a', gen_random_uuid(),"
                .formatted(ago)
            + " '%s', '%s', '%s', %s, '%s')".formatted(kind, handler, type, count, errors));
  }

  private void execute(String statement) throws SQLException {
    try (var admin = where.asAdmin();
        var running = admin.createStatement()) {
      running.execute(statement);
    }
  }

  private Map<String, Measured> of(View view) {
    return measures.of(index.picture(), view).entrySet().stream()
        .collect(Collectors.toMap(one -> ends(one.getKey()), Map.Entry::getValue));
  }

  private static String ends(Edge edge) {
    return edge.from() + " > " + edge.to();
  }

  @Test
  void commands_are_told_at_their_handler_and_events_at_each_consumer_in_all_versions()
      throws SQLException {
    measured("command", "Order", "PlaceOrder", 90, "{\"rejected\":9}", "2 minutes");
    measured("command", "Order", "PlaceOrder", 90, "{}", "5 minutes");
    measured("command", "Order", "PlaceOrder", 900, "{}", "3 days");
    measured("append", "", "OrderPlaced", 900, "{}", "2 minutes");
    measured("consumer", "orders:1", "OrderPlaced", 900, "{}", "2 minutes");
    measured("consumer", "orders:2", "OrderPlaced", 900, "{\"x\":90}", "2 minutes");

    var found = of(CatalogMap.bundle(index.picture(), "shop"));

    assertThat(found)
        .containsEntry("command/PlaceOrder > aggregate/Order", new Measured(0.2, 0.05, true))
        .containsEntry("command/Forget > aggregate/Order", new Measured(0, 0, false))
        .containsEntry("aggregate/Order > event/OrderPlaced", new Measured(1, 0, true))
        .containsEntry("event/OrderPlaced > bundle/mail", new Measured(2, 0.05, true));
    assertThat(of(CatalogMap.bundles(index.picture())))
        .containsEntry("bundle/shop > bundle/mail", new Measured(2, 0.05, true));
  }

  @Test
  void what_was_seen_days_ago_is_seen_and_has_no_rate() throws SQLException {
    measured("command", "Order", "Forget", 5, "{}", "3 days");

    assertThat(of(CatalogMap.focus(index.picture(), "aggregate", "Order", 1)))
        .containsEntry("command/Forget > aggregate/Order", new Measured(0, 0, true));
  }

  @Test
  void an_event_that_two_emit_is_told_of_neither() throws SQLException {
    measured("append", "", "Shared", 9, "{}", "2 minutes");

    assertThat(of(CatalogMap.bundle(index.picture(), "shop")))
        .doesNotContainKeys("aggregate/Order > event/Shared", "aggregate/Cart > event/Shared");
  }

  @Test
  void what_may_be_among_that_which_was_not_kept_apart_is_not_called_unseen() throws SQLException {
    measured("command", "", "other", 5, "{}", "2 minutes");

    assertThat(of(CatalogMap.focus(index.picture(), "aggregate", "Order", 1)))
        .doesNotContainKey("command/Forget > aggregate/Order")
        .containsEntry("event/OrderPlaced > projector/orders", new Measured(0, 0, false));
  }
}
