package io.evento.server.consumer.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.ReplyMessage;
import io.evento.protocol.Violation;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.HandlingBundle;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.segment.LeaseTimings;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Bundles that lie about what they have done, or say nothing; on real nodes. */
class DistrustTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  @Test
  void one_that_acknowledges_more_than_it_was_given_is_told_so_and_its_segment_goes_on()
      throws SQLException {
    var node = cluster.node("a");
    var liar = new RecordingBundle(UUID.randomUUID());
    liar.connect(node.sessions, component(1));
    var enabled = enabled(liar, 0);
    node.consumers.credit(liar.session, RecordingBundle.credit(enabled, 100));
    cluster.append("a", "b", "c");
    await().atMost(PATIENCE).until(() -> liar.positions().size() == 3);
    node.consumers.ack(
        liar.session,
        new ConsumerMessage.Ack("accounts:1", 0, enabled.fence(), enabled.epoch(), 1_000_000_000));

    await().atMost(PATIENCE).until(() -> liar.last(ReplyMessage.Fault.class).isPresent());
    var told = liar.last(ReplyMessage.Fault.class).orElseThrow();
    assertThat(told.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(told.errors()).extracting(Violation::pointer).containsExactly("/position");
    assertThat(told.detail()).contains("beyond what was sent", "1000000000");
    await().atMost(PATIENCE).until(() -> !notes().isEmpty());
    assertThat(notes()).singleElement().asString().contains("1000000000", "beyond");
    assertThat(node.metrics.scrape()).contains("evento_consumer_acks_beyond_total 1.0");

    var again = enabled(liar, enabled.fence());
    liar.forget();
    node.consumers.credit(liar.session, RecordingBundle.credit(again, 100));
    await().atMost(PATIENCE).until(() -> liar.positions().size() == 3);
    node.consumers.ack(
        liar.session, RecordingBundle.ack(liar.last(ConsumerMessage.Events.class).orElseThrow()));
    await()
        .atMost(PATIENCE)
        .until(() -> checkpoints().equals(Set.of(cluster.head())) && notes().isEmpty());
  }

  @Test
  void one_that_says_nothing_of_what_it_was_given_loses_it_to_another() throws SQLException {
    var node =
        cluster
            .opened(
                new ConsumerNode(
                    cluster.database(),
                    "a",
                    cluster.nodes(),
                    new LeaseTimings(
                        LeaseTimings.STANDARD.lease(),
                        LeaseTimings.STANDARD.trust(),
                        LeaseTimings.STANDARD.drain(),
                        Duration.ofMinutes(1),
                        Duration.ofMillis(500)),
                    System::nanoTime))
            .start();
    var silent = new RecordingBundle(UUID.randomUUID());
    silent.connect(node.sessions, component(4));
    await().atMost(PATIENCE).until(() -> silent.heard(ConsumerMessage.Enable.class).size() == 4);
    silent
        .heard(ConsumerMessage.Enable.class)
        .forEach(
            enabled -> node.consumers.credit(silent.session, RecordingBundle.credit(enabled, 100)));
    cluster.append("a", "b", "c", "d", "e", "f", "g", "h");
    await().atMost(PATIENCE).until(() -> silent.positions().size() == 8);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(notes())
                    .allSatisfy(note -> assertThat(note).contains("said nothing"))
                    .isNotEmpty());

    var handled = new ConcurrentSkipListSet<Long>();
    var other =
        cluster.opened(
            new HandlingBundle(
                node, UUID.randomUUID(), (events, event) -> handled.add(event.position())));
    other.connect(node.sessions, component(4));
    await().atMost(PATIENCE).until(() -> checkpoints().equals(Set.of(cluster.head())));
    assertThat(handled).hasSize(8);
    await().atMost(PATIENCE).until(() -> notes().isEmpty());
  }

  private static Component component(int segments) {
    return RecordingBundle.projector(
        "accounts", new Consumption(List.of(), List.of(), "beginning", segments));
  }

  private static ConsumerMessage.Enable enabled(RecordingBundle bundle, long after) {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                bundle
                    .last(ConsumerMessage.Enable.class)
                    .filter(e -> e.fence() > after)
                    .isPresent());
    return bundle.last(ConsumerMessage.Enable.class).orElseThrow();
  }

  private static List<String> notes() {
    return cluster.texts(
        "select note from evento.consumer_segment where note is not null order by segment");
  }

  private static Set<Long> checkpoints() {
    return cluster.numbers("select checkpoint from evento.consumer_segment").stream()
        .collect(Collectors.toSet());
  }
}
