package io.evento.server.consumer.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.SdkBundle;
import io.evento.server.consumer.Traffic;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What a projector whose checkpoint is on the server was given, beside what the store holds, while
 * its segments change nodes and sessions under load.
 */
class RebalanceTest {
  /** After the traffic nothing hides a wake-up that was missed. */
  private static final Duration SOON = Duration.ofSeconds(10);

  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  public record MoneyDeposited(long amount) {}

  @Projector(name = "arrivals", context = "bank", start = Projector.Start.END)
  public static final class Arrivals {
    private final Queue<Long> positions = new ConcurrentLinkedQueue<>();

    @EventHandler
    void on(MoneyDeposited event, EventMetadata at) {
      positions.add(at.position());
    }
  }

  @Test
  void whoever_starts_at_the_end_is_given_every_later_event_however_often_segments_move()
      throws Exception {
    cluster.store().fill(20_000, 100);
    var nodes = List.of(node("a"), node("b"), node("c"));
    var arrivals = new Arrivals();
    var bundle = bundle(arrivals);
    nodes.forEach(bundle::connect);
    awaitOwned();
    try (var traffic = new Traffic(cluster.store(), cluster.nodes())) {
      for (var round = 0; round < 9; round++) {
        var node = nodes.get(round % nodes.size());
        bundle.disconnect(node);
        traffic.goOnFor(300);
        awaitOwned();
        bundle.connect(node);
        await("its share").atMost(SOON).until(() -> owned("owner = '" + node.name + "'") > 0);
        traffic.goOnFor(300);
      }
    }
    assertGivenAllAfter(20_000, arrivals);
  }

  @Test
  void two_instances_share_what_comes_and_leave_nothing_out() throws Exception {
    var first = node("a");
    var second = node("b");
    var arrivals = new Arrivals();
    var staying = bundle(arrivals);
    staying.connect(first);
    awaitOwned();
    try (var traffic = new Traffic(cluster.store(), cluster.nodes())) {
      for (var round = 0; round < 4; round++) {
        var passing = bundle(arrivals);
        passing.connect(first);
        passing.connect(second);
        await("its share").atMost(SOON).until(() -> owned("owner = 'b'") > 0);
        traffic.goOnFor(300);
        passing.disconnect(second);
        passing.disconnect(first);
        traffic.goOnFor(300);
        awaitOwned();
      }
    }
    assertGivenAllAfter(0, arrivals);
  }

  private void assertGivenAllAfter(long start, Arrivals arrivals) {
    var all = LongStream.rangeClosed(start + 1, cluster.head()).boxed().toList();
    await("everything is given")
        .atMost(SOON)
        .untilAsserted(
            () -> {
              var given = new HashSet<>(arrivals.positions);
              assertThat(all.stream().filter(position -> !given.contains(position)))
                  .as("never given, of %d", all.size())
                  .isEmpty();
            });
    assertThat(arrivals.positions).allMatch(position -> position > start);
  }

  private ConsumerNode node(String name) {
    var node = cluster.node(name);
    await().until(() -> node.follower.head().isPresent());
    return node;
  }

  private SdkBundle bundle(Arrivals arrivals) {
    return cluster.opened(new SdkBundle(arrivals));
  }

  private static void awaitOwned() {
    await("all segments have an owner").atMost(SOON).until(() -> owned("owner is not null") == 4);
  }

  private static int owned(String condition) throws SQLException {
    try (var admin = cluster.database().asAdmin();
        var select = admin.createStatement();
        var row =
            select.executeQuery(
                "select count(*) from evento.consumer_segment where " + condition)) {
      row.next();
      return row.getInt(1);
    }
  }
}
