package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.launcher.Member;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.GatedDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The transaction of a projector that was given an event by a node which then froze beyond its
 * lease: it begins when the segment has long been somebody else's.
 */
@TestMethodOrder(OrderAnnotation.class)
@Tag("I6")
class LateTransactionIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String CONSUMER = "late-transactions";

  /** For the table, and for the claim. */
  private static final int UNTIL_CLAIMED = 2;

  @RegisterExtension static final Cluster cluster = Cluster.running();

  record MoneyDeposited(long amount) {}

  /** Notes what it is given, in memory: what the transaction does is not looked at. */
  @Projector(name = CONSUMER, context = "bank", start = Projector.Start.END, segments = 1)
  static final class Noting {
    private final Queue<String> seen = new ConcurrentLinkedQueue<>();

    @EventHandler
    void on(MoneyDeposited event, EventMetadata at, Connection transaction) {
      seen.add(at.aggregateId() + " " + event.amount());
    }

    long count(Bank account, long amount) {
      return seen.stream().filter((account.account() + " " + amount)::equals).count();
    }
  }

  @BeforeEach
  void everybody_is_back() throws InterruptedException {
    for (var node : cluster.nodes()) {
      node.resume();
      cluster.awaitReady(node);
    }
  }

  /**
   * The successor has claimed the one checkpoint and not moved it: the fence alone is in the way.
   */
  @Test
  @Order(1)
  void is_refused_once_its_successor_has_claimed_the_checkpoint() throws Exception {
    lateTransaction(UNTIL_CLAIMED, successor -> {});
  }

  @Test
  @Order(2)
  void is_refused_after_its_segment_was_split() throws Exception {
    lateTransaction(
        Integer.MAX_VALUE / 2,
        successor -> {
          operate(successor, "split");
          await("both halves are claimed").atMost(PATIENCE).until(() -> checkpoints() == 2);
        });
  }

  private interface Meanwhile {
    void happens(Member successor) throws Exception;
  }

  private void lateTransaction(int successorMay, Meanwhile meanwhile) throws Exception {
    var frozen = cluster.node(2);
    var successor = cluster.node(3);
    var account = Bank.account(cluster);
    var late = new Noting();
    var next = new Noting();
    var lateDatabase = new GatedDatabase(cluster.database());
    var nextDatabase = new GatedDatabase(cluster.database());
    lateDatabase.open();
    try (var lateBundle = bundle(frozen, late, lateDatabase)) {
      assertThat(lateBundle).isNotNull();
      await("the first is at work")
          .atMost(PATIENCE)
          .until(() -> account.deposit(successor, 1).isSuccess() && late.count(account, 1) > 0);
      lateDatabase.shut();
      account.deposit(successor, 2);
      await("its transaction is about to begin").atMost(PATIENCE).until(lateDatabase::hasWaiting);
      frozen.pause();
      try (var nextBundle = bundle(successor, next, nextDatabase)) {
        assertThat(nextBundle).isNotNull();
        var fence = fence();
        nextDatabase.let(successorMay);
        await("the successor has the checkpoint").atMost(PATIENCE).until(() -> fence() > fence);
        meanwhile.happens(successor);

        lateDatabase.open();
        await("the late transaction has ended").atMost(PATIENCE).until(lateDatabase::isIdle);
        assertThat(late.count(account, 2)).as("handled by the late one").isZero();
        nextDatabase.open();
        await("the successor handles it").atMost(PATIENCE).until(() -> next.count(account, 2) == 1);
        frozen.resume();
        account.deposit(successor, 3);
        await("and what follows")
            .atMost(PATIENCE)
            .until(() -> next.count(account, 3) + late.count(account, 3) == 1);
      } finally {
        frozen.resume();
      }
    }
    assertThat(late.count(account, 2)).as("handled by the late one").isZero();
    assertThat(next.count(account, 2)).as("handled by its successor").isEqualTo(1);
  }

  private static EventoBundle bundle(Member node, Noting projector, GatedDatabase database) {
    return EventoBundle.named("late-transactions")
        .connect(cluster.webSocket(node))
        .register(projector)
        .jdbc(database)
        .start();
  }

  private static void operate(Member node, String action) throws InterruptedException {
    var path = "consumers/" + CONSUMER + "/1/segments/0/" + action;
    var answer =
        cluster.door(node).send("POST", path, "{}", PATIENCE, "Content-Type", "application/json");
    assertThat(answer.status()).as("%s %s", path, answer.body()).isEqualTo(200);
  }

  private static long fence() {
    return number("select coalesce(max(fence), 0) from evento_checkpoint where consumer = ?");
  }

  private static long checkpoints() {
    return number("select count(*) from evento_checkpoint where consumer = ?");
  }

  private static long number(String query) {
    try (var connection = cluster.database().connectAs(cluster.database().bank());
        var select = connection.prepareStatement(query)) {
      select.setString(1, CONSUMER + ":1");
      try (var row = select.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    } catch (SQLException failure) {
      throw new IllegalStateException("cannot look into the bank", failure);
    }
  }
}
