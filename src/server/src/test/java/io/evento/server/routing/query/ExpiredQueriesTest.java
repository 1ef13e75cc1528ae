package io.evento.server.routing.query;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.QueryMessage.Gather;
import io.evento.protocol.QueryMessage.Query;
import io.evento.server.fixture.Components;
import io.evento.server.routing.QueryNode;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.PoisonMessage;
import io.evento.server.routing.session.Sessions;
import io.evento.server.security.Caller;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A question whose deadline passed is put to nobody. */
@Tag("I8")
class ExpiredQueriesTest {
  private static final String QUERY = "FindAccount";
  private static final Duration SHORT = ofMillis(400);
  private static final Duration LIMIT = ofSeconds(10);

  /** Shorter than the first few are waited for before all others are asked. */
  private static final Duration SHORTER_THAN_THE_SAMPLE = ofMillis(40);

  private final List<UUID> asked = new CopyOnWriteArrayList<>();
  private TestDatabase database;
  private QueryNode node;
  private long sessions;

  @BeforeEach
  void start() {
    database = PostgresFixture.shared().migrated();
    node = up("a");
  }

  @AfterEach
  void stop() {
    node.close();
    database.close();
  }

  @Test
  void while_the_node_that_is_asked_looks_its_type_up() throws Exception {
    try (var other = up("b")) {
      other.declare(Components.accounts(1, 1, QUERY));
    }
    host();
    await().atMost(LIMIT).until(node::isServing);
    CompletionStage<Json> late;
    try (var shut = payloadsLocked()) {
      late = node.queries.ask(Caller.developer("test"), query(SHORT, null));
      pass(SHORT);
      shut.rollback();
    }
    assertThat(code(late)).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    assertThat(asked).isEmpty();
    node.queries.ask(Caller.developer("test"), query(LIMIT, null));
    await("one in time is asked").atMost(LIMIT).until(() -> asked.size() == 1);
  }

  @Test
  void while_the_first_few_of_many_say_nothing() {
    node.declare(Components.accounts(1, 1, QUERY));
    for (var i = 0; i < PoisonMessage.SESSIONS + 2; i++) {
      host();
    }
    await().atMost(LIMIT).until(node::isServing);

    var gathered =
        node.queries
            .ask(Caller.developer("test"), query(SHORTER_THAN_THE_SAMPLE, Gather.INSTANCES))
            .toCompletableFuture()
            .orTimeout(LIMIT.toSeconds(), TimeUnit.SECONDS)
            .join();

    assertThat(gathered.text()).contains("\"complete\":false", ErrorCode.DEADLINE_EXCEEDED.wire());
    assertThat(asked).hasSizeLessThanOrEqualTo(PoisonMessage.SESSIONS);
  }

  private QueryNode up(String name) {
    return new QueryNode(database, name, new Sessions(new Metrics()), new ShadowVersions());
  }

  private void host() {
    var session =
        new BundleSession(
            ++sessions,
            "bank",
            UUID.randomUUID(),
            Caller.developer("test"),
            (message, lane) -> asked.add(((Query) message).id()));
    node.sessions.add(session);
    node.sessions.declared(session, List.of(Components.accounts(1, 1, QUERY)));
  }

  /** Keeps everybody from the catalog until its transaction ends. */
  private Connection payloadsLocked() throws SQLException {
    var admin = database.asAdmin();
    admin.setAutoCommit(false);
    admin.createStatement().execute("lock table evento.payload in access exclusive mode");
    return admin;
  }

  /** The time itself is what happens here, nothing is waited for. */
  private static void pass(Duration time) {
    await().pollDelay(time.plusMillis(100)).atMost(LIMIT).until(() -> true);
  }

  private static Query query(Duration deadline, @Nullable Gather gather) {
    return new Query(
        UUID.randomUUID(),
        QUERY,
        1,
        (int) deadline.toMillis(),
        null,
        Json.EMPTY_OBJECT,
        null,
        gather,
        null);
  }

  private static ErrorCode code(CompletionStage<Json> stage) {
    try {
      var view = stage.toCompletableFuture().orTimeout(LIMIT.toSeconds(), TimeUnit.SECONDS).join();
      throw new AssertionError("it was answered: " + view);
    } catch (CompletionException failed) {
      return ((EventoException) Objects.requireNonNull(failed.getCause())).code();
    }
  }
}
