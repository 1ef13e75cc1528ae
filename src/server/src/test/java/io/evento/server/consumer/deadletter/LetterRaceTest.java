package io.evento.server.consumer.deadletter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.LedgerBundle;
import io.evento.server.consumer.LedgerBundle.Ledger;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.Store.Draft;
import io.evento.server.consumer.operation.DeadLetters.Chosen;
import io.evento.server.consumer.operation.Operations;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.SegmentId;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What operators ask of dead letters while others of them are being tried; on real nodes. */
class LetterRaceTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final Ledger ledger = new Ledger();
  private final Set<Long> bad = ConcurrentHashMap.newKeySet();
  private DataSource mine;

  @BeforeEach
  void empty() throws SQLException {
    mine = LedgerBundle.database(cluster.database());
  }

  /** Stops whoever handles an event, until a test lets it go on. */
  private static final class Gate {
    private final CountDownLatch entered = new CountDownLatch(1);
    private final CountDownLatch opened = new CountDownLatch(1);

    void pass() {
      entered.countDown();
      try {
        assertThat(opened.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
      }
    }

    void awaitEntered() throws InterruptedException {
      assertThat(entered.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    void open() {
      opened.countDown();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_retry_that_fails_leaves_what_a_drop_asked_for_meanwhile(boolean ownCheckpoint)
      throws Exception {
    var node = cluster.node("a");
    var all = parked(node, ownCheckpoint, 4);
    var gate = new Gate();
    bad.add(position(all, 0));
    ledger.before =
        at -> {
          if (at.position() == position(all, 0)) {
            gate.pass();
          }
          failIfBad(at.position());
        };
    ledger.poisoned.clear();
    node.letters.retry(asked(), new Chosen(null, null), 0);
    gate.awaitEntered();
    node.letters.drop(because("it never will"), new Chosen(letter(0), null));
    gate.open();
    await().atMost(PATIENCE).until(() -> letters().isEmpty());
    assertThat(ledger.of("a-1"))
        .containsExactly(position(all, 1), position(all, 2), position(all, 3));
  }

  @Test
  void a_retry_that_fails_leaves_what_another_retry_asked_for_meanwhile() throws Exception {
    var node = cluster.node("a");
    var all = parked(node, true, 3);
    var gate = new Gate();
    var tries = new CopyOnWriteArrayList<Long>();
    ledger.before =
        at -> {
          tries.add(at.position());
          if (tries.size() == 1) {
            gate.pass();
            throw new IllegalStateException("still poison");
          }
        };
    ledger.poisoned.clear();
    node.letters.retry(asked(), new Chosen(letter(0), null), 0);
    gate.awaitEntered();
    node.letters.retry(asked(), new Chosen(null, null), 0);
    gate.open();
    await().atMost(PATIENCE).until(() -> letters().isEmpty());
    assertThat(ledger.of("a-1")).containsExactlyElementsOf(positions(all));
    assertThat(tries)
        .containsExactly(position(all, 0), position(all, 0), position(all, 1), position(all, 2));
  }

  @Test
  void a_retry_that_fails_takes_back_what_was_asked_before_it_began() throws Exception {
    var node = cluster.node("a");
    var all = parked(node, true, 3);
    node.letters.retry(asked(), new Chosen(letter(0), null), 0);
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(
                        cluster.texts(
                            "select coalesce(retry_at::text, 'not asked')"
                                + " from evento.dead_letter order by position"))
                    .containsExactly("not asked", "not asked", "not asked"));
    assertThat(ledger.count()).isZero();
    assertThat(letters()).containsExactlyElementsOf(positions(all));
  }

  /** The bundle's answer to the letter may have been lost, and its checkpoint is not there yet. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void what_was_dropped_before_the_checkpoint_passed_it_does_not_come_back(boolean ownCheckpoint)
      throws Exception {
    var node = cluster.node("a");
    ledger.poisoned.add("a-1");
    var gate = new Gate();
    ledger.before =
        at -> {
          if (at.aggregateId().equals("a-2")) {
            gate.pass(); // before the poison: what is acknowledged stands below it
          }
        };
    var bundle = LedgerBundle.connect(node, ledger, ownCheckpoint ? mine : null, 1);
    cluster.opened(bundle);
    var all = cluster.append(List.of(Draft.of("a-2"), Draft.of("a-1"), Draft.of("a-1")));
    gate.awaitEntered();
    // As its owner parks it; then the session is lost before the bundle has passed it over.
    var lease = node.deliveries.of(new SegmentId(new ConsumerId("accounts", 1), 0)).orElseThrow();
    var table = new DeadLetterTable(node.database, node.incarnation);
    table.park(
        lease.lease().step(),
        List.of(DeadLetter.of(all.get(1)), DeadLetter.of(all.get(2))),
        "java.lang.IllegalStateException: poison",
        5,
        10);
    node.letters.drop(because("it never will"), new Chosen(letter(0), null));
    assertThat(node.letters.retry(dry(), new Chosen(null, null), 0).deadLetters())
        .as("what is shown, asked for and counted")
        .isEqualTo(1);
    assertThatThrownBy(() -> node.letters.drop(because("again"), new Chosen(letter(0), null)))
        .hasMessageContaining("no such dead letter");
    node.sessions.remove(bundle.session);
    bad.add(position(all, 1));
    ledger.poisoned.clear();
    ledger.before = at -> failIfBad(at.position());
    gate.open();
    cluster.opened(LedgerBundle.connect(node, ledger, ownCheckpoint ? mine : null, 1));
    await()
        .atMost(PATIENCE)
        .until(() -> letters().isEmpty() && checkpoints().equals(List.of(cluster.head())));
    assertThat(ledger.of("a-1")).containsExactly(all.get(2).position());
    cluster.append(List.of(Draft.of("a-1")));
    await().atMost(PATIENCE).until(() -> ledger.of("a-1").size() == 2);
  }

  @Test
  void a_step_that_fails_leaves_what_a_drop_asked_for_meanwhile() throws Exception {
    var node = cluster.node("a");
    var handled = new CopyOnWriteArrayList<Long>();
    var gate = new Gate();
    var gated = ConcurrentHashMap.<Long>newKeySet();
    cluster.opened(
        new SteppingBundle(
                node,
                SteppingBundle.saga(1),
                (input, state) -> {
                  var at = position(input);
                  if (gated.contains(at)) {
                    gate.pass();
                  }
                  failIfBad(at);
                  handled.add(at);
                  return StepMessage.Result.NOTHING;
                })
            .connect());
    bad.add(1L);
    cluster.append("a-1", "a-1", "a-1");
    await().atMost(PATIENCE).until(() -> letters().size() == 3);
    gated.add(1L);
    node.letters.retry(greeting(null), new Chosen(null, null), 0);
    gate.awaitEntered();
    node.letters.drop(greeting("it never will"), new Chosen(letter(0), null));
    gate.open();
    await().atMost(PATIENCE).until(() -> letters().isEmpty());
    assertThat(handled).containsExactly(2L, 3L);
  }

  @Test
  void a_step_whose_letter_is_dropped_while_it_is_decided_has_no_effect() throws Exception {
    var node = cluster.node("a");
    var gate = new Gate();
    var gated = ConcurrentHashMap.<Long>newKeySet();
    cluster.opened(
        new SteppingBundle(
                node,
                SteppingBundle.saga(1),
                (input, state) -> {
                  var at = position(input);
                  if (gated.contains(at)) {
                    gate.pass();
                  }
                  failIfBad(at);
                  if (input.event() == null) {
                    return StepMessage.Result.NOTHING; // of the outcome of what was sent
                  }
                  return SteppingBundle.to(
                      "\"" + at + "\"", SteppingBundle.command("Greet", "{\"at\":" + at + "}"));
                })
            .connect());
    var sent = new CopyOnWriteArrayList<String>();
    var done = node.router;
    node.router =
        command -> {
          sent.add(command.payload().text());
          return done.apply(command);
        };
    bad.add(1L);
    cluster.append("a-1", "a-1");
    await().atMost(PATIENCE).until(() -> letters().size() == 2);
    bad.clear();
    gated.add(1L);
    node.letters.retry(greeting(null), new Chosen(null, null), 0);
    gate.awaitEntered();
    // As where its row of the segment is behind: the letter's place is kept then.
    cluster.execute("update evento.consumer_segment set checkpoint = 0");
    node.letters.drop(greeting("it never will"), new Chosen(letter(0), null));
    gate.open();
    await().atMost(PATIENCE).until(() -> letters().isEmpty() && !sent.isEmpty());
    assertThat(sent).containsExactly("{\"at\":2}");
  }

  /**
   * Whatever operators ask for in whatever order, while handlers fail and mend: once all was asked
   * for, nothing is parked whose handler succeeds, nothing that was dropped has come back, and each
   * key was handled in order, each event once.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void after_any_sequence_that_ends_with_all_asked_nothing_stays_parked(long seed)
      throws Exception {
    var random = new Random(seed);
    var node = cluster.node("a");
    var ownCheckpoint = seed % 3 != 0;
    var gate = new AtomicReference<@Nullable Gate>();
    ledger.before =
        at -> {
          if (bad.contains(at.position())) {
            LockSupport.parkNanos(seed * 2_000_000L); // some of what is asked comes in between
            var shut = gate.get();
            if (shut != null) {
              shut.pass();
            }
            throw new IllegalStateException("poison at " + at.position());
          }
        };
    cluster.opened(LedgerBundle.connect(node, ledger, ownCheckpoint ? mine : null, 2));
    var all = new ArrayList<RecordedEvent>();
    var dropped = new HashSet<Long>();
    for (var phase = 0; phase < 3; phase++) {
      anything(node, random, all, dropped);
      // All that is to be parked is, and one that fails is under way when all is asked for.
      await()
          .atMost(PATIENCE)
          .until(() -> checkpoints().equals(List.of(cluster.head(), cluster.head())));
      if (letters().stream().anyMatch(bad::contains)) {
        var underWay = new Gate();
        gate.set(underWay);
        node.letters.retry(asked(), new Chosen(null, null), 0);
        underWay.awaitEntered();
        bad.retainAll(dropped);
        ask(() -> node.letters.retry(asked(), new Chosen(null, null), 0));
        gate.set(null);
        underWay.open();
      } else {
        ask(() -> node.letters.retry(asked(), new Chosen(null, null), 0));
      }
      await().atMost(PATIENCE).until(() -> letters().isEmpty());
    }
    var handled = new TreeSet<Long>();
    for (var account : List.of("a-1", "a-2", "a-3")) {
      var effects =
          ownCheckpoint
              ? cluster.numbers(
                  "select position from mine.handled where account = '" + account + "' order by n")
              : ledger.of(account);
      assertThat(effects).as("order of %s", account).isSorted().doesNotHaveDuplicates();
      handled.addAll(effects);
    }
    var rest = new TreeSet<>(positions(all));
    rest.removeAll(dropped);
    assertThat(handled).as("what nobody dropped").containsAll(rest);
  }

  /** Appends, poisons, mends, asks and drops at random. */
  private void anything(
      ConsumerNode node, Random random, List<RecordedEvent> all, Set<Long> dropped)
      throws SQLException {
    for (var round = 0; round < 20; round++) {
      switch (random.nextInt(10)) {
        case 0, 1 -> {
          var drafts =
              IntStream.range(0, 1 + random.nextInt(6))
                  .mapToObj(i -> Draft.of("a-" + (1 + random.nextInt(3))))
                  .toList();
          var next = cluster.head() + 1;
          IntStream.range(0, drafts.size())
              .filter(i -> random.nextInt(3) == 0)
              .forEach(i -> bad.add(next + i));
          all.addAll(cluster.append(drafts));
        }
        case 2, 3 -> bad.removeIf(position -> random.nextInt(4) == 0);
        case 4, 5 -> ask(() -> node.letters.retry(asked(), new Chosen(null, null), 0));
        case 6 ->
            some(random)
                .ifPresent(id -> ask(() -> node.letters.retry(asked(), new Chosen(id, null), 0)));
        case 7 ->
            ask(
                () ->
                    node.letters.retry(
                        asked(), new Chosen(null, "java.lang.IllegalStateException"), 200));
        default ->
            some(random)
                .ifPresent(
                    id -> {
                      var at =
                          cluster.numbers(
                              "select position from evento.dead_letter where id = '" + id + "'");
                      // For good: if it comes back, it is parked for good.
                      dropped.addAll(at);
                      bad.addAll(at);
                      ask(() -> node.letters.drop(because("random"), new Chosen(id, null)));
                    });
      }
    }
  }

  /** What nobody has a letter of any more is no reason to stop. */
  private static void ask(Runnable operation) {
    try {
      operation.run();
    } catch (EventoException none) {
      assertThat(none.code()).isEqualTo(ErrorCode.NOT_FOUND);
    }
  }

  private static Optional<UUID> some(Random random) {
    var all = cluster.texts("select id::text from evento.dead_letter order by position, id");
    return all.isEmpty()
        ? Optional.empty()
        : Optional.of(UUID.fromString(all.get(random.nextInt(all.size()))));
  }

  private void failIfBad(long position) {
    if (bad.contains(position)) {
      throw new IllegalStateException("poison at " + position);
    }
  }

  private static long position(StepMessage.Input input) {
    return input.event() == null ? 0 : input.event().position();
  }

  /** Events of one account that are all parked, the first of them as poison. */
  private List<RecordedEvent> parked(ConsumerNode node, boolean ownCheckpoint, int count)
      throws SQLException {
    ledger.poisoned.add("a-1");
    cluster.opened(LedgerBundle.connect(node, ledger, ownCheckpoint ? mine : null, 1));
    var all = cluster.append(Collections.nCopies(count, Draft.of("a-1")));
    await()
        .atMost(PATIENCE)
        .until(() -> letters().size() == count && checkpoints().equals(List.of(cluster.head())));
    return all;
  }

  private static long position(List<RecordedEvent> events, int index) {
    return events.get(index).position();
  }

  private static List<Long> positions(List<RecordedEvent> events) {
    return events.stream().map(RecordedEvent::position).toList();
  }

  private static UUID letter(int index) {
    return UUID.fromString(
        cluster.texts("select id::text from evento.dead_letter order by position").get(index));
  }

  private static List<Long> letters() {
    return cluster.numbers("select position from evento.dead_letter order by position");
  }

  private static List<Long> checkpoints() {
    return cluster.numbers("select checkpoint from evento.consumer_segment order by segment");
  }

  private static Operations.Asked asked() {
    return new Operations.Asked("accounts", 1, null, "test", null, false);
  }

  private static Operations.Asked dry() {
    return new Operations.Asked("accounts", 1, null, "test", null, true);
  }

  private static Operations.Asked because(String reason) {
    return new Operations.Asked("accounts", 1, null, "test", reason, false);
  }

  private static Operations.Asked greeting(@Nullable String reason) {
    return new Operations.Asked("greeting", 1, null, "test", reason, false);
  }
}
