package io.evento.server.consumer.operation;

import static org.awaitility.Awaitility.await;

import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.LedgerBundle;
import io.evento.server.consumer.LedgerBundle.Ledger;
import io.evento.server.consumer.Store.Draft;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The projector {@code accounts:1}, which writes what it handles into a ledger, and operations on
 * it. One for each test.
 */
final class LedgerAccounts {
  static final Duration PATIENCE = Duration.ofSeconds(30);

  final Ledger ledger = new Ledger();
  private final ConsumerCluster cluster;
  private final DataSource mine;

  LedgerAccounts(ConsumerCluster cluster) throws SQLException {
    this.cluster = cluster;
    this.mine = LedgerBundle.database(cluster.database());
  }

  /** A bundle with it on a node. */
  LedgerBundle bundle(ConsumerNode node, boolean ownCheckpoint, int segments) {
    return cluster.opened(
        LedgerBundle.connect(node, ledger, ownCheckpoint ? mine : null, segments));
  }

  List<RecordedEvent> append(int events) throws SQLException {
    return cluster.append(
        IntStream.rangeClosed(1, events).mapToObj(i -> Draft.of("a-" + i)).toList());
  }

  void awaitHead() {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                !checkpoints().isEmpty()
                    && checkpoints().stream().allMatch(c -> c == cluster.head()));
  }

  /** Waits until no node has the segment. */
  void awaitReleased(int segment) {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster
                    .texts(
                        "select owner from evento.consumer_segment where owner is not null"
                            + " and segment = "
                            + segment)
                    .isEmpty());
  }

  static Operations.Asked asked(@Nullable Integer segment) {
    return new Operations.Asked("accounts", 1, segment, "test", null, false);
  }

  static Operations.Asked dry(@Nullable Integer segment) {
    return new Operations.Asked("accounts", 1, segment, "test", null, true);
  }

  List<String> segments() {
    return cluster.texts(
        "select segment || ': ' || first_slot || '-' || last_slot from evento.consumer_segment"
            + " order by first_slot");
  }

  List<Long> checkpoints() {
    return cluster.numbers("select checkpoint from evento.consumer_segment order by segment");
  }

  long checkpoint(int segment) {
    return cluster
        .numbers("select checkpoint from evento.consumer_segment where segment = " + segment)
        .get(0);
  }
}
