package io.evento.server.consumer.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.Store.Draft;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Where delivery to a bundle begins: after a restart, a loss, a restore; on running nodes. */
class DeliveryPlaceTest {
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  @Test
  void after_a_restart_delivery_goes_on_from_the_checkpoint() throws Exception {
    var node = cluster.ready("a");
    cluster.handling(node, RecordingBundle.projector("accounts"), (message, event) -> {});
    cluster.append("a-1", "a-2", "a-3");
    cluster.awaitCheckpoints(3);
    node.leave();
    cluster.append("a-1");
    var again =
        cluster.handling(
            cluster.ready("b"), RecordingBundle.projector("accounts"), (message, event) -> {});
    cluster.awaitCheckpoints(4);
    assertThat(again.positions()).containsExactly(4L);
  }

  @Test
  void draining_gives_everything_back_with_the_last_checkpoint() throws SQLException {
    var node = cluster.ready("a");
    cluster.handling(node, RecordingBundle.projector("accounts"), (message, event) -> {});
    cluster.append("a-1", "a-2");
    cluster.awaitCheckpoints(2);
    var before = System.nanoTime();
    node.consumers.drain();
    assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(2));
    assertThat(cluster.texts("select owner from evento.consumer_segment where owner is not null"))
        .isEmpty();
  }

  @Test
  void where_the_bundle_keeps_its_own_checkpoint_that_decides() throws SQLException {
    var node = cluster.ready("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    cluster.append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    var bundle = cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    var first = bundle.awaitEnabled();
    node.consumers.credit(bundle.session, RecordingBundle.credit(first, 100, first.epoch(), 7L));
    await().untilAsserted(() -> assertThat(bundle.positions()).containsExactly(8L, 9L, 10L));
    cluster.awaitCheckpoints(7);
    node.consumers.ack(
        bundle.session,
        RecordingBundle.ack(bundle.last(ConsumerMessage.Events.class).orElseThrow()));
    cluster.awaitCheckpoints(10);

    node.sessions.remove(bundle.session);
    var restored = cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    var second = restored.awaitEnabled();
    assertThat(second.position()).isEqualTo(10);
    assertThat(second.fence()).isGreaterThan(first.fence());
    node.consumers.credit(
        restored.session, RecordingBundle.credit(second, 100, second.epoch(), 4L));
    await()
        .untilAsserted(
            () -> assertThat(restored.positions()).containsExactly(5L, 6L, 7L, 8L, 9L, 10L));
    assertThat(restored.last(ConsumerMessage.Events.class).orElseThrow().from()).isEqualTo(4);
    assertThat(cluster.checkpoints()).containsExactly(10L);
  }

  @Test
  void a_new_epoch_rewinds_to_what_both_have_in_common_and_says_so() throws SQLException {
    var node = cluster.ready("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 2);
    var bundle =
        cluster.handling(
            node, RecordingBundle.projector("accounts", consumes), (message, event) -> {});
    cluster.append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    cluster.awaitCheckpoints(10);
    var old = cluster.store().epoch();

    cluster.store().loseAbove(6);
    var after = cluster.append(IntStream.range(0, 3).mapToObj(i -> Draft.of("a-" + i)).toList());
    assertThat(after.get(0).position()).isEqualTo(7);
    cluster.awaitCheckpoints(9);
    assertThat(bundle.events().subList(10, 13))
        .extracting(RecordedEvent::commandId)
        .containsExactlyInAnyOrderElementsOf(after.stream().map(RecordedEvent::commandId).toList());
    assertThat(cluster.texts("select distinct epoch::text from evento.consumer_segment"))
        .containsExactly(cluster.store().epoch().toString())
        .doesNotContain(old.toString());
    assertThat(node.consumerMetrics.rewinds.count()).isEqualTo(2);
    assertThat(bundle.last(ConsumerMessage.Enable.class).orElseThrow())
        .satisfies(
            enabled -> {
              assertThat(enabled.epoch()).isEqualTo(cluster.store().epoch());
              assertThat(enabled.position()).isEqualTo(6);
            });
  }

  @Test
  void a_segment_that_was_claimed_after_the_loss_rewinds_too() throws Exception {
    var node = cluster.ready("a");
    cluster.handling(node, RecordingBundle.projector("accounts"), (message, event) -> {});
    cluster.append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    cluster.awaitCheckpoints(10);
    node.leave();
    cluster.store().loseAbove(6);
    cluster.append("a-1");
    var next =
        cluster.handling(
            cluster.ready("b"), RecordingBundle.projector("accounts"), (message, event) -> {});
    cluster.awaitCheckpoints(7);
    assertThat(next.positions()).containsExactly(7L);
  }

  @Test
  void a_store_that_was_put_back_unnoticed_is_seen_by_the_command_at_the_checkpoint()
      throws Exception {
    var node = cluster.ready("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    cluster.handling(node, RecordingBundle.projector("accounts", consumes), (message, event) -> {});
    cluster.append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    cluster.awaitCheckpoints(10);
    node.leave();
    cluster.execute("update evento.event set command_id = gen_random_uuid() where position = 10");
    var next =
        cluster.handling(
            cluster.ready("b"),
            RecordingBundle.projector("accounts", consumes),
            (message, event) -> {});
    await().until(() -> next.events().size() == 10);
    cluster.awaitCheckpoints(10);
  }

  @Test
  void after_a_restore_nothing_is_delivered_that_never_was() throws Exception {
    var node = cluster.ready("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    cluster.handling(node, RecordingBundle.projector("accounts", consumes), (message, event) -> {});
    cluster.append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    cluster.awaitCheckpoints(10);
    node.sessions.all().forEach(node.sessions::remove);
    cluster.awaitOwned(0);

    cluster.store().putBack(6);
    // Its database was put back too: all that this node's tail remembers beyond is of no life.
    var bundle = cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    cluster.awaitOwned(1);
    await()
        .during(Duration.ofMillis(700))
        .until(() -> bundle.heard(ConsumerMessage.Enable.class).isEmpty());
    cluster.store().openEpoch();
    var after = cluster.append("a-1", "a-2");
    var enabled = bundle.awaitEnabled();
    assertThat(enabled.epoch()).isEqualTo(cluster.store().epoch());
    assertThat(enabled.position()).isEqualTo(6);
    node.consumers.credit(bundle.session, RecordingBundle.credit(enabled, 100));
    await().until(() -> bundle.events().size() == 2);
    assertThat(bundle.events())
        .extracting(RecordedEvent::commandId)
        .containsExactlyElementsOf(after.stream().map(RecordedEvent::commandId).toList());
  }

  @Test
  void a_bundle_whose_checkpoint_was_put_back_is_started_when_the_loss_was_noticed()
      throws Exception {
    var node = cluster.ready("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    cluster.append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    await().until(() -> node.follower.head().orElseThrow().position() == 10);
    var bundle = cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    var enabled = bundle.awaitEnabled();

    cluster.store().putBack(6);
    node.consumers.credit(
        bundle.session, RecordingBundle.credit(enabled, 100, cluster.store().epoch(), 4L));
    await().during(Duration.ofMillis(700)).until(() -> bundle.events().isEmpty());
    cluster.store().openEpoch();
    var after = cluster.append("a-1").get(0);
    await()
        .untilAsserted(
            () -> assertThat(bundle.heard(ConsumerMessage.Enable.class)).hasSizeGreaterThan(1));
    var again = bundle.last(ConsumerMessage.Enable.class).orElseThrow();
    node.consumers.credit(bundle.session, RecordingBundle.credit(again, 100, again.epoch(), 4L));
    await().untilAsserted(() -> assertThat(bundle.positions()).endsWith(5L, 6L, 7L));
    assertThat(bundle.last(ConsumerMessage.Events.class).orElseThrow().events())
        .last()
        .extracting(RecordedEvent::commandId)
        .isEqualTo(after.commandId());
  }

  @Test
  void the_bundles_place_in_a_lost_epoch_is_carried_over() throws SQLException {
    var node = cluster.ready("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    cluster.append(IntStream.range(0, 10).mapToObj(i -> Draft.of("a-" + i)).toList());
    var old = cluster.store().epoch();
    cluster.store().loseAbove(6);
    cluster.append("a-1", "a-2");
    var bundle = cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    var enabled = bundle.awaitEnabled();
    node.consumers.credit(bundle.session, RecordingBundle.credit(enabled, 100, old, 9L));
    await().untilAsserted(() -> assertThat(bundle.positions()).containsExactly(7L, 8L));
    var message = bundle.heard(ConsumerMessage.Events.class).get(0);
    assertThat(message.from()).isEqualTo(6);
    assertThat(message.epoch()).isEqualTo(cluster.store().epoch());
  }

  @Test
  void a_checkpoint_of_an_epoch_that_the_store_never_had_stops_its_segment_and_says_so()
      throws Exception {
    var node = cluster.ready("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    cluster.append("a-1", "a-2");
    var bundle = cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    var enabled = bundle.awaitEnabled();
    var unknown = UUID.randomUUID();
    node.consumers.credit(bundle.session, RecordingBundle.credit(enabled, 100, unknown, 1L));
    awaitStopped(unknown);
    assertThat(bundle.events()).isEmpty();

    node.sessions.remove(bundle.session);
    var rebuilt = cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    var again = rebuilt.awaitEnabled();
    node.consumers.credit(
        rebuilt.session, RecordingBundle.credit(again, 100, cluster.store().epoch(), 1L));
    await().until(() -> rebuilt.positions().equals(List.of(2L)));
    await()
        .untilAsserted(
            () ->
                assertThat(
                        cluster.texts(
                            "select status from evento.consumer_segment where note is null"))
                    .containsExactly("active"));
  }

  @Test
  void so_does_one_in_the_segments_row() throws Exception {
    var node = cluster.ready("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
    cluster.append("a-1", "a-2");
    var first = cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    first.awaitEnabled();
    node.sessions.remove(first.session);
    cluster.awaitOwned(0);
    var unknown = UUID.randomUUID();
    cluster.execute("update evento.consumer_segment set epoch = '" + unknown + "'");
    var bundle = cluster.recording(node, RecordingBundle.projector("accounts", consumes));
    awaitStopped(unknown);
    assertThat(bundle.heard(ConsumerMessage.Enable.class)).isEmpty();
  }

  private static void awaitStopped(UUID epoch) {
    await()
        .untilAsserted(
            () ->
                assertThat(
                        cluster.texts("select status || ': ' || note from evento.consumer_segment"))
                    .singleElement()
                    .asString()
                    .startsWith("stuck: stopped: the store never had epoch " + epoch));
  }
}
