package io.evento.server.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.Message.Consumption;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A node joins two others under load: how soon it has its share, and that nobody gives a segment
 * away while one of its events is still being handled.
 */
class FairShareTest {
  private static final int SEGMENTS = 12;
  private static final Duration SHARED_MAX = Duration.ofSeconds(10);

  /** Some events take so long that others of their segment wait when it is to be given away. */
  private static final int SLOW_EVERY = 40;

  private static final long SLOW_NANOS = 20_000_000;
  private static final long QUICK_NANOS = 500_000;

  private static TestDatabase database;

  private final ConsumerNode.Cluster cluster = new ConsumerNode.Cluster();
  private final List<AutoCloseable> open = new ArrayList<>();
  private final Queue<Handled> handled = new ConcurrentLinkedQueue<>();
  private Store store;

  /** One event in the hands of one owner, by {@link System#nanoTime}. */
  private record Handled(
      int segment, long position, String owner, long fence, long began, long ended) {}

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
  void stop() throws Exception {
    for (var each : open) {
      each.close();
    }
    store.close();
  }

  @Test
  void a_node_that_joins_has_its_share_within_ten_seconds_and_no_event_has_two_owners_at_once()
      throws Exception {
    host("a");
    host("b");
    awaitShares(Map.of("a", 6, "b", 6));
    try (var traffic = new Traffic(store, cluster)) {
      traffic.goOnFor(1_000);
      host("c");
      awaitShares(Map.of("a", 4, "b", 4, "c", 4));
      traffic.goOnFor(1_000);
    }
    awaitAllHandled();
    assertThat(handled).extracting(Handled::owner).contains("a", "b", "c");
    assertThat(twoAtOnce()).as("of %d events", store.head()).isEmpty();
  }

  /** A node with one session of the bundle, which takes its time for each event. */
  private void host(String name) {
    var node = new ConsumerNode(database, name, cluster).start();
    open.add(node);
    await().until(() -> node.follower.head().isPresent());
    var bundle =
        new HandlingBundle(
            node,
            UUID.randomUUID(),
            (events, event) -> {
              var began = System.nanoTime();
              LockSupport.parkNanos(event.position() % SLOW_EVERY == 0 ? SLOW_NANOS : QUICK_NANOS);
              handled.add(
                  new Handled(
                      events.segment(),
                      event.position(),
                      name,
                      events.fence(),
                      began,
                      System.nanoTime()));
            });
    open.add(0, bundle);
    bundle.connect(
        node.sessions,
        RecordingBundle.projector(
            "shares", new Consumption(List.of("bank"), List.of(), "beginning", SEGMENTS)));
  }

  private static void awaitShares(Map<String, Integer> wanted) {
    await("shares").atMost(SHARED_MAX).until(FairShareTest::shares, wanted::equals);
  }

  private static Map<String, Integer> shares() throws SQLException {
    var shares = new TreeMap<String, Integer>();
    try (var admin = database.asAdmin();
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
    var all = LongStream.rangeClosed(1, store.head()).boxed().toList();
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
    assertThat(bySegment).as("segments that had events").hasSize(SEGMENTS);
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
