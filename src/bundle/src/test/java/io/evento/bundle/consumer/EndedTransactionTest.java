package io.evento.bundle.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.Projector;
import io.evento.bundle.consumer.EventHandling.Progress.Kind;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.testing.PostgresFixture;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;

/** Handlers that get at the connection of the transaction behind its guard, and end it. */
@NullUnmarked
class EndedTransactionTest {
  private static final UUID EPOCH = UUID.randomUUID();
  private static final Enable SEGMENT = new Enable("ending:1", 0, 0, 127, 3, EPOCH, 0);

  record Paid(long amount) {}

  interface Ending {
    void end(Connection connection) throws Exception;
  }

  @Projector(name = "ending")
  static final class Payments {
    private Ending ending = connection -> {};

    @EventHandler
    void on(Paid event, Connection tx) throws Exception {
      ending.end((Connection) tx.unwrap(PGConnection.class));
    }
  }

  private final Payments payments = new Payments();
  private final EventHandling handling = handling();

  private EventHandling handling() {
    var mapper = new PayloadMapper();
    var projector = Components.of(List.of(payments), mapper, true).projectors().get("ending:1");
    var database = new PGSimpleDataSource();
    database.setUrl(PostgresFixture.shared().empty().url());
    database.setUser("postgres");
    return new TransactionalEventHandling(
        new EventCaller(
            Objects.requireNonNull(projector),
            mapper,
            new BufferedUpdates(mapper, new WatchedQueries())),
        Database.of(database));
  }

  @BeforeEach
  void claim() throws SQLException {
    handling.claim(SEGMENT);
  }

  private static RecordedEvent paid() {
    return new RecordedEvent(
        1,
        new RecordedEvent.Stream("Account", "a"),
        1,
        "Paid",
        "default",
        "2026-01-31T10:15:30.123456Z",
        UUID.randomUUID(),
        "flow",
        null,
        Json.EMPTY_OBJECT,
        new Json("{\"amount\":5}"));
  }

  private Throwable failureOf(Ending ending) {
    payments.ending = ending;
    var progress = handling.apply(SEGMENT, EPOCH, 0, 1, List.of(paid()));
    assertThat(progress.kind()).isEqualTo(Kind.HANDLER_FAILED);
    return Objects.requireNonNull(progress.cause());
  }

  @Test
  void a_commit_or_rollback_is_noticed_when_the_handlers_have_returned() {
    assertThat(failureOf(Connection::rollback))
        .hasMessageStartingWith("a handler ended the transaction")
        .hasMessageEndingWith("reset the consumer ending:1");
    assertThat(failureOf(Connection::commit))
        .hasMessageStartingWith("a handler ended the transaction");
  }

  @Test
  void a_commit_is_noticed_behind_a_handler_that_fails_after_it() {
    var failure =
        failureOf(
            connection -> {
              connection.commit();
              throw new IllegalArgumentException("fails after its commit");
            });
    assertThat(failure).hasMessage("fails after its commit");
    assertThat(failure.getSuppressed())
        .anySatisfy(
            told -> assertThat(told).hasMessageStartingWith("a handler ended the transaction"));
  }

  @Test
  void a_commit_is_noticed_behind_a_statement_that_fails_after_it() {
    var failure =
        failureOf(
            connection -> {
              connection.commit();
              try (var statement = connection.createStatement()) {
                statement.execute("insert into nothing values (1)");
              }
            });
    assertThat(failure.getSuppressed())
        .anySatisfy(
            told -> assertThat(told).hasMessageStartingWith("a handler ended the transaction"));
  }

  @Test
  void a_handler_that_only_fails_is_not_blamed_for_more() {
    var failure =
        failureOf(
            connection -> {
              throw new IllegalArgumentException("fails");
            });
    assertThat(failure.getSuppressed()).isEmpty();
  }
}
