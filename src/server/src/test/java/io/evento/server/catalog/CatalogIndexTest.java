package io.evento.server.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.server.Threads;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.setting.Setting;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CatalogIndexTest {
  private final Threads threads = new Threads(Thread::new);
  private final AtomicLong now = new AtomicLong();
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

  @Test
  void what_a_bundle_declares_is_there_soon() {
    var index = new CatalogIndex(database, now::get);
    assertThat(index.picture().types()).isEmpty();

    new Catalog(database, Setting::standard, threads)
        .declare(
            "shop",
            List.of(
                new Component(
                    ComponentKind.SERVICE,
                    "Mail",
                    0,
                    "shop",
                    List.of(new CommandType("SendMail", null, null)),
                    List.of(),
                    List.of(),
                    null,
                    null)),
            Optional.empty())
        .toCompletableFuture()
        .join();

    assertThat(index.picture().type("command", "SendMail")).isEmpty();
    pass(2);
    assertThat(index.picture().type("command", "SendMail"))
        .hasValueSatisfying(
            type -> {
              assertThat(type.bundle()).isEqualTo("shop");
              assertThat(index.picture().handlers(type))
                  .containsExactly(new CatalogPicture.Member("service", "Mail"));
            });
  }

  @Test
  void ten_thousand_types_are_found_in_without_reading_them_again() throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(
          """
          insert into evento.component (kind, name, version, context, bundle, definition)
          select 'aggregate', 'Order' || i, 0, 'shop', 'shop' || i % 20,
                 '{"kind":"aggregate","name":"Order' || i || '","version":0,"context":"shop","events":[{"type":"Placed' || i || '"}]}'
            from generate_series(1, 1000) i
          """);
      statement.execute(
          """
          insert into evento.payload (kind, type, component_kind, component, context, schema)
          select 'event', 'Placed' || i, 'aggregate', 'Order' || (i % 1000 + 1), 'shop',
                 '{"type":"object","properties":{"amount":{"type":"integer"}}}'
            from generate_series(1, 10000) i
          """);
    }
    var index = new CatalogIndex(database, now::get);

    var picture = index.picture();
    assertThat(picture.types()).hasSize(10_000);
    assertThat(picture.bundles()).hasSize(20);

    pass(2);
    assertThat(index.picture()).isSameAs(picture);
  }

  private void pass(int seconds) {
    now.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
  }
}
