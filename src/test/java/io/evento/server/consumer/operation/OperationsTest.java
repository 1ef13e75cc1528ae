package io.evento.server.consumer.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DeclareMessage;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Rejection;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.LedgerBundle;
import io.evento.server.consumer.LedgerBundle.Ledger;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.Store.Draft;
import io.evento.server.consumer.segment.Operation;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What operators do to consumers while these run. */
class OperationsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration LENGTH = Duration.ofSeconds(12);

  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final Ledger ledger = new Ledger();
  private DataSource mine;

  @BeforeEach
  void empty() throws SQLException {
    mine = LedgerBundle.database(cluster.database());
  }

  @Test
  void a_paused_consumer_is_given_nothing_and_goes_on_where_it_was() throws SQLException {
    var node = cluster.node("a");
    bundle(node, false, 2);
    append(10);
    awaitHead();
    node.operations.pause(asked(null));
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster
                    .texts("select owner from evento.consumer_segment where owner is not null")
                    .isEmpty());
    append(10);
    await().during(Duration.ofMillis(700)).atMost(PATIENCE).until(() -> ledger.count() == 10);
    assertThat(cluster.texts("select note from evento.consumer")).containsExactly("paused by test");
    assertThatThrownBy(() -> node.operations.pause(asked(null)))
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.CONFLICT));
    node.operations.resume(asked(null));
    awaitHead();
    assertThat(ledger.count()).isEqualTo(20);
    assertThat(
            cluster.texts(
                "select action || ' by ' || done_by from evento.consumer_audit order by id"))
        .containsExactly("pause by test", "resume by test");
  }

  @Test
  void a_paused_segment_holds_up_no_other() throws SQLException {
    var node = cluster.node("a");
    bundle(node, false, 2);
    append(4);
    awaitHead();
    node.operations.pause(asked(1));
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster
                    .texts(
                        "select owner from evento.consumer_segment where segment = 1 and owner is not null")
                    .isEmpty());
    append(20);
    await().atMost(PATIENCE).until(() -> checkpoint(0) == cluster.head());
    assertThat(checkpoint(1)).isEqualTo(4);
    node.operations.resume(asked(1));
    awaitHead();
    assertThat(ledger.count()).isEqualTo(24);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void after_a_reset_events_come_again_and_once_more_only_once(boolean ownCheckpoint)
      throws Exception {
    var node = cluster.node("a");
    bundle(node, ownCheckpoint, 2);
    append(20);
    awaitHead();
    var would = node.operations.reset(dry(null), 5, false);
    assertThat(would.dryRun()).isTrue();
    assertThat(would.segments()).extracting(Operation.Segment::checkpoint).containsExactly(5L, 5L);
    assertThat(checkpoints()).containsExactly(20L, 20L);
    node.operations.reset(asked(null), 5, false);
    await().atMost(PATIENCE).until(() -> ledger.count() == 35);
    awaitHead();
    // Whoever has the segments next goes on where they stand.
    node.leave();
    var next = cluster.node("b");
    bundle(next, ownCheckpoint, 2);
    append(3);
    awaitHead();
    assertThat(ledger.count()).isEqualTo(38);
    assertThat(cluster.texts("select distinct effects_after::text from evento.consumer_segment"))
        .containsExactly("20");
  }

  @Test
  void a_reset_to_a_time_begins_with_the_first_event_since_then() throws Exception {
    var node = cluster.node("a");
    bundle(node, false, 1);
    append(5);
    TimeUnit.MILLISECONDS.sleep(5);
    var between = Instant.now();
    TimeUnit.MILLISECONDS.sleep(5);
    append(3);
    awaitHead();
    assertThat(node.operations.reset(asked(null), between, true).segments().get(0).checkpoint())
        .isEqualTo(5);
    await().atMost(PATIENCE).until(() -> ledger.count() == 11);
  }

  @Test
  void a_reset_sends_no_command_again_unless_it_is_told_to() throws SQLException {
    var node = cluster.node("a");
    var sent = new ConcurrentLinkedQueue<UUID>();
    node.router =
        command -> {
          sent.add(command.id());
          return CompletableFuture.failedStage(
              EventoException.rejected(new Rejection("no", "", null), command.id()));
        };
    var steps = new AtomicInteger();
    var observer =
        new SteppingBundle(
            node,
            (input, state) -> {
              steps.incrementAndGet();
              return new StepMessage.Result(
                  null,
                  false,
                  List.of(new StepMessage.Send("Greet", Json.EMPTY_OBJECT, false)),
                  List.of());
            });
    cluster.opened(observer);
    observer.connect(
        node.sessions,
        new DeclareMessage.Component(
            ComponentKind.OBSERVER,
            "accounts",
            1,
            "bank",
            List.of(),
            List.of(),
            List.of(),
            new DeclareMessage.Consumption(List.of(), List.of(), "beginning", 2),
            null));
    node.passes.wake();
    append(5);
    await().atMost(PATIENCE).until(() -> sent.size() == 5);
    awaitHead();
    node.operations.reset(asked(null), 0, false);
    await().atMost(PATIENCE).until(() -> steps.get() == 10);
    awaitHead();
    append(5);
    await().atMost(PATIENCE).until(() -> sent.size() == 10);
    awaitHead();
    assertThat(sent).doesNotHaveDuplicates();
    node.operations.reset(asked(null), 0, true);
    await().atMost(PATIENCE).until(() -> sent.size() == 20);
    assertThat(sent.stream().distinct()).as("under the same ids").hasSize(10);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_saga_that_a_reset_brings_back_to_life_sets_its_deadlines_only_if_told_to(
      boolean withEffects) throws SQLException {
    var node = cluster.node("a");
    var mayEnd = new AtomicBoolean(true);
    var saga =
        new SteppingBundle(
            node,
            (input, state) ->
                state != null && mayEnd.get()
                    ? new StepMessage.Result(null, true, List.of(), List.of())
                    : new StepMessage.Result(
                        new Json("1"),
                        false,
                        List.of(),
                        List.of(new StepMessage.Deadline("patience", 3_600_000L, null))));
    cluster.opened(saga).connect();
    node.passes.wake();
    var last = cluster.append("a-1", "a-1").get(1).position();
    awaitHead();
    assertThat(cluster.numbers("select count(*) from evento.saga_state where ended_at is not null"))
        .containsExactly(1L);
    assertThat(deadlines()).isZero();

    cluster.execute("delete from evento.saga_state"); // as a week after its end
    mayEnd.set(false); // as it was ended by an outcome, which does not come again
    node.operations.reset(
        new Operations.Asked("greeting", 1, null, "test", null, false), 0, withEffects);
    await()
        .atMost(PATIENCE)
        .until(
            () -> cluster.numbers("select position from evento.saga_state").equals(List.of(last)));
    awaitHead();
    assertThat(deadlines()).isEqualTo(withEffects ? 1 : 0);

    cluster.append("a-1");
    awaitHead();
    assertThat(deadlines()).as("what is new has its effects").isEqualTo(1);
  }

  private static long deadlines() {
    return cluster.numbers("select count(*) from evento.scheduled_message").get(0);
  }

  @Test
  void a_reset_forgets_what_was_doubted() throws SQLException {
    var node = cluster.node("a");
    bundle(node, true, 1);
    append(9);
    awaitHead();
    node.operations.pause(asked(null));
    await().atMost(PATIENCE).until(() -> node.keeper.holdsNothing());
    cluster.execute(
        "update evento.consumer_segment set doubt_from = 3, doubt_upto = 3, doubt_sessions = 3,"
            + " doubt_alone = true");
    node.operations.reset(asked(null), 0, false);
    assertThat(cluster.texts("select distinct doubt_sessions from evento.consumer_segment"))
        .containsExactly("0");
  }

  @Test
  void a_reset_forgets_the_letters_of_what_comes_again() throws SQLException {
    var node = cluster.node("a");
    ledger.poisoned.add("a-1");
    bundle(node, true, 1);
    append(9);
    append(9);
    await()
        .atMost(PATIENCE)
        .until(() -> cluster.texts("select position from evento.dead_letter").size() == 2);
    awaitHead();
    ledger.poisoned.clear();
    assertThat(node.operations.reset(asked(null), 5, false).deadLetters()).isEqualTo(1);
    awaitHead();
    await()
        .atMost(PATIENCE)
        .until(() -> cluster.texts("select position from evento.dead_letter").size() == 2);
    assertThat(ledger.of("a-1")).as("still behind the first one").isEmpty();
    node.operations.reset(asked(null), 0, false);
    await().atMost(PATIENCE).until(() -> ledger.of("a-1").size() == 2);
    assertThat(cluster.texts("select position from evento.dead_letter")).isEmpty();
  }

  @Test
  void a_split_segment_goes_on_as_two_with_nothing_lost_and_nothing_twice() throws SQLException {
    var node = cluster.node("a");
    bundle(node, true, 1);
    append(30);
    awaitHead();
    var before = node.operations.split(dry(0), 32);
    assertThat(before.segments()).hasSize(2);
    assertThat(segments()).hasSize(1);
    var after = node.operations.split(asked(0), 32);
    assertThat(after.segments()).extracting(Operation.Segment::firstSlot).containsExactly(0, 32);
    append(30);
    awaitHead();
    assertThat(segments()).containsExactly("0: 0-31", "1: 32-127");
    assertThat(ledger.count()).isEqualTo(60);
    assertThat(
            cluster.texts(
                "select first_slot || '-' || last_slot from mine.evento_checkpoint order by 1"))
        .containsExactly("0-31", "32-127");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void merged_segments_meet_where_the_one_ahead_waits(boolean ownCheckpoint) throws SQLException {
    var node = cluster.node("a");
    bundle(node, ownCheckpoint, 2);
    append(20);
    awaitHead();
    node.operations.pause(asked(1));
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster
                    .texts(
                        "select owner from evento.consumer_segment where segment = 1 and owner is not null")
                    .isEmpty());
    append(30);
    await().atMost(PATIENCE).until(() -> checkpoint(0) == 50);
    node.operations.resume(asked(1));
    node.operations.merge(asked(0), 1);
    append(10);
    await().atMost(PATIENCE).until(() -> segments().equals(List.of("0: 0-127")));
    awaitHead();
    assertThat(ledger.count()).isEqualTo(60);
    assertThat(ledger.handled.values())
        .allSatisfy(positions -> assertThat(positions).isSorted().doesNotHaveDuplicates());
    assertThat(cluster.texts("select action from evento.consumer_audit order by id"))
        .endsWith("merge", "merged");
  }

  @Test
  void halves_that_stand_apart_in_the_bundles_database_meet_there_before_they_are_one()
      throws SQLException {
    var node = cluster.node("a");
    var first = bundle(node, true, 2);
    append(20);
    awaitHead();
    node.operations.pause(asked(1));
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster
                    .texts(
                        "select owner from evento.consumer_segment where segment = 1 and owner is not null")
                    .isEmpty());
    append(30);
    await().atMost(PATIENCE).until(() -> checkpoint(0) == 50);
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
    await().during(Duration.ofSeconds(2)).until(() -> segments().size() == 2);
    bundle(node, true, 2);
    append(10);
    await().atMost(PATIENCE).until(() -> segments().equals(List.of("0: 0-127")));
    awaitHead();
    assertThat(ledger.count()).isEqualTo(60);
    assertThat(ledger.handled.values())
        .allSatisfy(positions -> assertThat(positions).isSorted().doesNotHaveDuplicates());
  }

  @Test
  void a_released_lease_is_given_out_under_a_new_fence() throws SQLException {
    var node = cluster.node("a");
    bundle(node, false, 1);
    append(5);
    awaitHead();
    var fence = Long.parseLong(cluster.texts("select fence from evento.consumer_segment").get(0));
    node.operations.release(asked(0));
    append(5);
    awaitHead();
    assertThat(Long.parseLong(cluster.texts("select fence from evento.consumer_segment").get(0)))
        .isGreaterThan(fence + 1);
    assertThat(ledger.count()).isEqualTo(10);
  }

  @Test
  void what_cannot_be_done_is_refused_and_changes_nothing() throws SQLException {
    var node = cluster.node("a");
    bundle(node, false, 3);
    append(5);
    awaitHead();
    var before = segments();
    refused(ErrorCode.NOT_FOUND, () -> node.operations.split(asked(9), null));
    refused(ErrorCode.INVALID_REQUEST, () -> node.operations.split(asked(0), 0));
    refused(ErrorCode.INVALID_REQUEST, () -> node.operations.split(asked(0), 43));
    refused(ErrorCode.INVALID_REQUEST, () -> node.operations.merge(asked(0), 2));
    refused(ErrorCode.INVALID_REQUEST, () -> node.operations.reset(asked(null), 6, false));
    refused(ErrorCode.CONFLICT, () -> node.operations.resume(asked(0)));
    refused(
        ErrorCode.NOT_FOUND,
        () -> node.operations.pause(new Operations.Asked("nobody", 1, null, "test", null, false)));
    assertThat(segments()).isEqualTo(before);
    assertThat(cluster.texts("select action from evento.consumer_audit")).isEmpty();
    append(5);
    awaitHead();
  }

  private static void refused(ErrorCode code, Runnable what) {
    assertThatThrownBy(what::run)
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(code));
  }

  /** Operations at random while two nodes deliver and events come. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void under_random_operations_every_event_is_handled_in_order_and_by_one_owner_at_a_time(
      boolean ownCheckpoint) throws Exception {
    var seed = System.nanoTime();
    var random = new Random(seed);
    var first = cluster.node("a");
    var second = cluster.node("b");
    bundle(first, ownCheckpoint, 4);
    bundle(second, ownCheckpoint, 4);
    ledger.pauseNanos = 300_000;
    await().atMost(PATIENCE).until(() -> segments().size() == 4);
    var failures = new ConcurrentLinkedQueue<Throwable>();
    var all = new ConcurrentLinkedQueue<RecordedEvent>();
    var goesOn = new AtomicBoolean(true);
    var writer = new Thread(() -> write(goesOn, all, failures));
    writer.start();
    var until = System.nanoTime() + LENGTH.toNanos();
    var done = 0;
    while (System.nanoTime() - until < 0) {
      done += operate(random.nextBoolean() ? first : second, random) ? 1 : 0;
      TimeUnit.MILLISECONDS.sleep(random.nextInt(100));
    }
    goesOn.set(false);
    writer.join();
    assertThat(failures).as("seed " + seed).isEmpty();
    assertThat(done).as("operations that were possible, seed " + seed).isGreaterThan(5);
    resumeAll(first);
    await()
        .atMost(PATIENCE.multipliedBy(2))
        .until(() -> checkpoints().stream().allMatch(c -> c == cluster.head()));
    assertThat(ledger.overlaps).as("seed " + seed).isEmpty();
    var wanted = all.stream().toList();
    for (var account : ledger.handled.keySet()) {
      assertNothingLeftOut(
          "account " + account + ", seed " + seed,
          wanted.stream()
              .filter(event -> event.aggregate().id().equals(account))
              .map(RecordedEvent::position)
              .toList(),
          ledger.of(account));
    }
    assertThat(ledger.handled).hasSize(50);
    System.out.println(
        "operations done="
            + done
            + " events="
            + wanted.size()
            + " handled="
            + ledger.count()
            + " segments="
            + segments());
  }

  /** What is seen may go back, but forwards only to what comes next, and at last to the end. */
  private static void assertNothingLeftOut(String what, List<Long> wanted, List<Long> seen) {
    var furthest = -1;
    for (var position : seen) {
      var place = wanted.indexOf(position);
      assertThat(place).as(what + ": " + position + " after " + seen).isBetween(0, furthest + 1);
      furthest = Math.max(furthest, place);
    }
    assertThat(furthest).as(what).isEqualTo(wanted.size() - 1);
  }

  private void write(
      AtomicBoolean goesOn,
      ConcurrentLinkedQueue<RecordedEvent> all,
      ConcurrentLinkedQueue<Throwable> failures) {
    try {
      while (goesOn.get()) {
        all.addAll(append(50));
        TimeUnit.MILLISECONDS.sleep(60);
      }
    } catch (SQLException | InterruptedException failure) {
      failures.add(failure);
    }
  }

  private boolean operate(ConsumerNode node, Random random) {
    var rows = cluster.texts("select segment from evento.consumer_segment order by first_slot");
    var place = random.nextInt(rows.size());
    var segment = Integer.parseInt(rows.get(place));
    try {
      switch (random.nextInt(7)) {
        case 0 -> node.operations.split(asked(segment), null);
        case 1, 2 ->
            node.operations.merge(
                asked(segment), Integer.parseInt(rows.get((place + 1) % rows.size())));
        case 3 ->
            node.operations.reset(
                asked(segment), Math.max(0, checkpoint(segment) - random.nextInt(200)), false);
        case 4 -> node.operations.release(asked(segment));
        case 5 -> node.operations.pause(asked(segment));
        default -> resumeAll(node);
      }
      return true;
    } catch (EventoException impossible) {
      return false;
    }
  }

  private void resumeAll(ConsumerNode node) {
    for (var segment :
        cluster.texts("select segment from evento.consumer_segment where status = 'paused'")) {
      node.operations.resume(asked(Integer.valueOf(segment)));
    }
  }

  private LedgerBundle bundle(ConsumerNode node, boolean ownCheckpoint, int segments) {
    return cluster.opened(
        LedgerBundle.connect(node, ledger, ownCheckpoint ? mine : null, segments));
  }

  private List<RecordedEvent> append(int events) throws SQLException {
    return cluster.append(
        IntStream.rangeClosed(1, events).mapToObj(i -> Draft.of("a-" + i)).toList());
  }

  private void awaitHead() {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                !checkpoints().isEmpty()
                    && checkpoints().stream().allMatch(c -> c == cluster.head()));
  }

  private static Operations.Asked asked(@Nullable Integer segment) {
    return new Operations.Asked("accounts", 1, segment, "test", null, false);
  }

  private static Operations.Asked dry(@Nullable Integer segment) {
    return new Operations.Asked("accounts", 1, segment, "test", null, true);
  }

  private static List<String> segments() {
    return cluster.texts(
        "select segment || ': ' || first_slot || '-' || last_slot from evento.consumer_segment"
            + " order by first_slot");
  }

  private static List<Long> checkpoints() {
    return cluster.texts("select checkpoint from evento.consumer_segment order by segment").stream()
        .map(Long::valueOf)
        .toList();
  }

  private static long checkpoint(int segment) {
    return Long.parseLong(
        cluster
            .texts("select checkpoint from evento.consumer_segment where segment = " + segment)
            .get(0));
  }
}
