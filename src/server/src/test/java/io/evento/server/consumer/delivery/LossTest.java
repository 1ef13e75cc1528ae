package io.evento.server.consumer.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.LedgerBundle;
import io.evento.server.consumer.LedgerBundle.Ledger;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.Store.Draft;
import io.evento.server.consumer.operation.Operations;
import io.evento.server.consumer.segment.Slots;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Consumers that handled events which the store has lost since are named; on real nodes. */
@Tag("I10")
class LossTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final Ledger ledger = new Ledger();
  private DataSource mine;

  @BeforeEach
  void empty() throws SQLException {
    mine = LedgerBundle.database(cluster.database());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_projector_that_handled_lost_events_is_marked_with_positions_and_streams(
      boolean ownCheckpoint) throws SQLException {
    var node = cluster.node("a");
    connect(node, ownCheckpoint, 1);
    append("a-1", "a-2", "a-1", "a-2", "a-3");
    awaitCheckpoint(5);
    var former = cluster.store().epoch();
    cluster.store().loseAbove(3);
    append("a-9");
    awaitCheckpoint(4);
    assertThat(node.lostEvents.all())
        .singleElement()
        .satisfies(
            loss -> {
              assertThat(loss.name()).isEqualTo("accounts");
              assertThat(loss.epoch()).isEqualTo(former);
              assertThat(loss.from()).isEqualTo(4);
              assertThat(loss.to()).isEqualTo(5);
              assertThat(loss.events()).isEqualTo(2);
              assertThat(loss.streams()).containsExactly("Account:a-2", "Account:a-3");
              assertThat(loss.certain()).isTrue();
            });
    assertThat(cluster.texts("select action || ' ' || done_by from evento.consumer_audit"))
        .containsExactly("lost server");
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                node.metrics
                    .scrape()
                    .contains("evento_consumer_lost_events{consumer=\"accounts:1\"} 2"));
  }

  @Test
  void a_segment_that_was_given_none_of_the_lost_events_is_not_marked() throws SQLException {
    var node = cluster.node("a");
    connect(node, true, 4);
    append("a-1", "a-2", "a-3", "a-4");
    append("a-1", "a-1", "a-1");
    awaitCheckpoint(7);
    cluster.store().loseAbove(4);
    append("a-2");
    awaitCheckpoint(5);
    var slot = Slots.of(new RecordedEvent.Stream("Account", "a-1"));
    assertThat(node.lostEvents.all())
        .singleElement()
        .satisfies(loss -> assertThat(slot).isBetween(loss.firstSlot(), loss.lastSlot()));
  }

  /** As where both are in one database: what was lost there did nothing that is left. */
  @Test
  void a_projector_whose_own_database_lost_them_too_is_not_marked() throws SQLException {
    var node = cluster.node("a");
    connect(node, true, 1);
    append("a-1", "a-2", "a-1", "a-2", "a-3");
    awaitCheckpoint(5);
    cluster.execute(
        "update mine.evento_checkpoint set position = 2;"
            + "update evento.consumer_segment set checkpoint = 2, command_id = null;"
            + "delete from mine.handled where position > 2");
    ledger.handled.clear();
    cluster.store().loseAbove(3);
    append("a-9");
    awaitCheckpoint(4);
    assertThat(node.lostEvents.all()).isEmpty();
    assertThat(cluster.numbers("select position from mine.handled order by n"))
        .containsExactly(1L, 2L, 3L, 4L);
  }

  /** It may have been told of events whose acknowledgement nobody has any more. */
  @Test
  void a_projector_without_its_own_checkpoint_is_marked_for_what_it_was_sent() throws Exception {
    var node = cluster.node("a");
    var bundle = connect(node, false, 1);
    append("a-1", "a-2", "a-3");
    awaitCheckpoint(3);
    bundle.freeze();
    append("a-4");
    await().atMost(PATIENCE).until(() -> bundle.positions().contains(4L));
    cluster.store().loseAbove(3);
    node.sessions.remove(bundle.session);
    connect(node, false, 1);
    append("a-9");
    awaitCheckpoint(4);
    assertThat(node.lostEvents.all())
        .singleElement()
        .satisfies(
            loss -> {
              assertThat(loss.from()).isEqualTo(4);
              assertThat(loss.to()).isEqualTo(4);
              assertThat(loss.certain()).isFalse();
              assertThat(loss.streams()).containsExactly("Account:a-4");
            });
  }

  /** As after a restore: the rows have forgotten, and any node may take the segment then. */
  @Test
  void what_one_node_gave_is_marked_though_another_one_has_the_segment_now() throws SQLException {
    var former = cluster.node("a");
    var bundle = connect(former, false, 1);
    append("a-1", "a-2", "a-3");
    awaitCheckpoint(3);
    former.sessions.remove(bundle.session);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster
                    .texts("select owner from evento.consumer_segment where owner is not null")
                    .isEmpty());
    cluster.execute("update evento.consumer_segment set checkpoint = 2, command_id = null");
    cluster.store().loseAbove(2);
    var owner = cluster.node("b");
    connect(owner, false, 1);
    append("a-9");
    awaitCheckpoint(3);
    await().atMost(PATIENCE).until(() -> !owner.lostEvents.all().isEmpty());
    assertThat(owner.lostEvents.all())
        .singleElement()
        .satisfies(
            loss -> {
              assertThat(loss.from()).isEqualTo(3);
              assertThat(loss.to()).isEqualTo(3);
              assertThat(loss.streams()).containsExactly("Account:a-3");
            });
  }

  @Test
  void a_saga_whose_steps_about_lost_events_are_stored_is_marked() throws SQLException {
    var node = cluster.node("a");
    saga(node, new CopyOnWriteArrayList<>());
    append("a-1", "a-2", "a-3");
    awaitCheckpoint(3);
    cluster.store().loseAbove(1);
    append("a-9");
    awaitCheckpoint(2);
    assertThat(node.lostEvents.all())
        .singleElement()
        .satisfies(
            loss -> {
              assertThat(loss.from()).isEqualTo(2);
              assertThat(loss.to()).isEqualTo(3);
              assertThat(loss.streams()).containsExactly("Account:a-2", "Account:a-3");
            });
  }

  /** A promoted server that has the events, but not the last steps about them. */
  @Test
  void steps_that_a_server_has_lost_are_taken_again_before_any_later_one() throws SQLException {
    var node = cluster.node("a");
    var steps = new CopyOnWriteArrayList<Long>();
    saga(node, steps);
    append("a-1", "a-2", "a-3");
    awaitCheckpoint(3);
    cluster.execute(
        "update evento.consumer_segment set checkpoint = 1, command_id = null;"
            + "delete from evento.saga_state where key <> 'a-1'");
    append("a-4");
    awaitCheckpoint(4);
    assertThat(cluster.texts("select key from evento.saga_state order by key"))
        .containsExactly("a-1", "a-2", "a-3", "a-4");
    assertThat(node.lostEvents.all()).isEmpty();
  }

  @Test
  void a_reset_to_before_them_or_a_persons_word_takes_the_mark_away() throws SQLException {
    var node = cluster.node("a");
    connect(node, true, 1);
    append("a-1", "a-2", "a-3");
    awaitCheckpoint(3);
    cluster.store().loseAbove(1);
    append("a-9");
    awaitCheckpoint(2);
    assertThat(node.lostEvents.all()).hasSize(1);

    assertThatThrownBy(() -> node.operations.confirmLost(asked(null, null, false)))
        .hasMessageContaining("/reason");
    node.operations.confirmLost(asked(null, "try", true));
    assertThat(node.lostEvents.all()).as("after a dry run").hasSize(1);
    node.operations.reset(asked(null, null, false), 2, false);
    assertThat(node.lostEvents.all()).as("after a reset beyond them").hasSize(1);
    assertThat(node.operations.confirmLost(asked(0, "compared by hand", false)).detail())
        .isEqualTo("lost events are confirmed for segment 0, 1 marks");
    assertThat(node.lostEvents.all()).isEmpty();
    assertThatThrownBy(() -> node.operations.confirmLost(asked(null, "again", false)))
        .hasMessageContaining("no lost events are marked");
    assertThat(
            cluster.texts("select reason from evento.consumer_audit where action = 'confirm-lost'"))
        .containsExactly("compared by hand");

    cluster.store().loseAbove(1);
    append("a-9");
    awaitCheckpoint(2);
    await().atMost(PATIENCE).until(() -> node.lostEvents.all().size() == 1);
    node.operations.reset(asked(null, null, false), 0, false);
    assertThat(node.lostEvents.all()).isEmpty();
    await().atMost(PATIENCE).until(() -> checkpoints().equals(List.of(2L)));
    assertThat(node.lostEvents.all()).as("once it was handled again").isEmpty();
  }

  /**
   * Its own checkpoint follows the reset into the new life, where it says nothing of the old one.
   */
  @Test
  void what_is_lost_between_a_reset_and_the_bundle_that_follows_it_is_marked() throws SQLException {
    var node = cluster.node("a");
    connect(node, true, 1);
    append("a-1", "a-2", "a-3");
    awaitCheckpoint(3);
    node.operations.pause(asked(null, "to reset it", false));
    node.operations.reset(asked(null, null, false), 3, false);
    cluster.store().loseAbove(1);
    append("a-9");
    node.operations.resume(asked(null, null, false));
    awaitCheckpoint(2);
    assertThat(node.lostEvents.all())
        .singleElement()
        .satisfies(
            loss -> {
              assertThat(loss.from()).isEqualTo(2);
              assertThat(loss.to()).isEqualTo(3);
              assertThat(loss.streams()).containsExactly("Account:a-2", "Account:a-3");
              assertThat(loss.certain()).isFalse();
            });
  }

  @Test
  void a_projector_is_told_in_the_transaction_that_takes_its_checkpoint_back() throws SQLException {
    var node = cluster.node("a");
    ledger.failRewinds = 1;
    connect(node, true, 1);
    append("a-1", "a-2", "a-3");
    awaitCheckpoint(3);
    var former = cluster.store().epoch();
    cluster.store().loseAbove(1);
    append("a-9");
    awaitCheckpoint(2);
    assertThat(ledger.rewinds).as("the first time it failed").hasSize(2);
    assertThat(cluster.texts("select what from mine.rewound"))
        .as("what was committed")
        .containsExactly("accounts:1 0 " + former + " 2..3 " + cluster.store().epoch());
    cluster.append(List.of(Draft.of("a-9")));
    awaitCheckpoint(3);
    assertThat(ledger.rewinds).hasSize(2);
  }

  private void saga(ConsumerNode node, List<Long> steps) {
    cluster.opened(
        new SteppingBundle(
                node,
                SteppingBundle.saga(1),
                (input, state) -> {
                  var event = input.event();
                  steps.add(event == null ? 0L : event.position());
                  return event == null
                      ? StepMessage.Result.NOTHING
                      : SteppingBundle.to("\"" + event.position() + "\"");
                })
            .connect());
  }

  private LedgerBundle connect(ConsumerNode node, boolean ownCheckpoint, int segments) {
    return cluster.opened(
        LedgerBundle.connect(node, ledger, ownCheckpoint ? mine : null, segments));
  }

  private static void append(String... accounts) throws SQLException {
    cluster.append(accounts);
  }

  private static void awaitCheckpoint(long position) {
    await().atMost(PATIENCE).untilAsserted(() -> assertThat(checkpoints()).containsOnly(position));
  }

  private static List<Long> checkpoints() {
    return cluster.numbers(
        "select s.checkpoint from evento.consumer_segment s"
            + " where s.epoch = (select id from evento.store_epoch order by ordinal desc limit 1)"
            + " order by s.segment");
  }

  private static Operations.Asked asked(
      @Nullable Integer segment, @Nullable String reason, boolean dryRun) {
    return new Operations.Asked("accounts", 1, segment, "test", reason, dryRun);
  }
}
