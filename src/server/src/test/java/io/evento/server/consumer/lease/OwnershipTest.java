package io.evento.server.consumer.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.ConsumerNode.Cluster;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.Store;
import io.evento.server.consumer.delivery.Deliveries;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.LeaseTimings;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Three nodes with leases of 400 ms that pause at random for longer than that, come back, and go on
 * as if nothing had been; bundles come and go meanwhile.
 */
@Tag("I5")
class OwnershipTest {
  private static final long SEED = System.nanoTime();
  private static final Duration LENGTH = Duration.ofSeconds(6);

  /** By chance a segment may stay where it is for longer. */
  private static final Duration LENGTH_MAX = Duration.ofSeconds(30);

  private static final LeaseTimings QUICK =
      new LeaseTimings(
          Duration.ofMillis(400),
          Duration.ofMillis(350),
          Duration.ofMillis(20),
          Duration.ofMillis(50),
          LeaseTimings.STANDARD.silence());

  private static TestDatabase database;

  @BeforeAll
  static void migrate() throws SQLException {
    database = PostgresFixture.shared().migrated();
    try (var admin = database.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(
          """
          create table public.audit (
            segment int, checkpoint_before bigint, checkpoint bigint, fence_before bigint,
            fence bigint, owner text, writer text);
          create function public.audit() returns trigger language plpgsql security definer as $$
          begin
            insert into public.audit values (new.segment, old.checkpoint, new.checkpoint,
              old.fence, new.fence, old.owner, current_setting('application_name'));
            return new;
          end $$;
          create trigger audit after update on evento.consumer_segment
            for each row execute function public.audit()
          """);
    }
  }

  @AfterAll
  static void drop() {
    database.close();
  }

  @Test
  void no_two_nodes_ever_trust_a_lease_of_the_same_segment_and_only_owners_write()
      throws Exception {
    var cluster = new Cluster();
    var overlaps = new ConcurrentLinkedQueue<String>();
    var failures = new ConcurrentLinkedQueue<Throwable>();
    var owners = ConcurrentHashMap.<String>newKeySet();
    var reached = new AtomicLong();
    var isOver = new AtomicBoolean();
    var until = System.nanoTime() + LENGTH.toNanos();
    try (var store = Store.emptied(database)) {
      var nodes = new ArrayList<ConsumerNode>();
      var threads = new ArrayList<Thread>();
      for (var name : List.of("a", "b", "c")) {
        var node = new ConsumerNode(database, name, cluster, QUICK, System::nanoTime);
        node.deliveries.start(new WakingListener());
        nodes.add(node);
        threads.add(
            new Thread(
                () -> live(node, new Random(SEED + name.hashCode()), reached, isOver, failures)));
      }
      threads.add(new Thread(() -> watch(nodes, overlaps, owners, isOver)));
      threads.forEach(Thread::start);
      try {
        await("every segment was elsewhere too, seed " + SEED)
            .atMost(LENGTH_MAX)
            .until(() -> System.nanoTime() - until >= 0 && haveMoved(owners));
      } finally {
        isOver.set(true);
      }
      for (var thread : threads) {
        thread.join(20_000);
      }
      nodes.forEach(ConsumerNode::close);
      assertThat(store.head()).isZero();
    }
    assertThat(failures).as("seed " + SEED).isEmpty();
    assertThat(overlaps).as("seed " + SEED).isEmpty();
    assertThat(badWrites()).as("seed " + SEED).isEmpty();
    assertThat(count("select count(*) from public.audit where checkpoint > checkpoint_before"))
        .isPositive();
  }

  private static boolean haveMoved(Set<String> owners) {
    return IntStream.range(0, 4)
        .allMatch(
            number ->
                owners.stream().filter(owner -> owner.endsWith(String.valueOf(number))).count()
                    > 1);
  }

  /** A node's life: passes, pauses, progress, and a bundle that comes and goes. */
  private static void live(
      ConsumerNode node,
      Random random,
      AtomicLong reached,
      AtomicBoolean isOver,
      ConcurrentLinkedQueue<Throwable> failures) {
    try {
      var bundle = bundle(node);
      while (!isOver.get()) {
        for (var number = 0; number < 4; number++) {
          node.deliveries
              .of(segment(number))
              .ifPresent(delivery -> delivery.lease().reach(reached.incrementAndGet(), null));
        }
        var chance = random.nextInt(100);
        if (chance < 8) {
          // Frozen: the others see it no more, and what it does first afterwards comes late.
          node.disappear();
          TimeUnit.MILLISECONDS.sleep(300 + random.nextInt(1_200));
          node.keeper.writeCheckpoints();
          node.appear();
        } else if (chance < 14) {
          node.sessions.remove(bundle.session);
          node.keeper.pass();
          TimeUnit.MILLISECONDS.sleep(random.nextInt(200));
          bundle = bundle(node);
        } else {
          TimeUnit.MILLISECONDS.sleep(random.nextInt(60));
        }
        node.keeper.pass();
      }
    } catch (InterruptedException | RuntimeException failure) {
      failures.add(failure);
    }
  }

  private static RecordingBundle bundle(ConsumerNode node) {
    return new RecordingBundle(UUID.randomUUID())
        .connect(node.sessions, RecordingBundle.projector("accounts"));
  }

  /** Looks at all nodes again and again: whom each segment is trusted to. */
  private static void watch(
      List<ConsumerNode> nodes,
      ConcurrentLinkedQueue<String> overlaps,
      Set<String> owners,
      AtomicBoolean isOver) {
    while (!isOver.get()) {
      for (var number = 0; number < 4; number++) {
        for (var first : nodes) {
          if (!trusts(first, number)) {
            continue;
          }
          owners.add(first.name + number);
          for (var second : nodes) {
            // The first one's trust lasted while the second one's was seen.
            if (second != first && trusts(second, number) && trusts(first, number)) {
              overlaps.add("segment " + number + " of " + first.name + " and " + second.name);
            }
          }
        }
      }
      LockSupport.parkNanos(500_000);
    }
  }

  private static boolean trusts(ConsumerNode node, int number) {
    return node.deliveries
        .of(segment(number))
        .map(delivery -> delivery.lease().isTrusted(System.nanoTime()))
        .orElse(false);
  }

  private static SegmentId segment(int number) {
    return new SegmentId(new ConsumerId("accounts", 1), number);
  }

  private static List<String> badWrites() throws SQLException {
    var bad = new ArrayList<String>();
    try (var admin = database.asAdmin();
        var select = admin.createStatement();
        var row =
            select.executeQuery(
                """
                select segment || ': ' || checkpoint_before || ' to ' || checkpoint || ' by '
                       || writer || ', owner ' || coalesce(owner, 'nobody') || ', fence '
                       || fence_before || ' to ' || fence
                  from public.audit
                 where checkpoint < checkpoint_before
                    or (checkpoint <> checkpoint_before
                        and writer is distinct from 'evento-leases-' || owner)
                    or fence < fence_before or fence > fence_before + 1
                """)) {
      while (row.next()) {
        bad.add(row.getString(1));
      }
    }
    return bad;
  }

  private static long count(String query) throws SQLException {
    try (var admin = database.asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }

  private static final class WakingListener implements Deliveries.Listener {
    @Override
    public void changed() {}

    @Override
    public void progressed() {}
  }
}
