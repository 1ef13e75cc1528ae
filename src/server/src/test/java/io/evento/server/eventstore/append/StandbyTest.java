package io.evento.server.eventstore.append;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.StorePosition;
import io.evento.testing.PostgresPair;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is acknowledged is on the standby, and is there still when that takes over. */
@Tag("I1")
class StandbyTest {
  private static final int CALLERS = 8;
  private static final String WAITING =
      "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private static PostgresPair pair;
  private TestDatabase database;

  @BeforeAll
  static void start() {
    pair = PostgresPair.start();
  }

  @AfterAll
  static void stop() {
    pair.close();
  }

  @BeforeEach
  void replicate() {
    pair.asynchronous();
    database = pair.migrated("store_" + NUMBER.incrementAndGet());
    pair.synchronous();
  }

  @Test
  void a_commit_that_a_reload_let_go_without_its_standby_is_not_acknowledged() throws Exception {
    try (var node = StoreNode.synchronous(database, "a")) {
      await().atMost(ofSeconds(20)).until(node.appender::isReady);
      var kept = AppendRequests.on("Account:1", Tip.EMPTY).event("A").events();
      assertThat(node.append(kept)).isInstanceOf(AppendResult.Appended.class);

      pair.standby().freeze();
      var open = AppendRequests.on("Account:2", Tip.EMPTY).event("A").events();
      var result = node.appender.append(open).toCompletableFuture();
      await()
          .atMost(ofSeconds(10))
          .pollInterval(ofMillis(20))
          .until(() -> !ask(WAITING).equals("0"));
      pair.asynchronous();
      await()
          .atMost(ofSeconds(10))
          .pollInterval(ofMillis(20))
          .until(() -> node.appender.whyNotReady().contains("synchronous_standby_names"));
      assertThat(stored(open)).as("the reload let the commit go").isEqualTo("1");
      assertThat(result).as("its caller hears nothing yet").isNotDone();
      assertThat(node.appender.isReady()).isFalse();

      pair.standby().thaw();
      pair.synchronous();
      assertThat(StoreNode.await(result)).isInstanceOf(AppendResult.Appended.class);
      assertThat(stored(open)).isEqualTo("1");
    }
  }

  @Test
  void an_idle_node_that_demands_a_standby_is_not_ready_without_one() {
    try (var node = StoreNode.synchronous(database, "a")) {
      await().atMost(ofSeconds(20)).until(node.appender::isReady);
      pair.asynchronous();
      await().atMost(ofSeconds(10)).until(() -> !node.appender.isReady());
      await()
          .atMost(ofSeconds(10))
          .until(() -> node.appender.whyNotReady().contains("synchronous_standby_names"));
      pair.synchronous();
      await().atMost(ofSeconds(10)).until(node.appender::isReady);
    }
  }

  @Test
  void a_primary_that_hangs_is_left_within_seconds_of_the_promotion_and_nothing_is_lost()
      throws Exception {
    var acknowledged = ConcurrentHashMap.<UUID>newKeySet();
    var stop = new AtomicBoolean();
    var callers = Executors.newFixedThreadPool(CALLERS);
    try (var node = StoreNode.start(database, "a")) {
      await().atMost(ofSeconds(20)).until(node.appender::isReady);
      for (var i = 0; i < CALLERS; i++) {
        callers.execute(
            () -> {
              while (!stop.get()) {
                acknowledged.add(appendUntilStored(node));
              }
            });
      }
      await().atMost(ofSeconds(20)).until(() -> acknowledged.size() > 200);

      pair.primary().freeze();
      pair.promote();
      var promoted = System.nanoTime();
      var before = acknowledged.size();
      await()
          .atMost(ofSeconds(60))
          .pollInterval(ofMillis(20))
          .until(() -> acknowledged.size() > before + CALLERS);
      var took = Duration.ofNanos(System.nanoTime() - promoted);
      System.out.println("appends again " + took.toMillis() + " ms after the promotion");
      assertThat(took).isLessThan(ofSeconds(10));
      stop.set(true);
      callers.shutdown();
      assertThat(callers.awaitTermination(20, TimeUnit.SECONDS)).isTrue();

      var ids =
          ask(
              "select count(*) || ' ' || count(distinct command_id) || ' ' ||"
                  + " string_agg(command_id::text, ' ') from evento.event");
      assertThat(ids.split(" ")).contains(strings(acknowledged));
      assertThat(ids.split(" ")[0]).as("none twice").isEqualTo(ids.split(" ")[1]);
    } finally {
      stop.set(true);
      callers.shutdownNow();
      pair.rejoin();
    }
  }

  @Test
  void while_the_standby_lags_nobody_is_acknowledged_and_then_everybody_has_one_outcome() {
    holdUp(() -> {}, pair::goOn);
  }

  @Test
  void while_the_standby_is_gone_nobody_is_acknowledged_and_then_everybody_has_one_outcome() {
    holdUp(
        () -> {
          pair.standby().kill();
          pair.goOn();
        },
        () -> pair.standby().begin());
  }

  /**
   * @param more happens to the standby that lags, once a commit waits for it
   */
  private void holdUp(Runnable more, Runnable end) {
    try (var node = StoreNode.synchronous(database, "a")) {
      await().atMost(ofSeconds(20)).until(node.appender::isReady);
      var underWay = any();
      var waiting = any();
      // A node that was idle would ask for the head first, and that call would hang instead.
      at(node.append(any()));
      pair.lag();
      CompletableFuture<AppendResult> verdict;
      try {
        verdict = node.appender.append(underWay).toCompletableFuture();
        await().atMost(ofSeconds(10)).until(() -> !ask(WAITING).equals("0"));
        more.run();

        assertThat(code(node.appender.append(waiting)))
            .as("waited for its turn in vain")
            .isEqualTo(ErrorCode.UNAVAILABLE);
        await().atMost(ofSeconds(10)).until(() -> !node.appender.isReady());
        await()
            .atMost(ofSeconds(10))
            .until(() -> node.appender.append(any()).toCompletableFuture().isDone());
        assertThat(code(node.appender.append(any())))
            .as("sent away at once")
            .isEqualTo(ErrorCode.UNAVAILABLE);
        assertThat(verdict).as("nobody knows yet").isNotDone();
        assertThat(stored(underWay)).as("nobody reads what the standby lacks").isEqualTo("0");
      } finally {
        end.run();
      }

      var told = at(StoreNode.await(verdict));
      await().atMost(ofSeconds(20)).until(node.appender::isReady);
      assertThat(at(node.append(underWay))).as("a repeat").isEqualTo(told);
      assertThat(at(node.append(waiting))).isEqualTo(at(node.append(waiting))).isNotEqualTo(told);
      assertThat(stored(underWay)).isEqualTo("1");
      assertThat(stored(waiting)).isEqualTo("1");
    }
  }

  @Test
  void what_a_promoted_standby_may_lack_is_acknowledged_once_that_one_has_a_standby_itself() {
    try (var node = StoreNode.synchronous(database, "a")) {
      await().atMost(ofSeconds(20)).until(node.appender::isReady);
      var acknowledged = any();
      assertThat(node.append(acknowledged)).isInstanceOf(AppendResult.Appended.class);
      pair.lag();
      var open = any();
      var verdict = node.appender.append(open).toCompletableFuture();
      await().atMost(ofSeconds(10)).until(() -> !ask(WAITING).equals("0"));

      pair.primary().kill();
      pair.goOn();
      pair.promote();
      await()
          .atMost(ofSeconds(20))
          .until(() -> node.appender.whyNotReady().contains("synchronous_standby_names"));
      assertThat(stored(acknowledged)).isEqualTo("1");
      assertThat(verdict).as("there is one copy only").isNotDone();

      pair.rejoin();
      pair.synchronous();
      assertThat(at(StoreNode.await(verdict))).isEqualTo(at(node.append(open)));
      assertThat(stored(open)).isEqualTo("1");
    } finally {
      pair.goOn();
    }
  }

  private static StorePosition at(AppendResult appendResult) {
    assertThat(appendResult).isInstanceOf(AppendResult.Appended.class);
    return ((AppendResult.Appended) appendResult).first();
  }

  private static AppendRequest any() {
    return AppendRequests.on("Account:" + UUID.randomUUID(), Tip.EMPTY).event("A").events();
  }

  private static ErrorCode code(CompletionStage<AppendResult> verdict) {
    try {
      throw new AssertionError("it was acknowledged: " + StoreNode.await(verdict));
    } catch (CompletionException failed) {
      return ((EventoException) Objects.requireNonNull(failed.getCause())).code();
    }
  }

  /** As a caller who repeats under the same id. */
  private static UUID appendUntilStored(StoreNode node) {
    var appendRequest =
        AppendRequests.on("Account:" + UUID.randomUUID(), Tip.EMPTY).event("A").events();
    await()
        .atMost(ofSeconds(60))
        .pollDelay(Duration.ZERO)
        .pollInterval(ofMillis(20))
        .ignoreExceptions()
        .until(() -> node.append(appendRequest) instanceof AppendResult.Appended);
    return appendRequest.commandId();
  }

  private static String[] strings(Set<UUID> ids) {
    return ids.stream().map(UUID::toString).toArray(String[]::new);
  }

  private String stored(AppendRequest appendRequest) {
    return ask(
        "select count(*) from evento.event where command_id = '" + appendRequest.commandId() + "'");
  }

  private String ask(String sql) {
    return Objects.requireNonNull(pair.primary().ask(database, sql));
  }
}
