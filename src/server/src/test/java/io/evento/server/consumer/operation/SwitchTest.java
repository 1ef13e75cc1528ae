package io.evento.server.consumer.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.Effects;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.shadow.Comparison;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two versions of a saga beside each other: one is live, the other one's effects are held. */
class SwitchTest {
  private static final Duration PATIENCE = Duration.ofSeconds(40);
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private Effects effects;

  @BeforeEach
  void begin() throws SQLException {
    effects = cluster.opened(new Effects(cluster.database()));
  }

  @Test
  void a_shadow_sends_nothing_and_hears_how_the_commands_of_the_live_version_ended()
      throws Exception {
    var node = node("a");
    saga(node, 1, Greeting::demand);
    awaitDeclared(1);
    append("x", "y", "x");
    await("live version is done").atMost(PATIENCE).until(() -> effects.all().size() == 9);

    var heard = new CopyOnWriteArrayList<String>();
    saga(
        node,
        2,
        (input, state) -> {
          var outcome = input.outcome();
          if (outcome != null) {
            heard.add(outcome.type() + outcome.payload().text());
          }
          return Greeting.demand(input, state);
        });
    awaitDeclared(2);
    append("z");

    await("what is over and what is new is heard").atMost(PATIENCE).until(() -> heard.size() == 12);
    assertThat(heard).containsExactlyInAnyOrderElementsOf(Greeting.demanded(cluster));
    assertThat(effects.all()).containsExactlyInAnyOrderElementsOf(Greeting.demanded(cluster));
    assertThat(cluster.texts("select distinct version::text from evento.consumer_command"))
        .isNotEqualTo(List.of("2"));
    await("nothing is held").atMost(PATIENCE).until(() -> comparison(node, 2).held() == 0);
    var compared = comparison(node, 2);
    assertThat(compared.live()).isEqualTo("greeting:1");
    assertThat(compared.alike()).isEqualTo(12);
    assertThat(compared.different() + compared.alone()).isZero();
  }

  @Test
  void no_command_is_missing_and_none_is_sent_twice_when_versions_change_places_under_load()
      throws Exception {
    var nodes = List.of(node("a"), node("b"), node("c"));
    nodes.forEach(node -> saga(node, 1, Greeting::demand));
    awaitDeclared(1);
    nodes.forEach(node -> saga(node, 2, Greeting::demand));
    awaitDeclared(2);
    var isOver = new AtomicBoolean();
    var load = Executors.newFixedThreadPool(2);
    try {
      var appending =
          load.submit(
              () -> {
                var random = new Random(7);
                while (!isOver.get()) {
                  append(
                      IntStream.range(0, 2)
                          .mapToObj(i -> "k-" + random.nextInt(40))
                          .toArray(String[]::new));
                  TimeUnit.MILLISECONDS.sleep(25);
                }
                return 0;
              });
      var moving = load.submit(() -> release(nodes, isOver));
      var held = new ArrayList<String>();
      for (var version : new int[] {2, 1, 2}) {
        await("goes on").atMost(PATIENCE).until(moved(100));
        held.add(nodes.get(1).versionSwitch.to(asked(version)).detail());
        assertThat(live()).isEqualTo(List.of("greeting:" + version));
        if (version == 1) {
          nodes.get(2).leave();
        }
      }
      await("goes on").atMost(PATIENCE).until(moved(100));
      isOver.set(true);
      appending.get(10, TimeUnit.SECONDS);
      moving.get(10, TimeUnit.SECONDS);
      assertThat(held)
          .as("what only the next one had handled was sent")
          .anyMatch(said -> !said.contains(": 0 held"));
    } finally {
      isOver.set(true);
      load.shutdownNow();
    }
    await("all is sent")
        .atMost(PATIENCE)
        .untilAsserted(
            () -> assertThat(effects.all()).hasSizeGreaterThanOrEqualTo(3 * (int) cluster.head()));
    await("all is heard")
        .atMost(PATIENCE)
        .until(() -> cluster.texts("select id::text from evento.consumer_command").isEmpty());
    assertThat(sorted(effects.all())).isEqualTo(sorted(Greeting.demanded(cluster)));
  }

  /** Takes leases away as long as it lasts, of the one and of the other version. */
  private static int release(List<ConsumerNode> nodes, AtomicBoolean isOver)
      throws InterruptedException {
    for (var turn = 0; !isOver.get(); turn++) {
      TimeUnit.MILLISECONDS.sleep(900);
      try {
        nodes
            .get(0)
            .operations
            .release(
                new Operations.Asked("greeting", 1 + turn % 2, turn / 2 % 4, "test", null, false));
      } catch (EventoException meanwhile) {
        // The other operation was first.
      }
    }
    return 0;
  }

  private Callable<Boolean> moved(int events) {
    var from = cluster.head();
    return () -> cluster.head() > from + events;
  }

  @Test
  void of_a_version_that_decides_otherwise_nothing_takes_effect_before_it_is_live()
      throws Exception {
    var node = node("a");
    saga(node, 1, Greeting::demand);
    awaitDeclared(1);
    SteppingBundle.Saga other =
        (input, state) -> {
          var event = input.event();
          return event == null
              ? StepMessage.Result.NOTHING
              : SteppingBundle.to(
                  "{}", Greeting.about("Shout", event), Greeting.about("Whisper", event));
        };
    saga(node, 2, other);
    awaitDeclared(2);
    append("x", "y", "z");

    await("live version is done").atMost(PATIENCE).until(() -> effects.all().size() == 9);
    await("compared").atMost(PATIENCE).until(() -> comparison(node, 2).alone() == 3);
    var compared = comparison(node, 2);
    assertThat(compared.different()).isEqualTo(3);
    assertThat(compared.alike()).isZero();
    assertThat(compared.examples()).extracting(Comparison.Example::type).containsOnly("Whisper");
    assertThat(compared.examples()).extracting(Comparison.Example::event).containsOnly(1L, 2L, 3L);

    var tried =
        node.versionSwitch.to(new Operations.Asked("greeting", 2, null, "test", null, true));
    assertThat(tried.detail()).contains("0 held commands sent, 3 discarded");
    assertThat(live()).isEqualTo(List.of("greeting:1"));
    node.versionSwitch.to(asked(2));
    append("w");
    await("the other one's take effect").atMost(PATIENCE).until(() -> effects.all().size() == 11);
    var before = new ArrayList<>(Greeting.demanded(cluster).subList(0, 9));
    before.addAll(List.of("Shout{\"event\":4}", "Whisper{\"event\":4}"));
    assertThat(effects.all()).containsExactlyInAnyOrderElementsOf(before);
    assertThat(comparison(node, 2).discarded()).isEqualTo(3);
    assertThat(
            cluster.texts(
                "select action || ' of ' || version || ' by ' || done_by from evento.consumer_audit"
                    + " order by version"))
        .containsExactly("switch of 1 by test", "switch of 2 by test");
  }

  @Test
  void where_the_outbox_does_not_drain_nothing_changes_and_the_live_version_goes_on()
      throws Exception {
    var node = node("a");
    saga(node, 1, Greeting::demand);
    awaitDeclared(1);
    saga(node, 2, Greeting::demand);
    awaitDeclared(2);
    effects.isStopped = true;
    append("x");
    await("decided").atMost(PATIENCE).until(() -> comparison(node, 2).held() > 0);

    var hasty =
        new VersionSwitch(node.database, node.operations, node.passes, Duration.ofSeconds(1));
    assertThatThrownBy(() -> hasty.to(asked(2)))
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.CONFLICT))
        .hasMessageContaining("no outcome yet");
    assertThat(live()).isEqualTo(List.of("greeting:1"));
    effects.isStopped = false;
    append("y");
    await("goes on").atMost(PATIENCE).until(() -> effects.all().size() == 6);
    assertThatThrownBy(() -> node.versionSwitch.to(asked(1)))
        .hasMessageContaining("is live already");
    assertThatThrownBy(() -> node.versionSwitch.to(asked(3))).hasMessageContaining("no consumer");
  }

  @Test
  void what_the_live_version_is_still_sending_is_no_difference_and_is_not_forgotten()
      throws Exception {
    var node = node("a");
    saga(node, 1, Greeting::demand);
    awaitDeclared(1);
    saga(node, 2, Greeting::demand);
    awaitDeclared(2);
    effects.isStopped = true;
    append("x");
    await("both have decided")
        .atMost(PATIENCE)
        .until(
            () ->
                comparison(node, 2).held() == 2
                    && cluster.texts("select type from evento.consumer_command").size() == 2);

    assertThat(comparison(node, 2).alone()).isZero();
    assertThat(comparison(node, 2).examples()).isEmpty();
    var tried =
        node.versionSwitch.to(new Operations.Asked("greeting", 2, null, "test", null, true));
    assertThat(tried.detail())
        .contains("2 commands of greeting:1 have no outcome yet")
        .contains("0 held commands sent, 0 discarded");
    cluster.execute("update evento.shadow_command set attempts = 10"); // as if it took a minute
    node.comparisons.forgetBeyond(0);
    assertThat(comparison(node, 2).held()).isEqualTo(2);
    effects.isStopped = false;
    await("heard").atMost(PATIENCE).until(() -> comparison(node, 2).alike() == 3);
  }

  @Test
  void a_refusal_that_the_store_does_not_keep_is_heard_by_a_shadow_too() throws Exception {
    var heard = new CopyOnWriteArrayList<String>();
    var node = node("a");
    for (var version : new int[] {1, 2}) {
      saga(
          node,
          version,
          (input, state) -> {
            var outcome = input.outcome();
            var event = input.event();
            if (outcome != null) {
              heard.add(version + " " + outcome.code());
            }
            return event == null
                ? StepMessage.Result.NOTHING
                : SteppingBundle.to("{}", Greeting.about("Greet", event));
          });
      awaitDeclared(version);
    }
    effects.isStopped = true;
    append("x");
    await("held").atMost(PATIENCE).until(() -> comparison(node, 2).held() == 1);
    effects.refusal = EventoException.invalid("/event", "must be another one");
    effects.isStopped = false;

    await("heard").atMost(PATIENCE).until(() -> heard.size() == 2);
    assertThat(heard).containsExactlyInAnyOrder("1 INVALID_REQUEST", "2 INVALID_REQUEST");
  }

  @Test
  void where_no_version_is_a_shadow_nobody_asks_for_held_commands() throws Exception {
    var node = node("a");
    saga(node, 1, Greeting::demand);
    awaitDeclared(1);
    append("x");
    await("all is sent").atMost(PATIENCE).until(() -> effects.all().size() == 3);
    await("all is heard")
        .atMost(PATIENCE)
        .until(() -> cluster.texts("select id::text from evento.consumer_command").isEmpty());
    try (var admin = cluster.database().asAdmin();
        var lock = admin.createStatement()) {
      admin.setAutoCommit(false);
      // Whoever only reads does not wait.
      lock.execute("lock table evento.shadow_command in share mode");
      await("a look").during(Duration.ofMillis(1_500)).atMost(PATIENCE).until(() -> asking() == 0);
      cluster.execute(
          "insert into evento.consumer (name, version, kind, contexts, types, start, role)"
              + " values ('other', 2, 'saga', '{}', '{}', 'beginning', 'shadow')");
      await("as soon as there is one, it is asked").atMost(PATIENCE).until(() -> asking() == 1);
    }
  }

  /** How many wait to take held commands, so as to look for their outcomes. */
  private static int asking() throws SQLException {
    return cluster
        .texts(
            "select pid::text from pg_locks"
                + " where relation = 'evento.shadow_command'::regclass and not granted")
        .size();
  }

  @Test
  void a_deadline_that_only_the_shadow_let_pass_is_taken_over_with_its_command() throws Exception {
    var node = node("a");
    // As if its owner were slow: the live version hears of no deadline.
    saga(
        node,
        1,
        (input, state) -> {
          if (input.due() != null) {
            throw new IllegalStateException("not yet");
          }
          return Greeting.demand(input, state);
        });
    awaitDeclared(1);
    saga(node, 2, Greeting::demand);
    awaitDeclared(2);
    append("x");
    await("the shadow holds it")
        .atMost(PATIENCE)
        .until(
            () ->
                cluster.texts("select type from evento.shadow_command").equals(List.of("Remind")));
    assertThat(comparison(node, 2).alone()).isZero();

    assertThat(node.versionSwitch.to(asked(2)).detail())
        .contains("1 held commands sent, 0 discarded");
    await("all is sent").atMost(PATIENCE).until(() -> effects.all().size() == 3);
    assertThat(effects.all()).containsExactlyInAnyOrderElementsOf(Greeting.demanded(cluster));
  }

  private ConsumerNode node(String name) {
    var node = cluster.node(name);
    node.router = effects::run;
    return node;
  }

  private void saga(ConsumerNode node, int version, SteppingBundle.Saga saga) {
    cluster.opened(new SteppingBundle(node, version, saga).connect());
  }

  private static void awaitDeclared(int version) {
    await("declared")
        .atMost(PATIENCE)
        .until(
            () ->
                cluster.texts("select name from evento.consumer where version = " + version).size()
                    == 1);
  }

  private synchronized void append(String... keys) throws SQLException {
    cluster.append(keys);
  }

  private static Operations.Asked asked(int version) {
    return new Operations.Asked("greeting", version, null, "test", null, false);
  }

  private static Comparison comparison(ConsumerNode node, int version) {
    return node.comparisons.comparison(new ConsumerId("greeting", version), 10).orElseThrow();
  }

  private static List<String> live() throws SQLException {
    return cluster.texts("select name || ':' || version from evento.consumer where role = 'live'");
  }

  private static List<String> sorted(List<String> all) {
    var copy = new ArrayList<>(all);
    Collections.sort(copy);
    return copy;
  }
}
