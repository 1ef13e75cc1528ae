package io.evento.server.gateway.websocket;

import static io.evento.server.gateway.websocket.Bank.bundle;
import static io.evento.server.gateway.websocket.Bank.host;
import static io.evento.server.gateway.websocket.Bank.read;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.ReplyMessage;
import io.evento.protocol.SessionMessage;
import io.evento.server.cluster.Drains;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.NodeState;
import io.evento.server.fixture.TestGrants;
import io.evento.server.gateway.WholeNode;
import io.evento.server.node.NodeDrain;
import io.evento.server.routing.session.Availability;
import io.evento.server.security.Actor;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.server.setting.Setting;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import jakarta.websocket.CloseReason;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A node hands over what it has while an operator wants that, whichever node he asked. */
class DrainTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Actor ADA = new Actor("user ada", "b", "192.0.2.9");

  private final Deque<WholeNode> open = new ArrayDeque<>();
  private TestDatabase where;
  private WholeNode a;
  private WholeNode b;

  @BeforeEach
  void start() {
    where = PostgresFixture.shared().migrated();
    a = node("a");
    b = node("b");
    awaitSeen(a, "b", NodeState.UP);
  }

  @AfterEach
  void close() {
    open.forEach(DrainTest::end);
    where.close();
  }

  private WholeNode node(String name) {
    var node =
        WholeNode.start(
            where,
            name,
            Map.of(Setting.DRAIN_LINGER_SECONDS, 1),
            Map.of(Grants.class, TestGrants.class));
    try {
      // By links nodes know which bundle instances the others have.
      node.get(Links.class).start();
    } catch (Exception failure) {
      throw new AssertionError(failure);
    }
    node.get(NodeDrain.class).start();
    open.push(node);
    return node;
  }

  private void stop(WholeNode node) {
    open.remove(node);
    end(node);
  }

  private static void end(WholeNode node) {
    node.get(Links.class).stop();
    node.close();
  }

  private static void awaitSeen(WholeNode by, String name, NodeState state) {
    await(name + " is " + state)
        .atMost(PATIENCE)
        .until(
            () ->
                by.get(Membership.class)
                    .members()
                    .find(name)
                    .filter(node -> node.state() == state)
                    .isPresent());
  }

  private static Drains.Done drain(WholeNode by, String name) {
    return by.get(Drains.class).drain(name, "a new disk", ADA, false);
  }

  private static Drains.Done undrain(WholeNode by, String name) {
    return by.get(Drains.class).undrain(name, null, ADA, false);
  }

  private String text(String query) throws SQLException {
    try (var admin = where.asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery(query)) {
      row.next();
      return String.valueOf(row.getString(1));
    }
  }

  private String owned() throws SQLException {
    return text("select count(*) from evento.consumer_segment where owner = 'a'");
  }

  private static final Caller BANK = bundle("bank", host("bank", "*"), read("*", "*"));

  private static Peer greet(WholeNode node, UUID instance) {
    var peer = Peer.connect(node, BANK);
    peer.say(new SessionMessage.Hello("bank", instance, "test"));
    await().until(() -> !peer.heard(SessionMessage.Welcome.class).isEmpty());
    Bank.declare(peer, Bank.projector("accounts", "bank", List.of("bank"), List.of()));
    return peer;
  }

  private static boolean isTold(Peer peer) {
    return !peer.heard(SessionMessage.Drain.class).isEmpty();
  }

  @Test
  void it_gives_its_segments_back_sends_its_bundles_away_and_takes_none_that_have_another_node() {
    var instance = UUID.randomUUID();
    var peer = greet(a, instance);
    var caller = Peer.greet(a, bundle("shop", read("*", "*")));
    await("a lease").atMost(PATIENCE).until(() -> owned().equals("1"));
    greet(b, instance);

    var done = drain(b, "a");

    assertThat(done.isChanged()).isTrue();
    assertThat(done.others()).containsExactly("b");
    awaitSeen(b, "a", NodeState.DRAINING);
    assertThat(b.get(Membership.class).members().owners()).containsExactly("b");
    await("no lease").atMost(PATIENCE).until(() -> owned().equals("0"));
    await("bundles are told").atMost(PATIENCE).until(() -> isTold(peer));
    assertThat(peer.heard(SessionMessage.Drain.class)).hasSize(1);
    assertThat(isTold(caller)).as("it has no other node").isFalse();
    var late = Peer.connect(a, BANK);
    late.say(new SessionMessage.Hello("bank", instance, "test"));
    await().until(() -> !late.heard(ReplyMessage.Fault.class).isEmpty());
    assertThat(late.heard(ReplyMessage.Fault.class).get(0).code()).isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(a.get(Availability.class).isReady()).isFalse();
    assertThat(a.get(Availability.class).isServing()).isTrue();
  }

  @Test
  void a_bundle_that_has_no_other_node_is_served_on_until_it_has_one() {
    var instance = UUID.randomUUID();
    var peer = greet(a, instance);
    await("a lease").atMost(PATIENCE).until(() -> owned().equals("1"));

    drain(b, "a");

    awaitSeen(a, "a", NodeState.DRAINING);
    await("nothing is lost")
        .during(Duration.ofSeconds(3))
        .atMost(PATIENCE)
        .until(() -> owned().equals("1") && !isTold(peer) && peer.closed() == null);
    peer.leave(new CloseReason(CloseReason.CloseCodes.GOING_AWAY, "the bundle starts anew"));
    var again = greet(a, instance);
    await("a lease again").atMost(PATIENCE).until(() -> owned().equals("1"));

    greet(b, instance);

    await("no lease").atMost(PATIENCE).until(() -> owned().equals("0"));
    await("it is told").atMost(PATIENCE).until(() -> isTold(again));
  }

  @Test
  void it_is_a_full_member_again_when_the_drain_is_cancelled_by_whichever_node() {
    var instance = UUID.randomUUID();
    var told = greet(a, instance);
    var other = greet(b, instance);
    drain(b, "a");
    await("it is told").atMost(PATIENCE).until(() -> isTold(told));
    await("no lease").atMost(PATIENCE).until(() -> owned().equals("0"));

    undrain(a, "a");

    awaitSeen(b, "a", NodeState.UP);
    await("its session begins anew").atMost(PATIENCE).until(() -> told.closed() != null);
    assertThat(a.get(Availability.class).isReady()).isTrue();
    greet(a, instance);
    other.leave(new CloseReason(CloseReason.CloseCodes.GOING_AWAY, "it has another node"));
    await("a lease again").atMost(PATIENCE).until(() -> owned().equals("1"));
  }

  @Test
  void asking_again_changes_nothing_and_each_change_is_audited_once() throws SQLException {
    assertThat(drain(b, "a").isChanged()).isTrue();
    assertThat(drain(a, "a").isChanged()).isFalse();
    assertThat(undrain(b, "a").isChanged()).isTrue();
    assertThat(undrain(b, "a").isChanged()).isFalse();

    assertThat(
            text(
                "select string_agg(who || ' ' || action || ' ' || object || ' ' || after, ', ' order"
                    + " by id) from evento.audit where action like '%drain node'"))
        .isEqualTo(
            "user ada drain node a {\"reason\": \"a new disk\"}, user ada undrain node a"
                + " {\"reason\": null}");
  }

  @Test
  void a_dry_run_says_who_takes_over_and_changes_nothing() throws SQLException {
    var done = a.get(Drains.class).drain("a", null, ADA, true);

    assertThat(done.detail()).isEqualTo("a hands over what it has and takes nothing new");
    assertThat(done.others()).containsExactly("b");
    assertThat(text("select count(*) from evento.node_drain")).isEqualTo("0");
    assertThat(text("select count(*) from evento.audit where action = 'drain node'"))
        .isEqualTo("0");
  }

  @Test
  void the_last_node_that_keeps_what_it_has_is_not_drained() {
    drain(b, "a");

    assertThatThrownBy(() -> drain(a, "b"))
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> {
              assertThat(refused.code()).isEqualTo(ErrorCode.CONFLICT);
              assertThat(refused.detail()).isEqualTo("no other node is up to take what b has");
            });
    assertThatThrownBy(() -> drain(a, "nobody"))
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.NOT_FOUND));
  }

  @Test
  void it_serves_again_by_itself_while_nobody_else_can_and_goes_on_handing_over_then() {
    drain(b, "a");
    awaitSeen(a, "a", NodeState.DRAINING);

    stop(b);
    awaitSeen(a, "a", NodeState.UP);

    b = node("b");
    awaitSeen(b, "a", NodeState.UP);
    await("b was there for a while")
        .atMost(PATIENCE.plusSeconds(40))
        .until(() -> a.get(Membership.class).state() == NodeState.DRAINING);
  }

  @Test
  void a_drain_is_of_the_process_and_the_next_one_of_its_name_serves() throws SQLException {
    drain(b, "a");
    awaitSeen(b, "a", NodeState.DRAINING);
    stop(a);

    a = node("a");

    awaitSeen(b, "a", NodeState.UP);
    assertThat(a.get(Drains.class).all()).isEmpty();
    assertThat(drain(a, "a").isChanged()).isTrue();
    assertThat(text("select count(*) from evento.node_drain")).isEqualTo("1");
  }
}
