package io.evento.server.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.Threads;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.setting.Setting;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** To which bundle a component belongs, on a real database. */
class ComponentOwnerTest {
  private final Threads threads = new Threads(Thread::new);
  private TestDatabase where;
  private Database database;
  private Catalog catalog;
  private Ownership ownership;

  @BeforeEach
  void open() {
    where = PostgresFixture.shared().migrated();
    database = new Database(NodeConfig.of(where, "a"));
    catalog = new Catalog(database, Setting::standard, threads);
    ownership = new Ownership(database);
  }

  @AfterEach
  void close() {
    threads.stop();
    database.close();
    where.close();
  }

  @ParameterizedTest
  @CsvSource({
    "aggregate,aggregate",
    "boundary,boundary",
    "aggregate,boundary",
    "boundary,aggregate",
    "service,service",
    "projection,projection"
  })
  void a_component_belongs_to_the_bundle_that_declared_it_first(String first, String then) {
    declare("ticketing", component(first, "Show", "ticketing", "ScheduleShow"));
    assertConflict(
        "thief",
        component(then, "Show", "ticketing", "StealShow"),
        "the " + then + " Show belongs to the bundle ticketing: thief has to use another name");
    declare("ticketing", component(first, "Show", "ticketing", "ScheduleShow"));
    assertThat(texts("select bundle || ' ' || context from evento.component"))
        .containsExactly("ticketing ticketing");
    assertThat(texts("select type from evento.payload where kind = 'command'"))
        .doesNotContain("StealShow");
  }

  @Test
  void a_consumer_belongs_to_one_bundle_in_all_its_versions() {
    declare("ticketing", projector(1, "a"));
    declare("ticketing", projector(2, "b"));
    assertConflict("thief", projector(3, "a"), "the projector shows belongs to");
  }

  @Test
  void of_what_a_stranger_declares_nothing_is_kept_if_one_component_is_not_his() {
    declare("ticketing", component("aggregate", "Show", "t", "ScheduleShow"));
    assertThatThrownBy(
            () ->
                declare(
                    "thief",
                    component("aggregate", "Own", "t", "DoOwn"),
                    component("aggregate", "Show", "t", "ScheduleShow")))
        .isInstanceOf(CompletionException.class);
    assertThat(texts("select name from evento.component")).containsExactly("Show");
    assertThat(texts("select name from evento.component_owner")).containsExactly("Show");
  }

  @Test
  void of_two_bundles_that_declare_a_component_at_once_on_two_nodes_one_wins() throws Exception {
    var other = new Database(NodeConfig.of(where, "b"));
    try {
      for (var round = 0; round < 20; round++) {
        var name = "Show" + round;
        var begin = new CountDownLatch(1);
        var won = new ArrayList<String>();
        var running = new ArrayList<Thread>();
        for (var bundle : List.of("one", "two")) {
          var node =
              new Catalog(bundle.equals("one") ? database : other, Setting::standard, threads);
          var thread =
              new Thread(
                  () -> {
                    try {
                      begin.await(10, TimeUnit.SECONDS);
                      node.declare(
                              bundle,
                              List.of(component("aggregate", name, bundle, "Do" + bundle + name)),
                              Optional.empty())
                          .toCompletableFuture()
                          .join();
                      synchronized (won) {
                        won.add(bundle);
                      }
                    } catch (InterruptedException | CompletionException refused) {
                      // The other one has it.
                    }
                  });
          thread.start();
          running.add(thread);
        }
        begin.countDown();
        for (var thread : running) {
          thread.join();
        }
        assertThat(won).as("who has %s", name).hasSize(1);
        assertThat(texts("select bundle from evento.component where name = '" + name + "'"))
            .containsExactlyElementsOf(won);
        assertThat(texts("select bundle from evento.component_owner where name = '" + name + "'"))
            .containsExactlyElementsOf(won);
      }
    } finally {
      other.close();
    }
  }

  @Test
  void another_context_is_refused_until_an_operator_allows_it() {
    declare("shop", component("aggregate", "Order", "shop", "PlaceOrder"));
    assertConflict(
        "shop",
        component("aggregate", "Order", "sales", "PlaceOrder"),
        "the aggregate Order is declared in context shop and not in sales");
    assertThat(allow(true, "shop", "sales").contexts()).containsExactly("sales", "shop");
    assertConflict(
        "shop", component("aggregate", "Order", "sales", "PlaceOrder"), "is declared in context");
    allow(false, "shop", "sales");
    declare("shop", component("aggregate", "Order", "sales", "PlaceOrder"));
    declare("shop", component("aggregate", "Order", "shop", "PlaceOrder")); // one of before
    allow(false, "sales");
    assertConflict(
        "shop", component("aggregate", "Order", "shop", "PlaceOrder"), "is declared in context");
    declare("shop", component("aggregate", "Order", "sales", "PlaceOrder"));
  }

  @Test
  void a_consumer_may_read_other_contexts_than_before() {
    declare("shop", projector(1, "a"));
    declare("shop", projector(1, "b"));
    assertThatThrownBy(
            () ->
                ownership.allow(
                    new Ownership.Asked("projector", "shows", "test", null, false), List.of("c")))
        .hasMessageContaining("any context");
  }

  @Test
  void an_operator_hands_a_component_over_and_the_history_tells_of_it() {
    var order = component("aggregate", "Order", "shop", "PlaceOrder");
    declare("shop", order);
    assertThatThrownBy(() -> handOver("sales", "shop", false))
        .hasMessageContaining("an instance of the bundle shop hosts the aggregate Order");
    assertThat(handOver("sales", null, true).detail())
        .isEqualTo("the aggregate Order belongs to the bundle sales, and to shop no more");
    assertConflict("sales", order, "belongs to the bundle shop");
    handOver("sales", null, false);
    assertConflict("shop", order, "belongs to the bundle sales");
    declare("sales", order);
    handOver(null, null, false);
    declare("billing", order);
    assertConflict("sales", order, "belongs to the bundle billing");

    var history = ownership.history("aggregate", "Order", Long.MAX_VALUE, 100);
    assertThat(history)
        .extracting(change -> change.action() + " " + change.bundle() + " " + change.by())
        .containsExactly(
            "declare billing bundle",
            "owner null test",
            "declare sales bundle",
            "owner sales test",
            "declare shop bundle");
    assertThat(history.get(0).definition()).contains("PlaceOrder");
    assertThat(history.get(0).detail())
        .isEqualTo("is declared otherwise than by bundle sales in context shop");
    assertThat(ownership.history("aggregate", "Order", history.get(2).id(), 1))
        .extracting(Ownership.Change::action)
        .containsExactly("owner");
  }

  @Test
  void what_nobody_declared_cannot_be_handed_over() {
    assertThatThrownBy(() -> handOver("sales", null, false))
        .isInstanceOfSatisfying(
            EventoException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NOT_FOUND));
  }

  @Test
  void releases_that_declare_by_turns_fill_no_history() {
    var old = component("aggregate", "Order", "shop", "PlaceOrder");
    var young = component("aggregate", "Order", "shop", "PlaceOrder", "CancelOrder");
    for (var turn = 0; turn < 5; turn++) {
      declare("shop", old);
      declare("shop", young);
    }
    assertThat(ownership.history("aggregate", "Order", Long.MAX_VALUE, 100)).hasSize(2);
  }

  @Test
  void what_an_older_node_declares_belongs_to_whoever_declared_it_there() throws SQLException {
    execute(
        "insert into evento.component (kind, name, version, context, bundle, definition)"
            + " values ('aggregate', 'Show', 0, 'ticketing', 'ticketing', '{}')");
    assertConflict(
        "thief",
        component("aggregate", "Show", "ticketing", "StealShow"),
        "belongs to the bundle ticketing");
  }

  @Test
  void a_catalog_of_before_keeps_its_owners_and_contexts() throws Exception {
    execute("truncate evento.component_owner, evento.component_history, evento.component");
    execute(
        """
        insert into evento.component (kind, name, version, context, bundle, definition) values
          ('aggregate', 'Show', 0, 'ticketing', 'ticketing', '{}'),
          ('boundary', 'Seats', 0, 'seats', 'ticketing', '{}'),
          ('projector', 'shows', 1, 'default', 'ticketing', '{}')
        """);
    String migration;
    try (var file =
        Catalog.class.getResourceAsStream("/db/migration/V13__owners_of_components.sql")) {
      assertThat(file).isNotNull();
      migration = new String(file.readAllBytes(), StandardCharsets.UTF_8);
    }
    for (var statement : migration.split(";\\s*\n")) {
      if (statement.contains("INSERT INTO")) {
        execute(statement.substring(statement.indexOf("INSERT INTO")));
      }
    }
    assertThat(
            texts(
                "select kind || ' ' || name || ' ' || bundle || ' ' || contexts::text"
                    + " from evento.component_owner order by name"))
        .containsExactlyInAnyOrder(
            "aggregate Show ticketing {ticketing}",
            "aggregate Seats ticketing {seats}",
            "projector shows ticketing {}");
    assertConflict(
        "thief", component("boundary", "Seats", "seats", "StealSeat"), "belongs to the bundle");
    assertThat(ownership.history("boundary", "Seats", Long.MAX_VALUE, 10)).hasSize(1);
  }

  private Ownership.Done handOver(@Nullable String to, @Nullable String hosted, boolean dryRun) {
    return ownership.handOver(
        new Ownership.Asked("aggregate", "Order", "test", "merger", dryRun),
        to,
        bundle -> bundle.equals(hosted));
  }

  private Ownership.Done allow(boolean dryRun, String... contexts) {
    return ownership.allow(
        new Ownership.Asked("aggregate", "Order", "test", null, dryRun), List.of(contexts));
  }

  private void declare(String bundle, Component... components) {
    catalog.declare(bundle, List.of(components), Optional.empty()).toCompletableFuture().join();
  }

  private void assertConflict(String bundle, Component component, String why) {
    assertThatThrownBy(() -> declare(bundle, component))
        .cause()
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> {
              assertThat(refused.code()).isEqualTo(ErrorCode.DECLARATION_CONFLICT);
              assertThat(refused.detail()).contains(why);
            });
  }

  private static Component component(String kind, String name, String context, String... commands) {
    var takesCommands = !kind.equals("projection");
    return new Component(
        ComponentKind.of(kind),
        name,
        0,
        context,
        takesCommands
            ? List.of(commands).stream()
                .map(type -> new CommandType(type, "id", new Json("{}")))
                .toList()
            : List.of(),
        List.of(),
        List.of(),
        null,
        null);
  }

  private static Component projector(int version, String context) {
    return new Component(
        ComponentKind.PROJECTOR,
        "shows",
        version,
        context,
        List.of(),
        List.of(new EventType("ShowScheduled", 1, null)),
        List.of(),
        new Consumption(List.of(context), List.of(), "beginning", 1),
        null);
  }

  private void execute(String text) throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(text);
    }
  }

  private List<String> texts(String query) {
    try (var admin = where.asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery(query)) {
      var found = new ArrayList<String>();
      while (row.next()) {
        found.add(row.getString(1));
      }
      return found;
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }
}
