package io.evento.server.consumer.operation;

import static io.evento.server.consumer.operation.LedgerAccounts.PATIENCE;
import static io.evento.server.consumer.operation.LedgerAccounts.asked;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.EventoException;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Operations at random while two nodes deliver and events come. */
class RandomOperationsTest {
  private static final Duration LENGTH = Duration.ofSeconds(12);

  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private LedgerAccounts accounts;

  @BeforeEach
  void connect() throws SQLException {
    accounts = new LedgerAccounts(cluster);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void under_random_operations_every_event_is_handled_in_order_and_by_one_owner_at_a_time(
      boolean ownCheckpoint) throws Exception {
    var seed = System.nanoTime();
    var random = new Random(seed);
    var first = cluster.node("a");
    var second = cluster.node("b");
    accounts.bundle(first, ownCheckpoint, 4);
    accounts.bundle(second, ownCheckpoint, 4);
    accounts.ledger.pauseNanos = 300_000;
    await().atMost(PATIENCE).until(() -> accounts.segments().size() == 4);
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
        .until(() -> accounts.checkpoints().stream().allMatch(c -> c == cluster.head()));
    assertThat(accounts.ledger.overlaps).as("seed " + seed).isEmpty();
    var wanted = all.stream().toList();
    for (var account : accounts.ledger.handled.keySet()) {
      assertNothingLeftOut(
          "account " + account + ", seed " + seed,
          wanted.stream()
              .filter(event -> event.aggregate().id().equals(account))
              .map(RecordedEvent::position)
              .toList(),
          accounts.ledger.of(account));
    }
    assertThat(accounts.ledger.handled).hasSize(50);
    System.out.println(
        "operations done="
            + done
            + " events="
            + wanted.size()
            + " handled="
            + accounts.ledger.count()
            + " segments="
            + accounts.segments());
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
        all.addAll(accounts.append(50));
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
                asked(segment),
                Math.max(0, accounts.checkpoint(segment) - random.nextInt(200)),
                false);
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
}
