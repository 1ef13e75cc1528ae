package io.evento.server.consumer.lease;

import static io.evento.server.consumer.lease.QuickNodes.ACCOUNTS;
import static io.evento.server.consumer.lease.QuickNodes.QUICK;
import static io.evento.server.consumer.lease.QuickNodes.bundle;
import static io.evento.server.consumer.lease.QuickNodes.held;
import static io.evento.server.consumer.lease.QuickNodes.lease;
import static io.evento.server.consumer.lease.QuickNodes.perInstance;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.lease.QuickNodes.NoListener;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.LeaseTimings;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Passes of one and more nodes on a real database, called by the test. */
class LeaseKeeperTest {
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final QuickNodes nodes = new QuickNodes(cluster);

  @Test
  void two_nodes_share_from_the_beginning() {
    var first = nodes.node("a");
    var second = nodes.node("b");
    bundle(first);
    bundle(second);
    first.keeper.pass();
    second.keeper.pass();
    assertThat(held(first)).hasSize(2);
    assertThat(held(second)).hasSize(2).doesNotContainAnyElementsOf(held(first));
  }

  @Test
  void a_released_segment_is_claimed_by_the_next_pass_of_another_node() {
    var first = nodes.node("a");
    var second = nodes.node("b");
    var bundle = bundle(first);
    first.keeper.pass();
    bundle(second);
    first.sessions.remove(bundle.session);
    first.keeper.pass();
    assertThat(held(first)).isEmpty();
    second.keeper.pass();
    assertThat(held(second)).hasSize(4);
    assertThat(lease(second, 0).fence()).isEqualTo(2);
  }

  @Test
  void a_node_that_stopped_renewing_loses_its_segments_after_a_lease_seen_unchanged() {
    var first = nodes.node("a");
    var second = nodes.node("b");
    bundle(first);
    first.keeper.pass();
    cluster.nodes().nodes.remove(first);
    bundle(second);
    second.keeper.pass();
    assertThat(held(second)).as("not expired").isEmpty();
    await()
        .atMost(Duration.ofSeconds(5))
        .pollInterval(Duration.ofMillis(50))
        .until(
            () -> {
              second.keeper.pass();
              return held(second).size() == 4;
            });
    assertThat(lease(first, 0).isTrusted(System.nanoTime())).isFalse();
  }

  @Test
  void a_lease_that_is_over_by_the_database_is_not_claimed_before_the_claimers_clock_has_run() {
    var first = nodes.node("a");
    var clock = new AtomicLong(1_000);
    var second = nodes.node("b", clock::get);
    bundle(first);
    first.keeper.pass();
    cluster.nodes().nodes.remove(first);
    bundle(second);
    second.keeper.pass();
    await()
        .pollInterval(Duration.ofMillis(50))
        .until(() -> second.segments.of(List.of(ACCOUNTS)).stream().allMatch(row -> row.expired()));
    clock.addAndGet(QUICK.lease().toNanos() - 1);
    second.keeper.pass();
    assertThat(held(second)).isEmpty();
    clock.addAndGet(1);
    second.keeper.pass();
    assertThat(held(second)).hasSize(4);
  }

  @Test
  void an_owner_stops_trusting_its_lease_by_its_own_clock() {
    var clock = new AtomicLong(1_000);
    var node = nodes.node("a", clock::get);
    bundle(node);
    node.keeper.pass();
    var lease = lease(node, 0);
    assertThat(lease.isTrusted(1_000 + QUICK.trust().toNanos() - 1)).isTrue();
    assertThat(lease.isTrusted(1_000 + QUICK.trust().toNanos())).isFalse();
    clock.addAndGet(500);
    node.keeper.pass();
    assertThat(lease.isTrusted(1_500 + QUICK.trust().toNanos() - 1)).isTrue();
  }

  @Test
  void what_came_between_the_end_of_the_trust_and_a_slow_renewal_is_sent_after_it()
      throws Exception {
    var steady =
        new LeaseTimings(
            Duration.ofSeconds(3),
            Duration.ofSeconds(2),
            Duration.ofMillis(50),
            Duration.ofMillis(50),
            LeaseTimings.STANDARD.silence());
    var node = nodes.idle("a", steady, System::nanoTime);
    node.follower.start();
    node.deliveries.start(new NoListener());
    await().until(() -> node.follower.head().isPresent());
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    var bundle =
        new RecordingBundle(UUID.randomUUID())
            .connect(node.sessions, RecordingBundle.projector("accounts", consumes));
    node.keeper.pass();
    await().until(() -> !bundle.heard(ConsumerMessage.Enable.class).isEmpty());
    node.consumers.credit(
        bundle.session,
        RecordingBundle.credit(bundle.heard(ConsumerMessage.Enable.class).get(0), 9));
    cluster.append("a-1");
    await().until(() -> bundle.events().size() == 1);

    var lease = lease(node, 0);
    var shortly = Duration.ofMillis(600).toNanos();
    await().until(() -> !lease.isTrusted(System.nanoTime() + shortly));
    Thread renewing;
    try (var admin = cluster.database().asAdmin();
        var lock = admin.createStatement()) {
      admin.setAutoCommit(false);
      lock.execute("select 1 from evento.consumer_segment for update");
      renewing = new Thread(node.keeper::pass);
      renewing.start();
      await().pollInterval(Duration.ofMillis(10)).until(() -> !lease.isTrusted(System.nanoTime()));
      cluster.append("a-2");
      await().during(Duration.ofMillis(50)).until(() -> bundle.events().size() == 1);
      admin.rollback();
    }
    renewing.join(5_000);
    await().atMost(Duration.ofSeconds(1)).until(() -> bundle.events().size() == 2);
  }

  @Test
  void when_a_session_ends_another_one_gets_its_segments_under_a_new_fence() {
    var node = nodes.node("a");
    var first = bundle(node);
    node.keeper.pass();
    var second = bundle(node);
    node.sessions.remove(first.session);
    node.keeper.pass();
    await().untilAsserted(() -> assertThat(second.heard(ConsumerMessage.Enable.class)).hasSize(4));
    assertThat(second.heard(ConsumerMessage.Enable.class))
        .allMatch(enabled -> enabled.fence() == 2);
  }

  @Test
  void two_instances_on_one_node_share_and_a_third_gets_its_part() {
    var node = nodes.node("a");
    var bundles = new ArrayList<>(List.of(bundle(node), bundle(node)));
    node.keeper.pass();
    assertThat(perInstance(node).values()).containsExactlyInAnyOrder(2, 2);
    bundles.add(bundle(node));
    await()
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> {
              node.keeper.pass();
              return perInstance(node).size() == 3;
            });
    assertThat(perInstance(node).values()).containsExactlyInAnyOrder(2, 1, 1);
  }

  @Test
  void several_sessions_of_one_instance_count_as_one() {
    var node = nodes.node("a");
    var instance = UUID.randomUUID();
    for (var i = 0; i < 3; i++) {
      new RecordingBundle(instance).connect(node.sessions, RecordingBundle.projector("accounts"));
    }
    bundle(node);
    node.keeper.pass();
    assertThat(perInstance(node).values()).containsExactlyInAnyOrder(2, 2);
  }

  @Test
  void a_session_that_drains_keeps_its_segment_until_what_is_in_flight_is_acknowledged()
      throws SQLException {
    var patient =
        new LeaseTimings(
            Duration.ofSeconds(5),
            Duration.ofSeconds(4),
            Duration.ofMinutes(1),
            Duration.ofMillis(50),
            LeaseTimings.STANDARD.silence());
    var node = nodes.idle("a", patient, System::nanoTime);
    node.follower.start();
    node.deliveries.start(new NoListener());
    var first = bundle(node);
    node.keeper.pass();
    await().until(() -> first.heard(ConsumerMessage.Enable.class).size() == 4);
    first
        .heard(ConsumerMessage.Enable.class)
        .forEach(
            enabled -> node.consumers.credit(first.session, RecordingBundle.credit(enabled, 9)));
    cluster.append("a-1");
    await().until(() -> first.events().size() == 1);
    var second = bundle(node);
    node.sessions.drain(first.session);
    node.keeper.pass();
    var sent = first.heard(ConsumerMessage.Events.class);
    var inFlight = sent.stream().filter(m -> !m.events().isEmpty()).findFirst().orElseThrow();
    sent.stream()
        .filter(message -> message.segment() != inFlight.segment())
        .forEach(message -> node.consumers.ack(first.session, RecordingBundle.ack(message)));
    await()
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(
            () -> {
              node.keeper.pass();
              assertThat(second.heard(ConsumerMessage.Enable.class)).hasSize(3);
            });
    node.consumers.ack(first.session, RecordingBundle.ack(inFlight));
    await()
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(
            () -> {
              node.keeper.pass();
              assertThat(second.heard(ConsumerMessage.Enable.class)).hasSize(4);
            });
    assertThat(second.last(ConsumerMessage.Enable.class).orElseThrow().position())
        .isEqualTo(inFlight.upTo());
  }

  @Test
  void what_a_bundle_gives_up_goes_to_another_instance() {
    var node = nodes.node("a");
    var first = bundle(node);
    var second = bundle(node);
    node.keeper.pass();
    await().until(() -> first.heard(ConsumerMessage.Enable.class).size() == 2);
    var enabled = first.heard(ConsumerMessage.Enable.class).get(0);
    node.consumers.disable(
        first.session,
        new ConsumerMessage.Disable(enabled.consumer(), enabled.segment(), enabled.fence()));
    await()
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> {
              node.keeper.pass();
              return second.heard(ConsumerMessage.Enable.class).stream()
                  .anyMatch(e -> e.segment() == enabled.segment());
            });
  }

  @Test
  void an_owner_whose_lease_was_taken_hears_of_it_with_its_next_renewal() {
    var first = nodes.node("a");
    var second = nodes.node("b");
    var bundle = bundle(first);
    first.keeper.pass();
    var rows = first.segments.of(List.of(ACCOUNTS));
    await()
        .until(
            () ->
                second.segments.claim(rows, "b", second.incarnation, Duration.ofSeconds(60)).size()
                    == 4);
    bundle.forget();
    first.keeper.pass();
    assertThat(held(first)).isEmpty();
    await().untilAsserted(() -> assertThat(bundle.heard(ConsumerMessage.Disable.class)).hasSize(4));
    assertThat(first.consumerMetrics.losses(new ConsumerId("accounts", 1)).count()).isEqualTo(4);
  }

  @Test
  void what_is_paused_is_let_go_and_claimed_by_nobody() throws SQLException {
    var node = nodes.node("a");
    bundle(node);
    node.keeper.pass();
    try (var admin = cluster.database().asAdmin();
        var pause = admin.createStatement()) {
      pause.execute("update evento.consumer_segment set status = 'paused' where segment = 1");
    }
    await()
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> {
              node.keeper.pass();
              return held(node).size() == 3;
            });
    node.keeper.pass();
    assertThat(held(node)).containsExactly(0, 2, 3);
  }
}
