package io.evento.server.consumer.lease;

import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.delivery.Deliveries;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.LeaseTimings;
import io.evento.server.consumer.segment.SegmentId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.LongSupplier;

/** Nodes whose leases last for less than half a second, and whose passes the test calls. */
final class QuickNodes {
  static final ConsumerId ACCOUNTS = new ConsumerId("accounts", 1);
  static final LeaseTimings QUICK =
      new LeaseTimings(
          Duration.ofMillis(400),
          Duration.ofMillis(300),
          Duration.ofMillis(50),
          Duration.ofMillis(50),
          LeaseTimings.STANDARD.silence());

  private final ConsumerCluster cluster;

  QuickNodes(ConsumerCluster cluster) {
    this.cluster = cluster;
  }

  ConsumerNode node(String name) {
    return node(name, System::nanoTime);
  }

  ConsumerNode node(String name, LongSupplier clock) {
    var node = idle(name, QUICK, clock);
    node.deliveries.start(new NoListener());
    return node;
  }

  /** A node that delivers nothing yet. */
  ConsumerNode idle(String name, LeaseTimings timings, LongSupplier clock) {
    return cluster.opened(
        new ConsumerNode(cluster.database(), name, cluster.nodes(), timings, clock));
  }

  static RecordingBundle bundle(ConsumerNode node) {
    return new RecordingBundle(UUID.randomUUID())
        .connect(node.sessions, RecordingBundle.projector("accounts"));
  }

  /** Numbers of the segments that a node has. */
  static List<Integer> held(ConsumerNode node) {
    var held = new ArrayList<Integer>();
    for (var number = 0; number < 8; number++) {
      if (node.deliveries.of(new SegmentId(ACCOUNTS, number)).isPresent()) {
        held.add(number);
      }
    }
    return held;
  }

  /** How many of them each instance was given. */
  static Map<UUID, Integer> perInstance(ConsumerNode node) {
    var counts = new TreeMap<UUID, Integer>();
    for (var number : held(node)) {
      var delivery = node.deliveries.of(new SegmentId(ACCOUNTS, number)).orElseThrow();
      counts.merge(delivery.session().instance(), 1, Integer::sum);
    }
    return counts;
  }

  static Lease lease(ConsumerNode node, int number) {
    return node.deliveries.of(new SegmentId(ACCOUNTS, number)).orElseThrow().lease();
  }

  long checkpoint(int segment) {
    return cluster
        .numbers("select checkpoint from evento.consumer_segment where segment = " + segment)
        .get(0);
  }

  /** Hears of nothing: the test calls the passes. */
  static final class NoListener implements Deliveries.Listener {
    @Override
    public void changed() {}

    @Override
    public void progressed() {}
  }
}
