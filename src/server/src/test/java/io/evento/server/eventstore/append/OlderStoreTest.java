package io.evento.server.eventstore.append;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.EventoException;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.Epochs;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.append.StoreAcceptance.Asked;
import io.evento.server.eventstore.append.StoreAcceptance.Fitness;
import io.evento.server.eventstore.append.StoreAcceptance.Lost;
import io.evento.server.eventstore.follow.Follower.NewEpoch;
import io.evento.testing.PostgresFixture;
import io.evento.testing.PostgresPair;
import io.evento.testing.PostgresServer;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A store with less than a node knows is nobody's database until an operator accepts it. */
@Tag("I10")
class OlderStoreTest {

  private static final String CUT =
      """
      select count(pg_terminate_backend(pid)) from pg_stat_activity
       where usename = 'evento_server'
      """;

  private static final String EPOCHS =
      """
      select count(*) from evento.store_epoch
      """;

  @Test
  void a_former_primary_gets_nothing_when_connections_to_the_new_one_are_cut() {
    try (var pair = PostgresPair.start()) {
      var store = pair.migrated("evento");
      try (var a = StoreNode.start(store, "a");
          var b = StoreNode.start(store, "b")) {
        ready(a, b);
        append(a, 20);
        pair.caughtUp();
        pair.first().stop();
        pair.promote();
        append(a, 10);
        append(b, 10);
        await().atMost(ofSeconds(20)).until(() -> atHead(a, 40) && atHead(b, 40));
        var told = new CopyOnWriteArrayList<NewEpoch>();
        a.follower.onNewEpoch(told::add);
        b.follower.onNewEpoch(told::add);
        var epoch = a.order.head().epoch();

        pair.first().begin(); // alone and writable, first in the URL
        var before = last(pair.first());
        for (var round = 0; round < 3; round++) {
          pair.second().ask(CUT);
          append(a, 5);
          append(b, 5);
        }

        assertThat(last(pair.second())).isEqualTo(70);
        var read = // not repeated by itself if its connection was cut
            await()
                .atMost(ofSeconds(20))
                .ignoreExceptions()
                .until(() -> a.order.head(), Objects::nonNull);
        assertThat(read).as("the first answer").isEqualTo(new StorePosition(epoch, 70));
        assertThat(last(pair.first())).as("nothing acknowledged there").isEqualTo(before);
        assertThat(ask(pair.first(), EPOCHS)).as("no epoch there").isEqualTo("1");
        assertThat(told).as("nobody rewinds").isEmpty();
      }
    }
  }

  @Test
  void a_node_without_a_fit_store_serves_nothing_and_goes_on_when_it_comes_back() {
    try (var pair = PostgresPair.start()) {
      var store = pair.migrated("evento");
      try (var node = StoreNode.start(store, "a")) {
        ready(node);
        append(node, 20);
        pair.caughtUp();
        pair.first().stop();
        pair.promote();
        append(node, 10);
        pair.second().stop();
        pair.first().begin();
        await()
            .atMost(ofSeconds(20))
            .until(() -> node.appender.known().refusal() != null && !node.appender.isReady());
        assertThatThrownBy(() -> node.order.head()).as("nothing old is read").isNotNull();
        assertThatThrownBy(() -> node.append(request())).hasMessageContaining("older");
        assertThat(last(pair.first())).isEqualTo(20);

        pair.first().stop();
        pair.second().begin();
        append(node, 5);
        await()
            .atMost(ofSeconds(20))
            .ignoreExceptions()
            .until(() -> node.order.head().position() == 35);
        assertThat(node.appender.known().refusal()).isNull();
      }
    }
  }

  @Test
  void a_promotion_that_lost_its_epoch_is_no_former_primary() {
    try (var pair = PostgresPair.start()) {
      var store = pair.migrated("evento");
      try (var node = StoreNode.start(store, "a")) {
        ready(node);
        append(node, 20);
        pair.caughtUp();
        pair.second().stop(); // what comes now does not reach it
        append(node, 10);
        await().atMost(ofSeconds(20)).until(() -> atHead(node, 30));
        var seen = node.order.head();
        pair.first().kill();
        pair.second().begin();
        pair.promote();
        append(node, 5);
        assertThat(node.order.head().position()).isEqualTo(25);
        assertThat(node.order.epochs().lives())
            .last()
            .extracting(Epochs.Epoch::startsAfter)
            .isEqualTo(20L);
        assertThat(node.order.epochs().carryOver(seen)).contains(node.order.head().at(20));
      }
    }
  }

  @Test
  void an_idle_node_learns_on_which_server_another_one_opened_an_epoch() {
    try (var server = PostgresServer.start()) {
      var where = server.migrated("evento");
      try (var idle = StoreNode.start(where, "a");
          var busy = StoreNode.start(where, "b")) {
        ready(idle, busy);
        append(busy, 5);
        await().atMost(ofSeconds(20)).until(() -> atHead(idle, 5));
        server.stop();
        server.beginPromoted();
        append(busy, 5);
        await().atMost(ofSeconds(20)).until(() -> atHead(idle, 10));
        await()
            .atMost(ofSeconds(20))
            .untilAsserted(
                () -> {
                  var memory = Objects.requireNonNull(idle.appender.known().memory());
                  assertThat(memory.seen().epoch()).isEqualTo(busy.order.head().epoch());
                  assertThat(memory.system()).isNotNull();
                  assertThat(memory.timeline())
                      .isEqualTo(Objects.requireNonNull(busy.appender.known().memory()).timeline());
                });
      }
    }
  }

  @Test
  void a_store_whose_schema_is_older_is_refused_with_its_reason() throws SQLException {
    try (var where = PostgresFixture.shared().migrated();
        var node = StoreNode.start(where, "a")) {
      ready(node);
      try (var owner = where.asOwner();
          var session = owner.createStatement()) {
        session.execute("alter function evento.store_state_1 rename to later");
      }
      assertThatThrownBy(() -> node.database.direct("test", ofSeconds(5), Map.of()))
          .hasMessageContaining("its schema is older");
      assertThat(node.appender.known().refusal()).contains("its schema is older");
    }
  }

  @Test
  void a_copy_from_before_the_last_promotion_is_refused_until_it_is_accepted() {
    try (var server = PostgresServer.start()) {
      var where = server.migrated("evento");
      try (var a = StoreNode.start(where, "a");
          var b = StoreNode.start(where, "b")) {
        ready(a, b);
        append(a, 30);
        server.stop();
        var copy = server.snapshot();
        server.begin();
        append(a, 20);
        server.stop();
        server.beginPromoted();
        append(b, 10);
        await().atMost(ofSeconds(20)).until(() -> atHead(a, 60) && atHead(b, 60));
        var seen = a.order.head();
        var told = new CopyOnWriteArrayList<NewEpoch>();
        a.follower.onNewEpoch(told::add);
        b.follower.onNewEpoch(told::add);

        server.stop();
        server.putBack(copy);
        server.begin();
        await()
            .atMost(ofSeconds(20))
            .until(
                () -> a.appender.known().refusal() != null && b.appender.known().refusal() != null);
        assertThat(last(server)).isEqualTo(30);
        assertThat(told).isEmpty();

        var stores = new StoreAcceptance(a.database, a.appender, a.follower);
        var found = stores.look().hosts().get(0);
        assertThat(found.fitness()).isEqualTo(Fitness.REFUSED);
        assertThat(found.lost()).isEqualTo(new Lost(31, 60));
        var identity = Objects.requireNonNull(found.store());
        assertThat(identity.head()).isEqualTo(30);
        var other = new StoreAcceptance.Identity(identity.system(), null, identity.epoch(), 29);
        assertThatThrownBy(() -> stores.accept(new Asked(other, "op", null, false)))
            .isInstanceOf(EventoException.class);
        assertThat(stores.accept(new Asked(identity, "op", "restored", true)).epoch()).isNull();
        assertThat(ask(server, EPOCHS)).as("a dry run does nothing").isEqualTo("1");

        var epoch = stores.accept(new Asked(identity, "op", "restored", false)).epoch();
        await().atMost(ofSeconds(10)).until(() -> told.size() == 2);
        assertThat(told)
            .allSatisfy(
                change ->
                    assertThat(change)
                        .isEqualTo(
                            new NewEpoch(
                                seen, new StorePosition(Objects.requireNonNull(epoch), 30))));
        append(a, 1);
        append(b, 1);
        assertThat(a.order.epochs().lives())
            .extracting(Epochs.Epoch::startsAfter)
            .containsExactly(0L, 30L);
        assertThat(ask(server, "select done_by || ' ' || known_head from evento.store_acceptance"))
            .isEqualTo("op 60");
        assertThat(
                ask(
                    server,
                    "select who || ' ' || object from evento.audit where action = 'accept store'"))
            .as("the one audit has it too")
            .isEqualTo("op " + epoch);
        assertThatThrownBy(() -> stores.accept(new Asked(identity, "op", null, false)))
            .as("fit by now")
            .isInstanceOf(EventoException.class);
      }
    }
  }

  private static long last(PostgresServer server) {
    return Long.parseLong(ask(server, "select coalesce(max(position), 0) from evento.event"));
  }

  private static String ask(PostgresServer server, String sql) {
    try (var admin =
            DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + server.port() + "/evento", "postgres", "");
        var row = admin.createStatement().executeQuery(sql)) {
      row.next();
      return row.getString(1);
    } catch (SQLException failure) {
      throw new IllegalStateException("not answered: " + sql, failure);
    }
  }

  private static boolean atHead(StoreNode node, long position) {
    return node.follower.head().filter(head -> head.position() == position).isPresent();
  }

  private static void ready(StoreNode... nodes) {
    for (var node : nodes) {
      await().atMost(ofSeconds(20)).until(node.appender::isReady);
    }
  }

  private static AppendRequest request() {
    return AppendRequests.on("Account:" + UUID.randomUUID(), Tip.EMPTY).event("A").events();
  }

  private static void append(StoreNode node, int count) {
    for (var i = 0; i < count; i++) {
      var appendRequest = request();
      await()
          .atMost(ofSeconds(30))
          .pollDelay(Duration.ZERO)
          .ignoreExceptions()
          .until(() -> node.append(appendRequest) instanceof AppendResult.Appended);
    }
  }
}
