package io.evento.server.consumer.operation;

import static io.evento.server.consumer.operation.LedgerAccounts.PATIENCE;
import static io.evento.server.consumer.operation.LedgerAccounts.asked;
import static io.evento.server.consumer.operation.LedgerAccounts.dry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.segment.Operation;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Operators pause, split, merge and release segments of consumers while these run. */
class OperationsTest {
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private LedgerAccounts accounts;

  @BeforeEach
  void connect() throws SQLException {
    accounts = new LedgerAccounts(cluster);
  }

  @Test
  void a_paused_consumer_is_given_nothing_and_goes_on_where_it_was() throws SQLException {
    var node = cluster.node("a");
    accounts.bundle(node, false, 2);
    accounts.append(10);
    accounts.awaitHead();
    node.operations.pause(asked(null));
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster
                    .texts("select owner from evento.consumer_segment where owner is not null")
                    .isEmpty());
    accounts.append(10);
    await()
        .during(Duration.ofMillis(700))
        .atMost(PATIENCE)
        .until(() -> accounts.ledger.count() == 10);
    assertThat(cluster.texts("select note from evento.consumer")).containsExactly("paused by test");
    assertThatThrownBy(() -> node.operations.pause(asked(null)))
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.CONFLICT));
    node.operations.resume(asked(null));
    accounts.awaitHead();
    assertThat(accounts.ledger.count()).isEqualTo(20);
    assertThat(
            cluster.texts(
                "select action || ' by ' || done_by from evento.consumer_audit order by id"))
        .containsExactly("pause by test", "resume by test");
  }

  @Test
  void a_paused_segment_holds_up_no_other() throws SQLException {
    var node = cluster.node("a");
    accounts.bundle(node, false, 2);
    accounts.append(4);
    accounts.awaitHead();
    node.operations.pause(asked(1));
    accounts.awaitReleased(1);
    accounts.append(20);
    await().atMost(PATIENCE).until(() -> accounts.checkpoint(0) == cluster.head());
    assertThat(accounts.checkpoint(1)).isEqualTo(4);
    node.operations.resume(asked(1));
    accounts.awaitHead();
    assertThat(accounts.ledger.count()).isEqualTo(24);
  }

  @Test
  void a_split_segment_goes_on_as_two_with_nothing_lost_and_nothing_twice() throws SQLException {
    var node = cluster.node("a");
    accounts.bundle(node, true, 1);
    accounts.append(30);
    accounts.awaitHead();
    var before = node.operations.split(dry(0), 32);
    assertThat(before.segments()).hasSize(2);
    assertThat(accounts.segments()).hasSize(1);
    var after = node.operations.split(asked(0), 32);
    assertThat(after.segments()).extracting(Operation.Segment::firstSlot).containsExactly(0, 32);
    accounts.append(30);
    accounts.awaitHead();
    assertThat(accounts.segments()).containsExactly("0: 0-31", "1: 32-127");
    assertThat(accounts.ledger.count()).isEqualTo(60);
    assertThat(
            cluster.texts(
                "select first_slot || '-' || last_slot from mine.evento_checkpoint order by 1"))
        .containsExactly("0-31", "32-127");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void merged_segments_meet_where_the_one_ahead_waits(boolean ownCheckpoint) throws SQLException {
    var node = cluster.node("a");
    accounts.bundle(node, ownCheckpoint, 2);
    accounts.append(20);
    accounts.awaitHead();
    node.operations.pause(asked(1));
    accounts.awaitReleased(1);
    accounts.append(30);
    await().atMost(PATIENCE).until(() -> accounts.checkpoint(0) == 50);
    node.operations.resume(asked(1));
    node.operations.merge(asked(0), 1);
    accounts.append(10);
    await().atMost(PATIENCE).until(() -> accounts.segments().equals(List.of("0: 0-127")));
    accounts.awaitHead();
    assertThat(accounts.ledger.count()).isEqualTo(60);
    assertThat(accounts.ledger.handled.values())
        .allSatisfy(positions -> assertThat(positions).isSorted().doesNotHaveDuplicates());
    assertThat(cluster.texts("select action from evento.consumer_audit order by id"))
        .endsWith("merge", "merged");
  }

  @Test
  void halves_that_stand_apart_in_the_bundles_database_meet_there_before_they_are_one()
      throws SQLException {
    var node = cluster.node("a");
    var first = accounts.bundle(node, true, 2);
    accounts.append(20);
    accounts.awaitHead();
    node.operations.pause(asked(1));
    accounts.awaitReleased(1);
    accounts.append(30);
    await().atMost(PATIENCE).until(() -> accounts.checkpoint(0) == 50);
    node.sessions.drain(first.session);
    node.sessions.remove(first.session);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster
                    .texts("select owner from evento.consumer_segment where owner is not null")
                    .isEmpty());
    // The node that had it was killed before it wrote what was acknowledged.
    cluster.execute("update evento.consumer_segment set checkpoint = 20 where segment = 0");
    node.operations.resume(asked(1));
    node.operations.merge(asked(0), 1);
    await().during(Duration.ofSeconds(2)).until(() -> accounts.segments().size() == 2);
    accounts.bundle(node, true, 2);
    accounts.append(10);
    await().atMost(PATIENCE).until(() -> accounts.segments().equals(List.of("0: 0-127")));
    accounts.awaitHead();
    assertThat(accounts.ledger.count()).isEqualTo(60);
    assertThat(accounts.ledger.handled.values())
        .allSatisfy(positions -> assertThat(positions).isSorted().doesNotHaveDuplicates());
  }

  @Test
  void a_released_lease_is_given_out_under_a_new_fence() throws SQLException {
    var node = cluster.node("a");
    accounts.bundle(node, false, 1);
    accounts.append(5);
    accounts.awaitHead();
    var fence = Long.parseLong(cluster.texts("select fence from evento.consumer_segment").get(0));
    node.operations.release(asked(0));
    accounts.append(5);
    accounts.awaitHead();
    assertThat(Long.parseLong(cluster.texts("select fence from evento.consumer_segment").get(0)))
        .isGreaterThan(fence + 1);
    assertThat(accounts.ledger.count()).isEqualTo(10);
  }

  @Test
  void what_cannot_be_done_is_refused_and_changes_nothing() throws SQLException {
    var node = cluster.node("a");
    accounts.bundle(node, false, 3);
    accounts.append(5);
    accounts.awaitHead();
    var before = accounts.segments();
    refused(ErrorCode.NOT_FOUND, () -> node.operations.split(asked(9), null));
    refused(ErrorCode.INVALID_REQUEST, () -> node.operations.split(asked(0), 0));
    refused(ErrorCode.INVALID_REQUEST, () -> node.operations.split(asked(0), 43));
    refused(ErrorCode.INVALID_REQUEST, () -> node.operations.merge(asked(0), 2));
    refused(ErrorCode.INVALID_REQUEST, () -> node.operations.reset(asked(null), 6, false));
    refused(ErrorCode.CONFLICT, () -> node.operations.resume(asked(0)));
    refused(
        ErrorCode.NOT_FOUND,
        () -> node.operations.pause(new Operations.Asked("nobody", 1, null, "test", null, false)));
    assertThat(accounts.segments()).isEqualTo(before);
    assertThat(cluster.texts("select action from evento.consumer_audit")).isEmpty();
    accounts.append(5);
    accounts.awaitHead();
  }

  private static void refused(ErrorCode code, Runnable what) {
    assertThatThrownBy(what::run)
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(code));
  }
}
