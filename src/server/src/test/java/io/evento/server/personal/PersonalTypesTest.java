package io.evento.server.personal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.setting.Setting;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which types nobody may send over HTTP, whichever node they were declared at. */
class PersonalTypesTest {
  private static final Json PLAIN = new Json("{\"type\":\"object\"}");
  private static final Json PERSONAL =
      new Json("{\"properties\":{\"name\":{\"x-evento-personal\":{\"subject\":\"/id\"}}}}");

  private final Threads threads = new Threads(Thread::new);
  private TestDatabase where;
  private Database database;

  @BeforeEach
  void open() {
    where = PostgresFixture.shared().migrated();
    database = new Database(NodeConfig.of(where, "a"));
  }

  @AfterEach
  void close() {
    threads.stop();
    database.close();
    where.close();
  }

  private void declare(String context, Json command, Json event) {
    declare("Account", context, List.of(new CommandType("Open", "id", command)), event);
  }

  private void declare(String aggregate, String context, List<CommandType> commands, Json event) {
    StoreNode.await(
        new Catalog(database, Setting::standard, threads)
            .declare(
                "bank",
                List.of(
                    new Component(
                        ComponentKind.AGGREGATE,
                        aggregate,
                        0,
                        context,
                        commands,
                        List.of(new EventType("Opened", event)),
                        List.of(),
                        null,
                        null)),
                Optional.empty()));
  }

  @Test
  void a_type_that_has_become_personal_is_refused_at_every_node() {
    declare("bank", PLAIN, PLAIN);
    var types = new PersonalTypes(new Catalog(database, Setting::standard, threads), threads);
    var events =
        List.of(new NewEvent("Noted", List.of(), PLAIN), new NewEvent("Opened", List.of(), PLAIN));
    types.start();
    assertThatCode(() -> types.refuseCommand("Open")).doesNotThrowAnyException();
    assertThatCode(() -> types.refuseEvents("bank", events)).doesNotThrowAnyException();
    declare("bank", PERSONAL, PERSONAL);
    await("it is heard of")
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(
            () ->
                assertThatThrownBy(() -> types.refuseCommand("Open"))
                    .isInstanceOf(EventoException.class)
                    .hasMessageContaining("Open has personal components: send it by the SDK"));
    assertThatThrownBy(() -> types.refuseEvents("bank", events))
        .hasMessageContaining("Opened has personal");
    assertThatCode(() -> types.refuseCommand("Close")).doesNotThrowAnyException();
  }

  @Test
  void an_event_is_judged_by_what_is_declared_in_its_own_context() {
    var plain = new Json("{\"id\":\"a-1\",\"name\":\"Ada\"}");
    var catalog = new Catalog(database, Setting::standard, threads);
    declare("Account", "bank", List.of(), PLAIN);
    declare("Shop", "shop", List.of(), PERSONAL);
    declare("Gym", "gym", List.of(), PLAIN);
    catalog.readDeclarations();
    assertThatThrownBy(() -> catalog.refusePlainEvent("shop", "Opened", plain))
        .hasMessageContaining("of Opened is personal");
    for (var context : List.of("bank", "gym")) {
      assertThatCode(() -> catalog.refusePlainEvent(context, "Opened", plain))
          .as(context)
          .doesNotThrowAnyException();
      assertThat(catalog.isPersonalEvent(context, "Opened")).as(context).isFalse();
    }
    assertThat(catalog.isPersonalEvent("elsewhere", "Opened"))
        .as("nobody declares it there, and somebody calls it personal")
        .isTrue();
    assertThatThrownBy(() -> catalog.refusePlainEvent("elsewhere", "Opened", plain))
        .hasMessageContaining("of Opened is personal");
    declare("Account", "bank", List.of(), PERSONAL);
    catalog.readDeclarations();
    assertThatThrownBy(() -> catalog.refusePlainEvent("bank", "Opened", plain))
        .hasMessageContaining("of Opened is personal");
    assertThatCode(() -> catalog.refusePlainEvent("gym", "Opened", plain))
        .as("the first declarer says nothing of another one's events")
        .doesNotThrowAnyException();
  }

  @Test
  void a_component_in_several_contexts_is_judged_in_each() throws SQLException {
    declare("Account", "bank", List.of(), PERSONAL);
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute("update evento.component_owner set contexts = '{bank,branch}'");
    }
    declare("Shop", "shop", List.of(), PLAIN);
    var catalog = new Catalog(database, Setting::standard, threads);
    catalog.readDeclarations();
    assertThat(catalog.isPersonalEvent("branch", "Opened")).isTrue();
    assertThat(catalog.isPersonalEvent("shop", "Opened")).isFalse();
  }

  @Test
  void before_the_catalog_was_read_nothing_is_let_in() {
    var types = new PersonalTypes(new Catalog(database, Setting::standard, threads), threads);
    assertThatThrownBy(() -> types.refuseCommand("Open"))
        .hasMessageContaining("has not read the catalog yet");
    types.start();
    assertThatCode(() -> types.refuseCommand("Open")).doesNotThrowAnyException();
  }

  @Test
  void contexts_of_the_cluster_are_nobodys() {
    assertThatThrownBy(() -> declare("evento.personal", PLAIN, PLAIN))
        .hasMessageContaining("must not begin with evento., which is the cluster's own");
  }
}
