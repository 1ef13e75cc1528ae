package io.evento.server.routing.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.routing.RoutingNode;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Nodes that share a database and may or may not hear each other. */
class AvailabilityTest {
  private final List<RoutingNode> nodes = new ArrayList<>();
  private TestDatabase database;

  @BeforeEach
  void migrate() {
    database = PostgresFixture.shared().migrated();
  }

  @AfterEach
  void stop() {
    nodes.forEach(RoutingNode::close);
    database.close();
  }

  @Test
  void a_node_alone_serves_though_nobody_hosts_anything() {
    var node = up("a");
    await().until(node.availability::isServing);
  }

  @Test
  void a_node_that_hosts_nothing_and_hears_nobody_who_may_says_so_until_it_does() throws Exception {
    var first = up("a");
    var second = up("b");
    await().until(() -> !first.availability.isServing() && !second.availability.isServing());
    // A node that has not heard from its database for a moment says that instead.
    await()
        .untilAsserted(
            () ->
                assertThatThrownBy(first.availability::check)
                    .isInstanceOf(EventoException.class)
                    .hasMessageContaining("hears no other node"));

    first.host("aggregate", new CommandType("Deposit", "accountId", null), (message, lane) -> true);
    assertThat(first.availability.isServing()).isTrue();
    assertThat(second.availability.isServing()).isFalse();

    assertThat(first.availability.noHandler("handles it").code())
        .as("the other may")
        .isEqualTo(ErrorCode.UNAVAILABLE);

    first.links.start();
    second.links.start();
    await().until(second.availability::isServing);
    assertThat(second.directory.hasHeardFrom(Set.of("a"))).isTrue();
    assertThat(second.directory.hosting("Deposit")).hasSize(1);
    assertThat(second.availability.noHandler("handles it").code()).isEqualTo(ErrorCode.NO_HANDLER);
  }

  @Test
  void what_was_hosted_on_a_node_just_lost_may_come_back_elsewhere() throws Exception {
    var first = up("a");
    var second = up("b");
    first.links.start();
    second.links.start();
    second.host(
        "aggregate", new CommandType("Deposit", "accountId", null), (message, lane) -> true);
    await().until(() -> first.directory.hosting("Deposit").size() == 1);

    second.membership.drain();
    second.links.stop();

    await().until(() -> first.directory.hosting("Deposit").isEmpty());
    await().until(() -> first.membership.members().owners().size() == 1);
    assertThat(first.availability.noHandler("handles it").code())
        .as("its bundle is about to come back")
        .isEqualTo(ErrorCode.UNAVAILABLE);
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> first.availability.noHandler("handles it").code() == ErrorCode.NO_HANDLER);
  }

  @Test
  void a_node_that_was_left_alone_serves_again() {
    var first = up("a");
    var second = up("b");
    await().until(() -> !first.availability.isServing());
    second.membership.drain();
    await().until(first.availability::isServing);
  }

  @Test
  void a_node_that_leaves_is_not_ready_but_serves_until_it_closes() {
    var node = up("a");
    await().until(node.availability::isReady);

    node.membership.drain();

    assertThat(node.availability.isReady()).isFalse();
    node.availability.check();

    node.availability.close();
    assertThatThrownBy(node.availability::check).hasMessageContaining("draining");
  }

  private RoutingNode up(String name) {
    var node = RoutingNode.up(database, name);
    nodes.add(node);
    return node;
  }
}
