package io.evento.server.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.Threads;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.setting.Setting;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CatalogTest {
  private static final Optional<String> STRANGER = Optional.of("node-2 0.1.0");

  private final Threads threads = new Threads(Thread::new);
  private TestDatabase where;
  private Database database;
  private Catalog catalog;

  @BeforeEach
  void open() {
    where = PostgresFixture.shared().migrated();
    database = new Database(NodeConfig.of(where, "a"));
    catalog = new Catalog(database, Setting::standard, threads);
  }

  @AfterEach
  void close() {
    threads.stop();
    database.close();
    where.close();
  }

  @Test
  void no_further_version_of_a_consumer_is_begun_while_a_node_has_another_release() {
    declare("projector", 1, STRANGER);

    assertThatThrownBy(() -> declare("projector", 2, STRANGER))
        .isInstanceOf(CompletionException.class)
        .cause()
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.UNAVAILABLE);
              assertThat(told.detail()).contains("accounts", "node-2 0.1.0");
            });

    declare("projector", 2, Optional.empty());
  }

  @Test
  void a_version_that_was_declared_before_is_let_in_whatever_the_nodes_release() {
    declare("saga", 1, Optional.empty());
    declare("saga", 2, Optional.empty());

    declare("saga", 2, STRANGER);
    declare("saga", 1, STRANGER);
  }

  @Test
  void a_type_that_somebody_else_declared_first_names_him_and_the_way_out() {
    catalog
        .declare("thief", List.of(service("Squatter", "dump")), Optional.empty())
        .toCompletableFuture()
        .join();
    var rightful = catalog.declare("mail", List.of(service("Mails", "mail")), Optional.empty());
    assertThatThrownBy(() -> rightful.toCompletableFuture().join())
        .cause()
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.DECLARATION_CONFLICT);
              assertThat(told.detail())
                  .contains(
                      "the service Squatter in context dump",
                      "DELETE /catalog/payloads/command/SendMail");
            });
    assertThat(catalog.contextOf("SendMail")).contains("dump");
  }

  private static Component service(String name, String context) {
    return new Component(
        ComponentKind.SERVICE,
        name,
        0,
        context,
        List.of(new CommandType("SendMail", null, null)),
        List.of(),
        List.of(),
        null,
        null);
  }

  private void declare(String kind, int version, Optional<String> stranger) {
    var component =
        new Component(
            ComponentKind.of(kind),
            "accounts",
            version,
            "bank",
            List.of(),
            List.of(),
            List.of(),
            new Consumption(List.of("bank"), List.of(), "beginning", 1),
            null);
    catalog.declare("bank", List.of(component), stranger).toCompletableFuture().join();
  }
}
