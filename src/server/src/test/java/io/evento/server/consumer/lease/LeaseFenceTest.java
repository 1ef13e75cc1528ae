package io.evento.server.consumer.lease;

import static io.evento.server.consumer.lease.QuickNodes.ACCOUNTS;
import static io.evento.server.consumer.lease.QuickNodes.QUICK;
import static io.evento.server.consumer.lease.QuickNodes.bundle;
import static io.evento.server.consumer.lease.QuickNodes.lease;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.eventstore.StorePosition;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is written under a lease after another owner, or another session, came: it is refused. */
class LeaseFenceTest {
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final QuickNodes nodes = new QuickNodes(cluster);

  @Test
  void a_bundle_that_remembers_a_higher_fence_is_soon_given_one_that_is_higher_still() {
    var node = nodes.node("a");
    var bundle = bundle(node);
    node.keeper.pass();
    await().until(() -> bundle.heard(ConsumerMessage.Enable.class).size() == 4);
    await()
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> {
              bundle.heard(ConsumerMessage.Enable.class).stream()
                  .filter(enabled -> enabled.segment() == 0 && enabled.fence() < 2_500)
                  .forEach(
                      low ->
                          node.consumers.disable(
                              bundle.session,
                              new ConsumerMessage.Disable(
                                  low.consumer(), low.segment(), low.fence())));
              node.keeper.pass();
              return lease(node, 0).fence() > 2_500;
            });
    assertThat(lease(node, 0).fence()).isEqualTo(3_001);
    assertThat(lease(node, 1).fence()).isEqualTo(1);
  }

  @Test
  void a_late_checkpoint_under_an_older_fence_is_refused_also_from_the_present_owner() {
    var node = nodes.node("a");
    bundle(node);
    node.keeper.pass();
    var before = lease(node, 0);
    before.reach(10, null);
    var late = before.unwritten().orElseThrow();
    node.segments.reclaim(List.of(before), 1, node.incarnation, QUICK.lease());
    assertThat(node.segments.write(List.of(late), node.incarnation)).isEmpty();
    assertThat(nodes.checkpoint(0)).isZero();
  }

  @Test
  void another_incarnation_is_refused_whatever_fence_it_names() {
    var node = nodes.node("a");
    bundle(node);
    node.keeper.pass();
    var lease = lease(node, 0);
    lease.reach(10, null);
    var step = lease.unwritten().orElseThrow();
    var stranger = UUID.randomUUID();
    assertThat(node.segments.write(List.of(step), stranger)).isEmpty();
    assertThat(node.segments.renew(List.of(lease), stranger, QUICK.lease())).isEmpty();
    node.segments.release(List.of(lease), stranger);
    assertThat(node.segments.renew(List.of(lease), node.incarnation, QUICK.lease())).hasSize(1);
    assertThat(nodes.checkpoint(0)).isZero();
  }

  @Test
  void a_checkpoint_of_an_epoch_that_the_row_is_not_in_is_refused() {
    var node = nodes.node("a");
    bundle(node);
    node.keeper.pass();
    var lease = lease(node, 0);
    var step =
        new Lease.Step(
            lease.segment(),
            lease.fence(),
            UUID.randomUUID(),
            0,
            new StorePosition(UUID.randomUUID(), 10),
            null,
            false);
    assertThat(node.segments.write(List.of(step), node.incarnation)).isEmpty();
    assertThat(nodes.checkpoint(0)).isZero();
  }

  @Test
  void a_write_whose_answer_was_lost_may_come_again() {
    var node = nodes.node("a");
    bundle(node);
    node.keeper.pass();
    var lease = lease(node, 0);
    lease.rewind(new StorePosition(UUID.randomUUID(), 5));
    var step = lease.unwritten().orElseThrow();
    assertThat(node.segments.write(List.of(step), node.incarnation)).hasSize(1);
    assertThat(node.segments.write(List.of(step), node.incarnation)).hasSize(1);
    assertThat(nodes.checkpoint(0)).isEqualTo(5);
  }

  @Test
  void a_row_that_changed_since_it_was_seen_is_not_claimed() {
    var first = nodes.node("a");
    var second = nodes.node("b");
    bundle(first);
    first.keeper.pass();
    var seen = first.segments.of(List.of(ACCOUNTS));
    first.keeper.pass();
    await()
        .pollDelay(QUICK.lease())
        .until(() -> second.segments.of(List.of(ACCOUNTS)).stream().allMatch(row -> row.expired()));
    assertThat(second.segments.claim(seen, "b", second.incarnation, QUICK.lease())).isEmpty();
  }
}
