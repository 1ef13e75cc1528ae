package io.evento.server.consumer.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.Store;
import io.evento.server.consumer.delivery.Deliveries;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.LeaseTimings;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.eventstore.StorePosition;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Passes of one and more nodes on a real database, called by the test. */
class LeaseKeeperTest {
  private static final ConsumerId ACCOUNTS = new ConsumerId("accounts", 1);
  private static final LeaseTimings QUICK =
      new LeaseTimings(
          Duration.ofMillis(400),
          Duration.ofMillis(300),
          Duration.ofMillis(50),
          Duration.ofMillis(50),
          LeaseTimings.STANDARD.silence());

  private final ConsumerNode.Cluster cluster = new ConsumerNode.Cluster();
  private final List<ConsumerNode> nodes = new ArrayList<>();
  private static TestDatabase database;
  private Store store;

  @BeforeAll
  static void migrate() {
    database = PostgresFixture.shared().migrated();
  }

  @AfterAll
  static void drop() {
    database.close();
  }

  @BeforeEach
  void empty() throws SQLException {
    store = Store.emptied(database);
  }

  @AfterEach
  void stop() throws SQLException {
    nodes.forEach(ConsumerNode::close);
    store.close();
  }

  @Test
  void the_first_pass_creates_a_consumer_and_gives_its_segments_to_the_session() {
    var node = node("a");
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
    var node = node("a");
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
    store.fill(42, 5);
    var node = node("a");
    var consumes = new Consumption(List.of(), List.of(), "end", 1);
    new RecordingBundle(UUID.randomUUID())
        .connect(node.sessions, RecordingBundle.projector("accounts", consumes));
    node.keeper.pass();
    assertThat(lease(node, 0).claimed().checkpoint()).isEqualTo(store.at(42));
  }

  @Test
  void two_nodes_share_from_the_beginning() {
    var first = node("a");
    var second = node("b");
    bundle(first);
    bundle(second);
    first.keeper.pass();
    second.keeper.pass();
    assertThat(held(first)).hasSize(2);
    assertThat(held(second)).hasSize(2).doesNotContainAnyElementsOf(held(first));
  }

  @Test
  void a_released_segment_is_claimed_by_the_next_pass_of_another_node() {
    var first = node("a");
    var second = node("b");
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
    var first = node("a");
    var second = node("b");
    bundle(first);
    first.keeper.pass();
    cluster.nodes.remove(first);
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
    var first = node("a");
    var clock = new AtomicLong(1_000);
    var second = new ConsumerNode(database, "b", cluster, QUICK, clock::get);
    nodes.add(second);
    second.deliveries.start(new NoListener());
    bundle(first);
    first.keeper.pass();
    cluster.nodes.remove(first);
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
    var node = new ConsumerNode(database, "a", cluster, QUICK, clock::get);
    nodes.add(node);
    node.deliveries.start(new NoListener());
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
    var node = new ConsumerNode(database, "a", cluster, steady, System::nanoTime);
    nodes.add(node);
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
    append("a-1");
    await().until(() -> bundle.events().size() == 1);

    var lease = lease(node, 0);
    var shortly = Duration.ofMillis(600).toNanos();
    await().until(() -> !lease.isTrusted(System.nanoTime() + shortly));
    Thread renewing;
    try (var admin = database.asAdmin();
        var lock = admin.createStatement()) {
      admin.setAutoCommit(false);
      lock.execute("select 1 from evento.consumer_segment for update");
      renewing = new Thread(node.keeper::pass);
      renewing.start();
      await().pollInterval(Duration.ofMillis(10)).until(() -> !lease.isTrusted(System.nanoTime()));
      append("a-2");
      await().during(Duration.ofMillis(50)).until(() -> bundle.events().size() == 1);
      admin.rollback();
    }
    renewing.join(5_000);
    await().atMost(Duration.ofSeconds(1)).until(() -> bundle.events().size() == 2);
  }

  @Test
  void when_a_session_ends_another_one_gets_its_segments_under_a_new_fence() {
    var node = node("a");
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
    var node = node("a");
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
    var node = node("a");
    var instance = UUID.randomUUID();
    for (var i = 0; i < 3; i++) {
      new RecordingBundle(instance).connect(node.sessions, RecordingBundle.projector("accounts"));
    }
    bundle(node);
    node.keeper.pass();
    assertThat(perInstance(node).values()).containsExactlyInAnyOrder(2, 2);
  }

  @Test
  void a_session_that_drains_keeps_its_segment_until_what_is_in_flight_is_acknowledged() {
    var patient =
        new LeaseTimings(
            Duration.ofSeconds(5),
            Duration.ofSeconds(4),
            Duration.ofMinutes(1),
            Duration.ofMillis(50),
            LeaseTimings.STANDARD.silence());
    var node = new ConsumerNode(database, "a", cluster, patient, System::nanoTime);
    nodes.add(node);
    node.follower.start();
    node.deliveries.start(new NoListener());
    var first = bundle(node);
    node.keeper.pass();
    await().until(() -> first.heard(ConsumerMessage.Enable.class).size() == 4);
    first
        .heard(ConsumerMessage.Enable.class)
        .forEach(
            enabled -> node.consumers.credit(first.session, RecordingBundle.credit(enabled, 9)));
    append("a-1");
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
    var node = node("a");
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
  void a_bundle_that_remembers_a_higher_fence_is_soon_given_one_that_is_higher_still() {
    var node = node("a");
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
  void a_late_checkpoint_under_an_older_fence_is_refused_also_from_the_present_owner()
      throws SQLException {
    var node = node("a");
    bundle(node);
    node.keeper.pass();
    var before = lease(node, 0);
    before.reach(10, null);
    var late = before.unwritten().orElseThrow();
    node.segments.reclaim(List.of(before), 1, node.incarnation, QUICK.lease());
    assertThat(node.segments.write(List.of(late), node.incarnation)).isEmpty();
    assertThat(checkpoint(0)).isZero();
  }

  @Test
  void another_incarnation_is_refused_whatever_fence_it_names() throws SQLException {
    var node = node("a");
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
    assertThat(checkpoint(0)).isZero();
  }

  @Test
  void a_checkpoint_of_an_epoch_that_the_row_is_not_in_is_refused() throws SQLException {
    var node = node("a");
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
    assertThat(checkpoint(0)).isZero();
  }

  @Test
  void a_write_whose_answer_was_lost_may_come_again() throws SQLException {
    var node = node("a");
    bundle(node);
    node.keeper.pass();
    var lease = lease(node, 0);
    lease.rewind(new StorePosition(UUID.randomUUID(), 5));
    var step = lease.unwritten().orElseThrow();
    assertThat(node.segments.write(List.of(step), node.incarnation)).hasSize(1);
    assertThat(node.segments.write(List.of(step), node.incarnation)).hasSize(1);
    assertThat(checkpoint(0)).isEqualTo(5);
  }

  @Test
  void an_owner_whose_lease_was_taken_hears_of_it_with_its_next_renewal() {
    var first = node("a");
    var second = node("b");
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
    assertThat(first.consumerMetrics.losses.count()).isEqualTo(4);
  }

  @Test
  void a_row_that_changed_since_it_was_seen_is_not_claimed() {
    var first = node("a");
    var second = node("b");
    bundle(first);
    first.keeper.pass();
    var seen = first.segments.of(List.of(ACCOUNTS));
    first.keeper.pass();
    await()
        .pollDelay(QUICK.lease())
        .until(() -> second.segments.of(List.of(ACCOUNTS)).stream().allMatch(row -> row.expired()));
    assertThat(second.segments.claim(seen, "b", second.incarnation, QUICK.lease())).isEmpty();
  }

  @Test
  void what_is_paused_is_let_go_and_claimed_by_nobody() throws SQLException {
    var node = node("a");
    bundle(node);
    node.keeper.pass();
    try (var admin = database.asAdmin();
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

  @Test
  void a_declaration_that_the_database_refuses_costs_nobody_else_a_segment() {
    var node = node("a");
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
    var node = node("a");
    bundle(node);
    node.keeper.pass();
    new RecordingBundle(UUID.randomUUID())
        .connect(
            node.sessions,
            RecordingBundle.projector(
                "accounts", new Consumption(List.of("bank"), List.of("Opened"), "end", 9)));
    node.keeper.pass();
    assertThat(node.segments.of(List.of(ACCOUNTS))).hasSize(4);
    try (var admin = database.asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery("select contexts, types from evento.consumer")) {
      row.next();
      assertThat((String[]) row.getArray(1).getArray()).containsExactly("bank");
      assertThat((String[]) row.getArray(2).getArray()).containsExactly("Opened");
    }
  }

  private ConsumerNode node(String name) {
    var node = new ConsumerNode(database, name, cluster, QUICK, System::nanoTime);
    node.deliveries.start(new NoListener());
    nodes.add(node);
    return node;
  }

  private static RecordingBundle bundle(ConsumerNode node) {
    return new RecordingBundle(UUID.randomUUID())
        .connect(node.sessions, RecordingBundle.projector("accounts"));
  }

  private void append(String account) {
    try {
      store.append(cluster.followers(), List.of(Store.Draft.of(account)));
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private static List<Integer> held(ConsumerNode node) {
    var held = new ArrayList<Integer>();
    for (var number = 0; number < 8; number++) {
      if (node.deliveries.of(new SegmentId(ACCOUNTS, number)).isPresent()) {
        held.add(number);
      }
    }
    return held;
  }

  private static Map<UUID, Integer> perInstance(ConsumerNode node) {
    var counts = new TreeMap<UUID, Integer>();
    for (var number : held(node)) {
      var delivery = node.deliveries.of(new SegmentId(ACCOUNTS, number)).orElseThrow();
      counts.merge(delivery.session().instance(), 1, Integer::sum);
    }
    return counts;
  }

  private static Lease lease(ConsumerNode node, int number) {
    return node.deliveries.of(new SegmentId(ACCOUNTS, number)).orElseThrow().lease();
  }

  private long checkpoint(int segment) throws SQLException {
    try (var admin = database.asAdmin();
        var select =
            admin.prepareStatement(
                "select checkpoint from evento.consumer_segment where segment = ?")) {
      select.setInt(1, segment);
      try (var row = select.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  private static org.assertj.core.groups.Tuple tuple(Object... values) {
    return org.assertj.core.groups.Tuple.tuple(values);
  }

  private static final class NoListener implements Deliveries.Listener {
    @Override
    public void changed() {}

    @Override
    public void progressed() {}
  }
}
