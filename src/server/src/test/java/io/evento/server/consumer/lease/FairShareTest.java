package io.evento.server.consumer.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.HandlingBundle;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.Store.Draft;
import io.evento.server.consumer.Traffic;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.segment.LeaseTimings;
import io.evento.server.consumer.segment.Slots;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A node joins two others: how soon it has its share under load, and that a segment which is to
 * move there waits for the event that its owner has in hand, but not for ever.
 */
class FairShareTest {
  private static final int SEGMENTS = 12;
  private static final Duration SHARED_MAX = Duration.ofSeconds(10);

  /** Some events take so long that others of their segment wait when it is to be given away. */
  private static final int SLOW_EVERY = 40;

  private static final long SLOW_NANOS = 20_000_000;
  private static final long QUICK_NANOS = 500_000;

  /** A drain that ends with an acknowledgement, as its own deadline is beyond every wait here. */
  private static final LeaseTimings PATIENT =
      new LeaseTimings(
          LeaseTimings.STANDARD.lease(),
          LeaseTimings.STANDARD.trust(),
          Duration.ofMinutes(1),
          LeaseTimings.STANDARD.settle(),
          LeaseTimings.STANDARD.silence());

  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final Queue<Handled> handled = new ConcurrentLinkedQueue<>();
  private final CountDownLatch letGo = new CountDownLatch(1);
  private volatile String holder = "";

  /** One event in the hands of one owner, by {@link System#nanoTime}. */
  private record Handled(
      int segment, long position, String owner, long fence, long began, long ended) {}

  @AfterEach
  void release() {
    letGo.countDown();
  }

  @Test
  void a_node_that_joins_under_load_has_its_share_within_ten_seconds_and_every_event_one_owner()
      throws Exception {
    host("a", LeaseTimings.STANDARD);
    host("b", LeaseTimings.STANDARD);
    awaitShares(Map.of("a", 6, "b", 6));
    try (var traffic = new Traffic(cluster.store(), cluster.nodes())) {
      traffic.goOnFor(1_000);
      host("c", LeaseTimings.STANDARD);
      awaitShares(Map.of("a", 4, "b", 4, "c", 4));
      traffic.goOnFor(1_000);
    }
    awaitAllHandled();
    assertThat(handled).extracting(Handled::owner).contains("a", "b", "c");
    assertThat(handled.stream().map(Handled::segment).distinct()).hasSize(SEGMENTS);
    assertThat(twoAtOnce()).as("of %d events", cluster.head()).isEmpty();
  }

  @Test
  void a_segment_moves_when_the_event_in_hand_is_acknowledged_and_no_sooner() throws Exception {
    var a = host("a", PATIENT);
    host("b", PATIENT);
    awaitShares(Map.of("a", 6, "b", 6));
    var before = fences("a");
    holder = "a";
    appendToEach(before.keySet());
    await("all of them are sent").until(() -> sentTo(a) == 6);

    var joined = System.nanoTime();
    host("c", PATIENT);
    // What nobody has in hand moves at once, and two that somebody has are sent nothing more.
    awaitShares(Map.of("a", 6, "b", 4, "c", 2));
    await("two are asked to move").atMost(SHARED_MAX).until(() -> delivering(a) <= 4);
    awaitPasses(a, 2);
    assertThat(fences("a")).as("segments and fences, while events are in hand").isEqualTo(before);
    assertThat(handled).isEmpty();

    letGo.countDown();
    awaitShares(Map.of("a", 4, "b", 4, "c", 4));
    assertThat(Duration.ofNanos(System.nanoTime() - joined)).isLessThan(SHARED_MAX);
    appendToEach(before.keySet());
    awaitAllHandled();
    assertThat(handled).extracting(Handled::position).doesNotHaveDuplicates();
    assertThat(handled)
        .filteredOn(each -> each.position > 6)
        .extracting(Handled::owner)
        .contains("c");
    assertThat(twoAtOnce()).isEmpty();
  }

  @Test
  void a_segment_whose_event_takes_longer_than_a_drain_may_last_moves_without_it()
      throws Exception {
    var a = host("a", LeaseTimings.STANDARD);
    host("b", LeaseTimings.STANDARD);
    awaitShares(Map.of("a", 6, "b", 6));
    holder = "a";
    appendToEach(fences("a").keySet());
    await("all of them are sent").until(() -> sentTo(a) == 6);

    host("c", LeaseTimings.STANDARD);
    awaitShares(Map.of("a", 4, "b", 4, "c", 4));
    await("those that moved are handled").atMost(SHARED_MAX).until(() -> handled.size() == 2);
    assertThat(handled).extracting(Handled::owner).containsOnly("c");
  }

  private record Host(ConsumerNode node, HandlingBundle bundle) {}

  /** A node with one session of the bundle, which takes its time for each event. */
  private Host host(String name, LeaseTimings leaseTimings) {
    var node =
        cluster.opened(
            new ConsumerNode(
                cluster.database(), name, cluster.nodes(), leaseTimings, System::nanoTime));
    node.start();
    await().until(() -> node.follower.head().isPresent());
    var bundle =
        new HandlingBundle(node, UUID.randomUUID(), (events, event) -> handle(name, events, event));
    cluster.opened(bundle);
    bundle.connect(
        node.sessions,
        RecordingBundle.projector(
            "shares", new Consumption(List.of("bank"), List.of(), "beginning", SEGMENTS)));
    return new Host(node, bundle);
  }

  private void handle(String owner, ConsumerMessage.Events events, RecordedEvent event) {
    var began = System.nanoTime();
    if (owner.equals(holder)) {
      awaitRelease();
    }
    LockSupport.parkNanos(event.position() % SLOW_EVERY == 0 ? SLOW_NANOS : QUICK_NANOS);
    handled.add(
        new Handled(
            events.segment(), event.position(), owner, events.fence(), began, System.nanoTime()));
  }

  private void awaitRelease() {
    try {
      letGo.await();
    } catch (InterruptedException stopped) {
      throw new IllegalStateException(stopped);
    }
  }

  /** One event for each of some segments. */
  private void appendToEach(Set<Integer> segments) throws SQLException {
    var drafts = new ArrayList<Draft>();
    for (var segment : segments) {
      drafts.add(Draft.of(accountIn(segment)));
    }
    cluster.append(drafts);
  }

  private static String accountIn(int segment) throws SQLException {
    var has = slots(segment);
    return IntStream.iterate(0, i -> i + 1)
        .mapToObj(i -> "a-" + i)
        .filter(account -> has.contains(Slots.of(new RecordedEvent.Stream("Account", account))))
        .findFirst()
        .orElseThrow();
  }

  private static Set<Integer> slots(int segment) throws SQLException {
    try (var admin = cluster.database().asAdmin();
        var select =
            admin.prepareStatement(
                "select first_slot, last_slot from evento.consumer_segment where segment = ?")) {
      select.setInt(1, segment);
      try (var row = select.executeQuery()) {
        row.next();
        return IntStream.rangeClosed(row.getInt(1), row.getInt(2))
            .boxed()
            .collect(Collectors.toSet());
      }
    }
  }

  private static int sentTo(Host host) {
    return host.bundle.events().size();
  }

  /** How many segments a node still sends events of. */
  private static long delivering(Host host) {
    return host.node.deliveries.of("shares:1", 0, Slots.COUNT - 1).stream()
        .filter(Delivery::isRunning)
        .count();
  }

  private static void awaitPasses(Host host, int count) {
    for (var i = 0; i < count; i++) {
      var last = host.node.keeper.lastPass();
      await("a pass").atMost(SHARED_MAX).until(() -> host.node.keeper.lastPass() != last);
    }
  }

  /** The segments that a node owns, with their fences. */
  private static Map<Integer, Long> fences(String owner) throws SQLException {
    var fences = new TreeMap<Integer, Long>();
    try (var admin = cluster.database().asAdmin();
        var select =
            admin.prepareStatement(
                "select segment, fence from evento.consumer_segment where owner = ?")) {
      select.setString(1, owner);
      try (var row = select.executeQuery()) {
        while (row.next()) {
          fences.put(row.getInt(1), row.getLong(2));
        }
      }
    }
    return fences;
  }

  private static void awaitShares(Map<String, Integer> wanted) {
    await("shares").atMost(SHARED_MAX).until(FairShareTest::shares, wanted::equals);
  }

  private static Map<String, Integer> shares() throws SQLException {
    var shares = new TreeMap<String, Integer>();
    try (var admin = cluster.database().asAdmin();
        var select = admin.createStatement();
        var row =
            select.executeQuery(
                """
                select owner, count(*) from evento.consumer_segment
                 where owner is not null group by owner
                """)) {
      while (row.next()) {
        shares.put(row.getString(1), row.getInt(2));
      }
    }
    return shares;
  }

  private void awaitAllHandled() {
    var all = LongStream.rangeClosed(1, cluster.head()).boxed().toList();
    await("everything is handled")
        .atMost(SHARED_MAX)
        .untilAsserted(
            () -> {
              var seen = handled.stream().map(Handled::position).collect(Collectors.toSet());
              assertThat(all.stream().filter(position -> !seen.contains(position)))
                  .as("never handled, of %d", all.size())
                  .isEmpty();
            });
  }

  /**
   * Where an owner began an event of a segment before another owner had ended all that it began, or
   * under a fence that was over.
   */
  private List<String> twoAtOnce() {
    var found = new ArrayList<String>();
    var bySegment = handled.stream().collect(Collectors.groupingBy(Handled::segment));
    for (var events : bySegment.values()) {
      var inOrder = events.stream().sorted(Comparator.comparingLong(Handled::began)).toList();
      for (var i = 1; i < inOrder.size(); i++) {
        var last = inOrder.get(i - 1);
        var next = inOrder.get(i);
        var isOverlap = !next.owner.equals(last.owner) && next.began < last.ended;
        if (isOverlap || next.fence < last.fence) {
          found.add(last + " and " + next);
        }
      }
    }
    return found;
  }
}
