package io.evento.server.routing.command;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.CommandMessage.Command;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Receipt;
import io.evento.protocol.Rendezvous;
import io.evento.server.catalog.Catalog;
import io.evento.server.cluster.StandardSettings;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.RoutingNode;
import io.evento.server.security.Caller;
import io.evento.server.security.Shares;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a node was asked for too late is neither handed on nor run nor stored. */
@Tag("I8")
class ExpiredCommandsTest {
  private static final Duration SHORT = ofMillis(400);
  private static final Duration LIMIT = ofSeconds(10);

  /** So long nothing may happen once what was in the way is gone. */
  private static final Duration QUIET = ofMillis(700);

  private static final Component ACCOUNTS =
      component(ComponentKind.AGGREGATE, "Account", new CommandType("Deposit", "accountId", null));

  private final List<RoutingNode> nodes = new ArrayList<>();
  private final List<UUID> owned = new CopyOnWriteArrayList<>();
  private final List<Message> told = new CopyOnWriteArrayList<>();
  private TestDatabase database;
  private RoutingNode node;
  private EntityManagers managers;

  @BeforeEach
  void start() {
    database = PostgresFixture.shared().migrated();
    node = up("a");
    managers = new EntityManagers(node.database);
  }

  @AfterEach
  void stop() {
    managers.close();
    nodes.forEach(RoutingNode::close);
    database.close();
  }

  @Test
  void while_the_node_that_is_asked_looks_its_type_up() throws Exception {
    declareAtTheDatabaseAlone(ACCOUNTS);
    var router = router();
    CompletionStage<Receipt> late;
    try (var shut = locked("payload")) {
      late = router.dispatch(Caller.developer("test"), deposit("x", SHORT));
      assertThat(code(late)).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
      shut.rollback();
    }
    nothingFollows(owned);
    router.dispatch(Caller.developer("test"), deposit("x", LIMIT));
    await("one in time is handed on").atMost(LIMIT).until(() -> owned.size() == 1);
  }

  @Test
  void while_its_owner_says_nothing_over_a_link_that_lives() throws Exception {
    var mute = up("b");
    node.links.start();
    mute.links.start();
    node.host(ACCOUNTS, this::take);
    await().atMost(LIMIT).until(() -> node.links.reaches("b"));
    await().atMost(LIMIT).until(() -> node.membership.members().owners().size() == 2);
    var router = router();

    assertThat(code(router.dispatch(Caller.developer("test"), deposit(ownedBy("b"), SHORT))))
        .isEqualTo(ErrorCode.DEADLINE_EXCEEDED);

    nothingFollows(owned);
    router.dispatch(Caller.developer("test"), deposit(ownedBy("a"), LIMIT));
    await("one that this node owns is handed on").atMost(LIMIT).until(() -> owned.size() == 1);
  }

  @Test
  void while_another_run_of_the_service_holds_the_claim() {
    var other = up("b");
    await().atMost(LIMIT).until(() -> node.membership.members().owners().size() == 2);
    node.host(service(), this::take);
    var command = UUID.randomUUID();
    other.claims.claim(command, 42, "b", other.links.incarnation(), 60_000, true, List.of());

    var late = node.services.handle(pay(command, SHORT));

    assertThat(code(late))
        .as("told while the claim is held")
        .isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    other.claims.release(command, other.links.incarnation());
    nothingFollows(told);
  }

  @Test
  void while_the_claim_for_its_service_is_made() throws Exception {
    node.host(service(), this::take);
    var command = UUID.randomUUID();
    CompletionStage<Receipt> late;
    try (var shut = locked("service_claim")) {
      late = node.services.handle(pay(command, SHORT));
      pass(SHORT);
      shut.rollback();
    }
    assertThat(code(late)).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    assertThat(told).isEmpty();
    await("the claim is given back")
        .atMost(LIMIT)
        .until(() -> count("select count(*) from evento.service_claim") == 0);
    assertThat(node.store.outcomes.outcome(command)).isEmpty();
  }

  @Test
  void while_it_is_asked_whose_the_stream_of_an_append_is() throws Exception {
    var appends =
        new Appends(
            node.availability,
            settings(),
            node.catalog,
            node.store.appendConditions,
            node.store.order,
            node.store.streams,
            new CommandOutcomes(node.store.outcomes, node.threads),
            new Shares(Setting::standard),
            node.threads,
            new Metrics());
    CompletionStage<Receipt> late;
    try (var shut = locked("component")) {
      late = appends.append(noted(SHORT));
      assertThat(code(late)).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
      shut.rollback();
    }
    await("nothing is stored")
        .during(QUIET)
        .atMost(LIMIT)
        .until(() -> count("select count(*) from evento.event") == 0);
    appends.append(noted(LIMIT));
    await("one in time is stored")
        .atMost(LIMIT)
        .until(() -> count("select count(*) from evento.event") == 1);
  }

  private Router router() {
    OwnedCommands owner =
        request -> {
          owned.add(request.id());
          return new CompletableFuture<>();
        };
    return new Router(
        settings(),
        node.catalog,
        node.membership,
        node.availability,
        node.links,
        owner,
        node.services,
        new Shares(Setting::standard),
        new Metrics());
  }

  private Settings settings() {
    return StandardSettings.of(node.database, managers, node.threads);
  }

  private RoutingNode up(String name) {
    var started = RoutingNode.up(database, name);
    nodes.add(started);
    await()
        .atMost(LIMIT)
        .until(() -> started.store.appender.isReady() && started.membership.isBeating());
    return started;
  }

  /** As another node would have done it: this one has to look. */
  private void declareAtTheDatabaseAlone(Component component) {
    new Catalog(node.database, Setting::standard, node.threads)
        .declare("bank", List.of(component), Optional.empty())
        .toCompletableFuture()
        .join();
  }

  /** Keeps everybody from a table until its transaction ends. */
  private Connection locked(String table) throws SQLException {
    var admin = database.asAdmin();
    admin.setAutoCommit(false);
    admin.createStatement().execute("lock table evento." + table + " in access exclusive mode");
    return admin;
  }

  private boolean take(Message message, Lane lane) {
    told.add(message);
    return true;
  }

  /** The time itself is what happens here, nothing is waited for. */
  private static void pass(Duration time) {
    await().pollDelay(time.plusMillis(100)).atMost(LIMIT).until(() -> true);
  }

  private static void nothingFollows(List<?> seen) {
    await("nothing follows").during(QUIET).atMost(LIMIT).until(seen::isEmpty);
  }

  private static String ownedBy(String node) {
    while (true) {
      var account = UUID.randomUUID().toString();
      if (Rendezvous.rank("Account:" + account, List.of("a", "b")).get(0).equals(node)) {
        return account;
      }
    }
  }

  private static Command deposit(String account, Duration deadline) {
    return new Command(
        UUID.randomUUID(),
        "Deposit",
        null,
        (int) deadline.toMillis(),
        null,
        null,
        new Json("{\"accountId\":\"" + account + "\"}"));
  }

  private static CommandRequest pay(UUID command, Duration deadline) {
    return new CommandRequest(
        command,
        "Pay",
        "bank",
        null,
        null,
        null,
        Deadline.in(deadline.toMillis()),
        null,
        command.toString(),
        null,
        null,
        Json.EMPTY_OBJECT,
        42);
  }

  private static Appends.Append noted(Duration deadline) {
    return new Appends.Append(
        Caller.developer("test"),
        UUID.randomUUID(),
        Json.EMPTY_OBJECT,
        "bank",
        new DecideMessage.Aggregate("Note", UUID.randomUUID().toString()),
        List.of(new NewEvent("Noted", 1, List.of(), Json.EMPTY_OBJECT)),
        null,
        Deadline.in(deadline.toMillis()),
        null,
        null);
  }

  private static Component service() {
    return component(ComponentKind.SERVICE, "Payments", new CommandType("Pay", null, null));
  }

  private static Component component(ComponentKind kind, String name, CommandType command) {
    return new Component(kind, name, 0, "bank", List.of(command), List.of(), List.of(), null, null);
  }

  private static ErrorCode code(CompletionStage<Receipt> stage) {
    try {
      var receipt =
          stage.toCompletableFuture().orTimeout(LIMIT.toSeconds(), TimeUnit.SECONDS).join();
      throw new AssertionError("it succeeded: " + receipt);
    } catch (CompletionException failed) {
      return ((EventoException) Objects.requireNonNull(failed.getCause())).code();
    }
  }

  private long count(String query) throws SQLException {
    try (var admin = database.asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }
}
