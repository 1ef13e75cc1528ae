package io.evento.server.consumer.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.QueryMessage;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.LedgerBundle;
import io.evento.server.consumer.LedgerBundle.Ledger;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.deadletter.DeadLetterTable.Verdict;
import io.evento.server.consumer.operation.DeadLetters.Chosen;
import io.evento.server.consumer.operation.Operations;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.watermark.Watermarks;
import io.evento.server.routing.Deadline;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a consumer fails on is parked, kept in order, and repaired; on real nodes and SDK. */
@Tag("I7")
class DeadLetterTest {
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
  void a_poisoned_event_parks_its_own_key_only(boolean ownCheckpoint) throws SQLException {
    var node = cluster.node("a");
    ledger.poisoned.add("a-1");
    bundle(node, ownCheckpoint, 2);
    var all = appendRounds(30, 10);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(cluster.letters()).containsExactlyElementsOf(positions(all, "a-1"));
              assertThat(cluster.checkpoints()).containsOnly(cluster.head());
            });
    assertThat(ledger.of("a-1")).isEmpty();
    for (var i = 2; i <= 10; i++) {
      assertThat(ledger.of("a-" + i).stream().distinct())
          .containsExactlyElementsOf(positions(all, "a-" + i));
    }
    assertThat(
            cluster.texts(
                "select attempts || ' ' || cause_group || ' ' || split_part(cause, E'\\n', 1)"
                    + " from evento.dead_letter where failed_at is not null"))
        .containsExactly(
            "5 java.lang.IllegalStateException java.lang.IllegalStateException: poison at "
                + positions(all, "a-1").get(0));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void after_repair_parked_ones_run_in_order_and_the_key_goes_live_without_being_overtaken(
      boolean ownCheckpoint) throws Exception {
    var node = cluster.node("a");
    ledger.poisoned.add("a-1");
    bundle(node, ownCheckpoint, 1);
    var all = new ArrayList<>(appendRounds(5, 3));
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 5);
    var goesOn = new AtomicBoolean(true);
    var writer =
        new Thread(
            () -> {
              try {
                while (goesOn.get()) {
                  // Always a few ahead of what was handled, however slow that is.
                  if (positions(all, "a-1").size() - ledger.of("a-1").size() < 6) {
                    all.addAll(cluster.append("a-1", "a-2"));
                  }
                  TimeUnit.MILLISECONDS.sleep(2);
                }
              } catch (SQLException | InterruptedException failure) {
                throw new IllegalStateException(failure);
              }
            });
    writer.start();
    ledger.poisoned.clear();
    node.letters.retry(asked(), new Chosen(null, null), 0);
    // What comes behind the letters meanwhile is asked for with them.
    await()
        .atMost(PATIENCE)
        .until(() -> cluster.letters().isEmpty() && ledger.of("a-1").size() > 50);
    goesOn.set(false);
    writer.join();
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster.letters().isEmpty()
                    && cluster.checkpoints().equals(List.of(cluster.head())));
    assertThat(ledger.of("a-1")).containsExactlyElementsOf(positions(all, "a-1"));
    if (ownCheckpoint) {
      assertThat(
              cluster.texts(
                  "select position::text from mine.handled where account = 'a-1' order by n"))
          .containsExactlyElementsOf(positions(all, "a-1").stream().map(String::valueOf).toList());
    }
  }

  @Test
  void whoever_waits_for_a_stream_is_told_that_events_of_it_are_parked() throws SQLException {
    var node = cluster.node("a");
    ledger.poisoned.add("a-1");
    bundle(node, false, 1);
    appendRounds(2, 2);
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 2);
    var watermarks =
        new Watermarks(
            node.deliveries,
            node.follower,
            new DeadLetterTable(node.database, node.incarnation),
            node.threads,
            List::of,
            (other, question) -> CompletableFuture.failedStage(new IllegalStateException("none")));
    assertThat(seen(watermarks, "a-2")).succeedsWithin(PATIENCE);
    assertThat(seen(watermarks, "a-1"))
        .failsWithin(PATIENCE)
        .withThrowableThat()
        .withMessageContaining("has parked events of Account:a-1");
    ledger.poisoned.clear();
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty());
    assertThat(seen(watermarks, "a-1")).succeedsWithin(PATIENCE);
  }

  private CompletableFuture<Void> seen(Watermarks watermarks, String account) throws SQLException {
    var after =
        new QueryMessage.After(cluster.head(), new DecideMessage.Aggregate("Account", account));
    return watermarks.seen("accounts:1", after, Deadline.in(20_000)).toCompletableFuture();
  }

  @Test
  void a_letter_that_fails_again_waits_and_its_key_with_it() throws SQLException {
    var node = cluster.node("a");
    ledger.poisoned.add("a-1");
    bundle(node, false, 1);
    appendRounds(3, 1);
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 3);
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(
                        cluster.texts(
                            "select attempts || ' ' || coalesce(retry_at::text, 'not asked')"
                                + " from evento.dead_letter order by position"))
                    .containsExactly("6 not asked", "0 not asked", "0 not asked"));
    assertThat(ledger.count()).isZero();
  }

  @Test
  void one_letter_takes_the_older_ones_of_its_key_along_and_no_younger() throws SQLException {
    var node = cluster.node("a");
    ledger.poisoned.add("a-1");
    bundle(node, true, 1);
    var all = appendRounds(4, 1);
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 4);
    ledger.poisoned.clear();
    var third =
        UUID.fromString(
            cluster.texts("select id::text from evento.dead_letter order by position").get(2));
    assertThat(node.letters.retry(dry(), new Chosen(third, null), 0).deadLetters()).isEqualTo(3);
    node.letters.retry(asked(), new Chosen(third, null), 0);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(ledger.of("a-1"))
                    .containsExactlyElementsOf(positions(all, "a-1").subList(0, 3)));
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 1);
  }

  @Test
  void all_at_a_rate_takes_its_time() throws SQLException {
    var node = cluster.node("a");
    IntStream.rangeClosed(1, 6).forEach(i -> ledger.poisoned.add("a-" + i));
    bundle(node, false, 1);
    appendRounds(1, 6);
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 6);
    ledger.poisoned.clear();
    var before = System.nanoTime();
    node.letters.retry(asked(), new Chosen(null, "java.lang.IllegalStateException"), 2);
    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty());
    assertThat(Duration.ofNanos(System.nanoTime() - before))
        .isGreaterThan(Duration.ofMillis(2_400));
    assertThat(ledger.count()).isEqualTo(6);
  }

  @Test
  void where_dead_letters_are_full_the_consumer_pauses_and_says_so() throws SQLException {
    var node = cluster.node("a");
    node.deadLettersMax = 3;
    ledger.poisoned.add("a-1");
    bundle(node, true, 2);
    appendRounds(5, 4);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(
                        cluster.texts(
                            "select status || ': ' || coalesce(note, '') from evento.consumer"))
                    .hasSize(1)
                    .allMatch(text -> text.startsWith("full: dead letters are full: ")));
    assertThat(cluster.letters()).hasSizeLessThanOrEqualTo(3);
    assertThat(cluster.texts("select action from evento.consumer_audit")).containsExactly("full");
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(
                        cluster.texts(
                            "select note from evento.consumer_segment where note is not null"))
                    .isNotEmpty());
    await()
        .during(Duration.ofMillis(1_500))
        .atMost(PATIENCE)
        .until(() -> cluster.texts("select status from evento.consumer").equals(List.of("full")));
    var before = ledger.count();
    cluster.append("a-2", "a-3", "a-4");
    await().during(Duration.ofMillis(700)).atMost(PATIENCE).until(() -> ledger.count() == before);

    node.deadLettersMax = 100;
    node.operations.resume(asked());
    await()
        .atMost(PATIENCE)
        .until(() -> cluster.checkpoints().stream().allMatch(c -> c == cluster.head()));
    assertThat(cluster.letters()).hasSize(5);
    assertThat(ledger.of("a-2").stream().distinct()).hasSize(6);
  }

  @Test
  void a_dropped_letter_is_gone_with_a_reason_and_what_waited_behind_it_runs() throws SQLException {
    var node = cluster.node("a");
    ledger.poisoned.add("a-1");
    bundle(node, true, 1);
    var all = appendRounds(3, 1);
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 3);
    var group = new Chosen(null, "java.lang.IllegalStateException");
    assertThatThrownBy(() -> node.letters.drop(asked(), group)).hasMessageContaining("/reason");
    assertThat(node.letters.drop(because("bad data", true), group).deadLetters()).isEqualTo(1);
    assertThat(cluster.letters()).hasSize(3);
    ledger.poisoned.clear();
    node.letters.drop(because("bad data", false), group);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(ledger.of("a-1"))
                    .containsExactlyElementsOf(positions(all, "a-1").subList(1, 3)));
    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty());
    assertThat(cluster.texts("select action || ' ' || reason from evento.consumer_audit"))
        .containsExactly("drop bad data");
    cluster.append("a-1");
    await().atMost(PATIENCE).until(() -> ledger.of("a-1").size() == 3);
  }

  @Test
  void what_passes_by_itself_parks_nothing() throws SQLException {
    var node = cluster.node("a");
    ledger.failures.put("a-1", new EventoException(ErrorCode.OVERLOADED, "busy"));
    ledger.failures.put(
        "a-2", new IllegalStateException(new EventoException(ErrorCode.NO_HANDLER, "nobody")));
    var bundle = bundle(node, true, 1);
    cluster.append("a-1", "a-2");
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                bundle.session.isOpen()
                    && node.consumerMetrics.nacks(new ConsumerId("accounts", 1)).count() > 7);
    assertThat(cluster.letters()).isEmpty();
    ledger.failures.clear();
    await().atMost(PATIENCE).until(() -> cluster.checkpoints().equals(List.of(2L)));
    assertThat(cluster.letters()).isEmpty();
    assertThat(ledger.of("a-1")).isNotEmpty();
  }

  @Test
  void an_owner_that_was_fenced_off_parks_nothing_also_after_a_split() throws SQLException {
    var node = cluster.node("a");
    bundle(node, false, 1);
    cluster.append("a-1");
    await().atMost(PATIENCE).until(() -> cluster.checkpoints().equals(List.of(1L)));
    var old = delivery(node, 0).lease();
    var table = new DeadLetterTable(node.database, node.incarnation);
    var letter = List.of(new DeadLetter("Account:a-1", 0, 1, UUID.randomUUID(), "MoneyDeposited"));
    assertThat(table.park(old.step(), letter, "x", 5, 10)).isEqualTo(Verdict.DONE);
    node.operations.split(asked(0), null);
    var late = List.of(new DeadLetter("Account:a-9", 0, 2, UUID.randomUUID(), "MoneyDeposited"));
    assertThat(table.park(old.step(), late, "x", 5, 10)).isEqualTo(Verdict.FENCED);
    assertThat(table.parkBehind(old.step(), letter, 10).verdict()).isEqualTo(Verdict.FENCED);
    old.reach(7, null);
    assertThat(node.segments.write(List.of(old.step()), node.incarnation)).isEmpty();
    assertThat(cluster.letters()).containsExactly(1L);
    assertThat(cluster.checkpoints()).containsOnly(1L);
  }

  @Test
  void a_key_stays_parked_for_the_next_owner() throws Exception {
    var first = cluster.node("a");
    ledger.poisoned.add("a-1");
    bundle(first, true, 1);
    appendRounds(2, 2);
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 2);
    first.leave();
    ledger.poisoned.clear();
    var second = cluster.node("b");
    bundle(second, true, 1);
    appendRounds(2, 2);
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 4);
    assertThat(ledger.of("a-1")).isEmpty();
    second.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty());
    assertThat(ledger.of("a-1")).hasSize(4).isSorted();
  }

  @Test
  void letters_of_events_that_the_store_lost_are_forgotten() throws Exception {
    var node = cluster.node("a");
    ledger.poisoned.add("a-1");
    bundle(node, false, 1);
    cluster.append("a-2", "a-1", "a-1");
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(2L, 3L)));
    await().atMost(PATIENCE).until(() -> cluster.checkpoints().equals(List.of(3L)));
    cluster.store().loseAbove(2);
    cluster.append("a-2", "a-2");
    await().atMost(PATIENCE).until(() -> cluster.checkpoints().equals(List.of(4L)));
    assertThat(cluster.letters()).containsExactly(2L);
  }

  private LedgerBundle bundle(ConsumerNode node, boolean ownCheckpoint, int segments) {
    return cluster.opened(
        LedgerBundle.connect(node, ledger, ownCheckpoint ? mine : null, segments));
  }

  private static Delivery delivery(ConsumerNode node, int segment) {
    return node.deliveries.of(new SegmentId(new ConsumerId("accounts", 1), segment)).orElseThrow();
  }

  private static Operations.Asked asked() {
    return asked(null);
  }

  private static Operations.Asked asked(@Nullable Integer segment) {
    return new Operations.Asked("accounts", 1, segment, "test", null, false);
  }

  private static Operations.Asked dry() {
    return new Operations.Asked("accounts", 1, null, "test", null, true);
  }

  private static Operations.Asked because(String reason, boolean dryRun) {
    return new Operations.Asked("accounts", 1, null, "test", reason, dryRun);
  }

  /** One event for each account, again and again. */
  private static List<RecordedEvent> appendRounds(int rounds, int accounts) throws SQLException {
    return cluster.appendRounds(
        rounds, IntStream.rangeClosed(1, accounts).mapToObj(i -> "a-" + i).toArray(String[]::new));
  }

  private static List<Long> positions(List<RecordedEvent> events, String account) {
    return events.stream()
        .filter(event -> event.aggregate().id().equals(account))
        .map(RecordedEvent::position)
        .toList();
  }
}
