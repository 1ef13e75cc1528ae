package io.evento.server.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.Threads;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.setting.Setting;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What nobody hosts leaves the catalog, and no node takes it for what it was; on two nodes. */
class RemovalsTest {
  private static final Ownership.Asked ORDER =
      new Ownership.Asked("aggregate", "Order", "test", "the shop is closed", false);

  private final Threads threads = new Threads(Thread::new);
  private final Map<Setting, Integer> settings = new EnumMap<>(Setting.class);
  private TestDatabase where;
  private Database database;
  private Database another;
  private Catalog here;
  private Catalog there;
  private Removals removals;

  @BeforeEach
  void open() {
    where = PostgresFixture.shared().migrated();
    database = new Database(NodeConfig.of(where, "a"));
    another = new Database(NodeConfig.of(where, "b"));
    here = new Catalog(database, this::setting, threads);
    there = new Catalog(another, this::setting, threads);
    here.load();
    there.load();
    removals = new Removals(database, here, threads);
  }

  private int setting(Setting one) {
    return settings.getOrDefault(one, one.standard());
  }

  @AfterEach
  void close() {
    threads.stop();
    database.close();
    another.close();
    where.close();
  }

  @Test
  void a_component_that_nobody_hosts_goes_with_its_types_and_its_owner() {
    declare(here, "shop", order("PlaceOrder"));
    assertThat(removals.removeComponent(ORDER, () -> false).detail())
        .isEqualTo(
            "the aggregate Order of the bundle shop is removed with command PlaceOrder, event"
                + " OrderPlaced");
    assertThat(texts("select name from evento.component")).isEmpty();
    assertThat(texts("select name from evento.component_owner")).isEmpty();
    assertThat(texts("select type from evento.payload")).isEmpty();
    assertThat(
            texts(
                "select kind || ' ' || name || ' ' || action || ' ' || done_by || ' ' || reason"
                    + " from evento.component_history where action = 'remove' order by id"))
        .containsExactlyInAnyOrder(
            "aggregate Order remove test the shop is closed",
            "command PlaceOrder remove test the shop is closed",
            "event OrderPlaced remove test the shop is closed");
  }

  @Test
  void nothing_goes_while_it_is_hosted_and_a_dry_run_undoes_what_it_did() {
    declare(here, "shop", order("PlaceOrder"));
    assertThatThrownBy(() -> removals.removeComponent(ORDER, () -> true))
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.CONFLICT));
    var dry = new Ownership.Asked("aggregate", "Order", "test", null, true);
    assertThat(removals.removeComponent(dry, () -> false).dryRun()).isTrue();
    assertThat(texts("select type from evento.payload order by type"))
        .containsExactly("OrderPlaced", "PlaceOrder");
    assertThat(texts("select id from evento.component_history where action = 'remove'")).isEmpty();
  }

  @Test
  void a_type_goes_alone() {
    declare(here, "shop", order("PlaceOrder", "CancelOrder"));
    var asked = new Ownership.Asked("command", "CancelOrder", "test", null, false);
    assertThat(removals.removeType(asked, () -> false).detail())
        .isEqualTo("the command CancelOrder is removed");
    assertThat(texts("select type from evento.payload where kind = 'command'"))
        .containsExactly("PlaceOrder");
    assertThatThrownBy(() -> removals.removeType(asked, () -> false))
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.NOT_FOUND));
  }

  @Test
  void another_node_forgets_it_before_anybody_else_may_declare_it() throws Exception {
    declare(here, "shop", order("PlaceOrder"));
    assertThat(there.find(PayloadType.Kind.COMMAND, "PlaceOrder").toCompletableFuture().join())
        .isPresent();
    assertThat(there.command("PlaceOrder")).isNotNull();
    var told = new CopyOnWriteArrayList<String>();
    var beside = new Removals(another, there, threads);
    beside.onRemoved((kind, name) -> told.add(kind + " " + name));
    removals.removeComponent(ORDER, () -> false);
    assertThatThrownBy(() -> declare(there, "sales", sale()))
        .cause()
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> {
              assertThat(refused.code()).isEqualTo(ErrorCode.UNAVAILABLE);
              assertThat(refused.detail()).contains("command PlaceOrder was removed");
            });
    await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(() -> assertThat(there.command("PlaceOrder")).isNull());
    assertThat(told).contains("aggregate Order", "command PlaceOrder");
    // As if ten seconds were over.
    execute("update evento.component_history set at = at - interval '11 seconds'");
    declare(there, "sales", sale());
    assertThat(there.command("PlaceOrder")).extracting(PayloadType::component).isEqualTo("Sale");
  }

  @Test
  void a_bundle_has_so_many_components_and_types_and_another_one_its_own() {
    settings.put(Setting.DECLARED_COMPONENTS_MAX, 2);
    settings.put(Setting.DECLARED_TYPES_MAX, 4);
    declare(here, "shop", order("PlaceOrder"));
    assertOverloaded(
        () -> declare(here, "shop", component("A", "A1", "A2", "A3")), "declared.types-max");
    declare(here, "shop", component("B", "B1"));
    assertOverloaded(() -> declare(here, "shop", component("C")), "declared.components-max");
    assertThat(texts("select name from evento.component order by name"))
        .containsExactly("B", "Order");
    declare(here, "sales", component("C", "C1"));
  }

  private static void assertOverloaded(Runnable declare, String limit) {
    assertThatThrownBy(declare::run)
        .isInstanceOf(CompletionException.class)
        .cause()
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.OVERLOADED);
              assertThat(told.detail()).contains(limit);
            });
  }

  private static void declare(Catalog node, String bundle, Component... components) {
    node.declare(bundle, List.of(components), Optional.empty()).toCompletableFuture().join();
  }

  private static Component order(String... commands) {
    return component(ComponentKind.AGGREGATE, "Order", List.of(commands), List.of("OrderPlaced"));
  }

  private static Component sale() {
    return component(ComponentKind.AGGREGATE, "Sale", List.of("PlaceOrder"), List.of());
  }

  private static Component component(String name, String... commands) {
    return component(ComponentKind.SERVICE, name, List.of(commands), List.of());
  }

  private static Component component(
      ComponentKind kind, String name, List<String> commands, List<String> events) {
    return new Component(
        kind,
        name,
        0,
        "shop",
        commands.stream().map(type -> new CommandType(type, "id", null)).toList(),
        events.stream().map(type -> new EventType(type, null)).toList(),
        List.of(),
        null,
        null);
  }

  private List<String> texts(String query) {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement();
        var rows = statement.executeQuery(query)) {
      var found = new ArrayList<String>();
      while (rows.next()) {
        found.add(rows.getString(1));
      }
      return found;
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private void execute(String text) throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(text);
    }
  }
}
