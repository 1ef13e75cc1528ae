package io.evento.server.consumer.lease;

import static io.evento.server.consumer.lease.QuickNodes.ACCOUNTS;
import static io.evento.server.consumer.lease.QuickNodes.bundle;
import static io.evento.server.consumer.lease.QuickNodes.held;
import static io.evento.server.consumer.lease.QuickNodes.lease;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.segment.Slots;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What bundles declare, as passes of a node make it known. */
class DeclarationsTest {
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final QuickNodes nodes = new QuickNodes(cluster);

  @Test
  void the_first_pass_creates_a_consumer_and_gives_its_segments_to_the_session() {
    var node = nodes.node("a");
    var bundle = bundle(node);
    node.keeper.pass();
    await().untilAsserted(() -> assertThat(bundle.heard(ConsumerMessage.Enable.class)).hasSize(4));
    assertThat(bundle.heard(ConsumerMessage.Enable.class))
        .extracting(ConsumerMessage.Enable::firstSlot, ConsumerMessage.Enable::lastSlot)
        .containsExactlyInAnyOrder(tuple(0, 31), tuple(32, 63), tuple(64, 95), tuple(96, 127));
    assertThat(bundle.heard(ConsumerMessage.Enable.class))
        .allSatisfy(
            enabled -> {
              assertThat(enabled.fence()).isEqualTo(1);
              assertThat(enabled.position()).isZero();
            });
  }

  @Test
  void as_many_segments_are_made_as_are_wanted_and_cover_every_slot_once() {
    var node = nodes.node("a");
    var consumes = new Consumption(List.of(), List.of(), "beginning", 5);
    new RecordingBundle(UUID.randomUUID())
        .connect(node.sessions, RecordingBundle.projector("accounts", consumes));
    node.keeper.pass();
    var slots = new int[Slots.COUNT];
    for (var number = 0; number < 5; number++) {
      var claimed = lease(node, number).claimed();
      for (var slot = claimed.firstSlot(); slot <= claimed.lastSlot(); slot++) {
        slots[slot]++;
      }
    }
    assertThat(slots).containsOnly(1);
  }

  @Test
  void a_consumer_that_starts_at_the_end_is_given_nothing_of_before() throws SQLException {
    cluster.store().fill(42, 5);
    var node = nodes.node("a");
    var consumes = new Consumption(List.of(), List.of(), "end", 1);
    new RecordingBundle(UUID.randomUUID())
        .connect(node.sessions, RecordingBundle.projector("accounts", consumes));
    node.keeper.pass();
    assertThat(lease(node, 0).claimed().checkpoint()).isEqualTo(cluster.store().at(42));
  }

  @Test
  void a_declaration_that_the_database_refuses_costs_nobody_else_a_segment() {
    var node = nodes.node("a");
    var bundle = bundle(node);
    node.keeper.pass();
    new RecordingBundle(UUID.randomUUID())
        .connect(
            node.sessions,
            RecordingBundle.projector(
                "broken", new Consumption(List.of("no\0text"), List.of(), "beginning", 1)));
    new RecordingBundle(UUID.randomUUID())
        .connect(node.sessions, RecordingBundle.projector("whole"));
    node.keeper.pass();
    assertThat(node.deliveries.of(new SegmentId(new ConsumerId("whole", 1), 3))).isPresent();
    assertThat(held(node)).hasSize(4);
    assertThat(bundle.heard(ConsumerMessage.Disable.class)).isEmpty();
  }

  @Test
  void a_declaration_again_changes_what_is_wanted_and_not_the_segments() throws SQLException {
    var node = nodes.node("a");
    bundle(node);
    node.keeper.pass();
    new RecordingBundle(UUID.randomUUID())
        .connect(
            node.sessions,
            RecordingBundle.projector(
                "accounts", new Consumption(List.of("bank"), List.of("Opened"), "end", 9)));
    node.keeper.pass();
    assertThat(node.segments.of(List.of(ACCOUNTS))).hasSize(4);
    try (var admin = cluster.database().asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery("select contexts, types from evento.consumer")) {
      row.next();
      assertThat((String[]) row.getArray(1).getArray()).containsExactly("bank");
      assertThat((String[]) row.getArray(2).getArray()).containsExactly("Opened");
    }
  }
}
