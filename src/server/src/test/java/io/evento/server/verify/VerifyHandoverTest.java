package io.evento.server.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.EventoException;
import io.evento.server.cluster.Membership;
import io.evento.server.gateway.WholeNode;
import io.evento.server.security.Actor;
import io.evento.server.setting.Setting;
import io.evento.testing.LossyLink;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Runs that end before their end, or on another node than they began. */
class VerifyHandoverTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Actor ADA = new Actor("user ada", "node-1", "10.0.0.1");

  private final FilledStore store = new FilledStore(100);

  @BeforeEach
  void fill() throws SQLException {
    store.add(60_000).chained();
    store.execute("update evento.event set payload = '{}' where position in (7, 25000, 55555)");
  }

  @AfterEach
  void drop() {
    store.close();
  }

  private static WholeNode node(TestDatabase where, String name, int pace) {
    var node = WholeNode.start(where, name, Map.of(Setting.VERIFY_PACE_PERCENT, pace), Map.of());
    node.get(VerifyRunner.class).start();
    return node;
  }

  /** One that waits for seconds after each step. */
  private static WholeNode slow(TestDatabase where, String name) {
    return node(where, name, 1);
  }

  private static void awaitFirstStep(VerifyTable table, long run) {
    await()
        .atMost(LIMIT)
        .until(() -> table.find(run).orElseThrow().counts().events() >= VerifySteps.POSITIONS);
  }

  @Test
  void one_run_goes_on_at_a_time_it_can_be_cancelled_and_both_is_audited() throws SQLException {
    try (var node = slow(store.where, "node-1")) {
      var verification = node.get(Verification.class);
      var table = node.get(VerifyTable.class);
      var run = verification.start(null, "a test", ADA).id();
      assertThatThrownBy(() -> verification.start(null, null, ADA))
          .isInstanceOf(EventoException.class)
          .hasMessageContaining("under way");
      assertThatThrownBy(verification::extent).isInstanceOf(EventoException.class);
      awaitFirstStep(table, run);
      assertThat(verification.cancel(run, ADA).state()).isEqualTo("cancelled");
      assertThatThrownBy(() -> verification.cancel(run, ADA)).isInstanceOf(EventoException.class);
      assertThat(verification.extent().head()).isEqualTo(60_000);

      var next = verification.start(null, null, ADA).id();
      awaitFirstStep(table, next);
      assertThat(table.find(run).orElseThrow().counts().events())
          .as("who was cancelled does nothing more")
          .isLessThan(60_000);
      assertThat(store.numbers("select count(*) from evento.audit where who = 'user ada'"))
          .containsExactly(3L);
    }
  }

  @Test
  void another_node_goes_on_where_the_one_that_died_was_and_tells_nothing_twice() throws Exception {
    try (var link = LossyLink.to(store.where.port(), 1);
        var first = slow(store.where.through(link), "node-1")) {
      var run = first.get(Verification.class).start(null, null, ADA).id();
      awaitFirstStep(first.get(VerifyTable.class), run);
      try (var second = node(store.where, "node-2", 100)) {
        var table = second.get(VerifyTable.class);
        assertThat(table.find(run).orElseThrow().node()).isEqualTo("node-1");
        link.freeze();
        await()
            .atMost(Duration.ofSeconds(20))
            .until(() -> "node-2".equals(table.find(run).orElseThrow().node()));
        await().atMost(LIMIT).until(() -> !table.find(run).orElseThrow().isRunning());
        link.thaw();
        var done = table.find(run).orElseThrow();
        assertThat(done.state()).isEqualTo("finished");
        assertThat(done.counts().events()).as("each position once").isEqualTo(60_000);
        assertThat(table.findings(run, 0, 100))
            .extracting(VerifyTable.Found::position)
            .containsExactly(7L, 25_000L, 55_555L);
      }
    }
  }

  @Test
  void who_comes_back_after_another_node_has_taken_the_run_writes_nothing() throws SQLException {
    try (var node = WholeNode.start(store.where, "node-1", Map.of(), Map.of())) {
      var table = node.get(VerifyTable.class);
      var run = node.get(Verification.class).start(null, null, ADA).id();
      var incarnation = UUID.randomUUID();
      var lease = Duration.ofSeconds(15);
      var mine = table.claim("node-9", incarnation, List.of(incarnation), lease).get();
      assertThat(table.claim("node-8", UUID.randomUUID(), List.of(incarnation), lease))
          .as("it is alive and within its time")
          .isEmpty();
      var other = UUID.randomUUID();
      var theirs = table.claim("node-8", other, List.of(other), lease).get();
      var step = node.get(VerifySteps.class);
      var next = stepped(step, mine.run());
      var start = mine.run().place();
      assertThat(table.step(mine, start, next.next(), next.findings(), lease)).isFalse();
      assertThat(table.find(run).orElseThrow().counts().events()).isZero();
      assertThat(table.findings(run, 0, 10)).isEmpty();
      assertThat(table.step(theirs, start, next.next(), next.findings(), lease)).isTrue();
      assertThat(table.end(mine, null)).isFalse();
      assertThat(table.end(theirs, null)).as("it has not come to its last part").isFalse();
      table.release(mine);
      assertThat(table.claim("node-7", UUID.randomUUID(), List.of(other), lease)).isEmpty();
      assertThat(table.find(run).orElseThrow().isRunning()).isTrue();
      table.release(theirs);
      assertThat(table.claim("node-7", UUID.randomUUID(), List.of(other), lease))
          .as("it was given back")
          .isPresent();
    }
  }

  @Test
  void a_step_that_was_kept_but_not_heard_of_is_kept_once_and_a_run_only_goes_on()
      throws SQLException {
    try (var node = WholeNode.start(store.where, "node-1", Map.of(), Map.of())) {
      var table = node.get(VerifyTable.class);
      var run = node.get(Verification.class).start(null, null, ADA).id();
      var incarnation = UUID.randomUUID();
      var lease = Duration.ofSeconds(15);
      var held = table.claim("node-1", incarnation, List.of(incarnation), lease).get();
      var next = stepped(node.get(VerifySteps.class), held.run());
      for (var time = 0; time < 2; time++) {
        assertThat(table.step(held, held.run().place(), next.next(), next.findings(), lease))
            .isTrue();
      }
      assertThat(table.find(run).orElseThrow().counts().findings()).isEqualTo(1);
      assertThat(table.findings(run, 0, 10)).hasSize(1);
      // By whoever has the nodes' role, and knows the fence.
      var fence = held.fence();
      assertThat(
              store.numbers(
                  """
                  with s as (select unnest('{9999,10000,20000,20000}'::bigint[]) as cursor,
                                    unnest('{10000,10000,9999,10000}'::bigint[]) as events,
                                    unnest('{60000,60000,60000,60001}'::bigint[]) as head)
                  select evento.verify_step_1(%1$d, %2$d, 15000, 'events', 10000, 'events', s.cursor,
                         s.head, 0, s.events, 0, 0, 0, 0, 0, '{}', '{}', '{}', '{}')::int from s
                  """
                      .formatted(run, fence)))
          .as("back, and not on; fewer looked at; a head beyond")
          .containsExactly(0L, 1L, 0L, 0L);
      assertThat(table.find(run).orElseThrow().place()).isEqualTo(next.next().place());
      assertThat(table.findings(run, 0, 10)).hasSize(1);
    }
  }

  @Test
  void a_run_that_is_not_clean_is_kept_until_a_clean_one_follows() throws SQLException {
    try (var node = WholeNode.start(store.where, "node-1", Map.of(), Map.of())) {
      var verification = node.get(Verification.class);
      store.execute(
          """
          with r as (
            insert into evento.verify_run(state, asked_by, epoch, head, findings, ended_at, part)
            select 'finished', 'x', id, 9, 1, now(), 'replay' from evento.store_epoch returning id)
          insert into evento.verify_finding(run, kind, position, stream, detail)
          select id, 'event-changed', 5, null, 'x' from r
          """,
          ended("cancelled", 60));
      verification.cancel(verification.start(null, null, ADA).id(), ADA);
      assertThat(store.numbers("select count(*) from evento.verify_run")).containsExactly(51L);
      assertThat(node.get(VerifyTable.class).broken()).isPresent();
      store.execute("update evento.verify_run set findings = 0 where findings > 0");
      assertThat(node.get(VerifyTable.class).broken()).as("by its rows").isPresent();
      store.execute(ended("finished", 1));
      assertThat(node.get(VerifyTable.class).broken()).isEmpty();
      store.execute(ended("failed", 60));
      verification.start(null, null, ADA);
      assertThat(store.numbers("select count(*) from evento.verify_finding")).containsExactly(0L);
      assertThat(store.numbers("select count(*) from evento.verify_run where state = 'finished'"))
          .as("the last that went through")
          .containsExactly(1L);
    }
  }

  private static String ended(String state, int runs) {
    return """
        insert into evento.verify_run(state, asked_by, epoch, head, ended_at, part)
        select '%s', 'x', id, 9, now(), 'replay' from evento.store_epoch, generate_series(1, %d)
        """
        .formatted(state, runs);
  }

  @Test
  void a_node_that_leaves_gives_its_run_back_at_once() throws SQLException {
    try (var first = slow(store.where, "node-1");
        var second = node(store.where, "node-2", 100)) {
      var table = second.get(VerifyTable.class);
      var run = first.get(Verification.class).start(null, null, ADA).id();
      awaitFirstStep(table, run);
      first.get(Membership.class).drain();
      await().atMost(LIMIT).until(() -> !table.find(run).orElseThrow().isRunning());
      assertThat(table.find(run).orElseThrow().node()).isEqualTo("node-2");
      assertThat(table.find(run).orElseThrow().counts().events()).isEqualTo(60_000);
    }
  }

  private static VerifySteps.Step stepped(VerifySteps steps, Run run) {
    try {
      return steps.take(steps.take(run, run.head()).next(), run.head());
    } catch (InterruptedException stopped) {
      throw new IllegalStateException(stopped);
    }
  }
}
