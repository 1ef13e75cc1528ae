package io.evento.server.consumer.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.Effects;
import io.evento.server.consumer.Events;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.outbox.OutboxSender;
import io.evento.server.consumer.outbox.PendingSagaInput;
import io.evento.server.consumer.segment.Association;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.LeaseConnection;
import io.evento.server.consumer.segment.Role;
import io.evento.server.consumer.shadow.Comparison;
import io.evento.server.consumer.step.StepBatch;
import io.evento.server.consumer.step.StepTable;
import io.evento.server.consumer.step.StepWrite;
import io.evento.testing.Components;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
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

  /**
   * One command about each event, one about its outcome, and one when a deadline of the event's own
   * passes: what is demanded rests on no order.
   */
  private static StepMessage.Result demand(StepMessage.Input input, @Nullable Json state) {
    var event = input.event();
    var outcome = input.outcome();
    var due = input.due();
    if (event != null) {
      var label = "remind-" + event.position();
      return new StepMessage.Result(
          new Json("{}"),
          false,
          List.of(about("Greet", event)),
          List.of(new StepMessage.Deadline(label, 200L, null)));
    }
    if (outcome != null) {
      return outcome.type().equals("Greet")
          ? SteppingBundle.to("{}", SteppingBundle.command("Thank", outcome.payload().text()))
          : StepMessage.Result.NOTHING;
    }
    var position = due == null ? "" : due.name().substring("remind-".length());
    return SteppingBundle.to(
        "{}", SteppingBundle.command("Remind", "{\"event\":" + position + "}"));
  }

  private static StepMessage.Send about(String type, RecordedEvent event) {
    return SteppingBundle.command(type, "{\"event\":" + event.position() + "}");
  }

  private List<String> demanded() {
    var found = new ArrayList<String>();
    for (var position = 1L; position <= cluster.head(); position++) {
      for (var type : List.of("Greet", "Thank", "Remind")) {
        found.add(type + "{\"event\":" + position + "}");
      }
    }
    return found;
  }

  @Test
  void a_shadow_sends_nothing_and_hears_how_the_commands_of_the_live_version_ended()
      throws Exception {
    var node = node("a");
    saga(node, 1, SwitchTest::demand);
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
          return demand(input, state);
        });
    awaitDeclared(2);
    append("z");

    await("what is over and what is new is heard").atMost(PATIENCE).until(() -> heard.size() == 12);
    assertThat(heard).containsExactlyInAnyOrderElementsOf(demanded());
    assertThat(effects.all()).containsExactlyInAnyOrderElementsOf(demanded());
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
    nodes.forEach(node -> saga(node, 1, SwitchTest::demand));
    awaitDeclared(1);
    nodes.forEach(node -> saga(node, 2, SwitchTest::demand));
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
    assertThat(sorted(effects.all())).isEqualTo(sorted(demanded()));
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
    saga(node, 1, SwitchTest::demand);
    awaitDeclared(1);
    SteppingBundle.Saga other =
        (input, state) -> {
          var event = input.event();
          return event == null
              ? StepMessage.Result.NOTHING
              : SteppingBundle.to("{}", about("Shout", event), about("Whisper", event));
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
    var before = new ArrayList<>(demanded().subList(0, 9));
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
    saga(node, 1, SwitchTest::demand);
    awaitDeclared(1);
    saga(node, 2, SwitchTest::demand);
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
    saga(node, 1, SwitchTest::demand);
    awaitDeclared(1);
    saga(node, 2, SwitchTest::demand);
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
    node.shadows.forgetBeyond(0);
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
                : SteppingBundle.to("{}", about("Greet", event));
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
  void a_step_that_a_version_began_before_a_switch_is_refused_after_it() throws Exception {
    var node = cluster.idle("a");
    var live = claimed(node, 1);
    var shadow = claimed(node, 2);
    assertThat(live.claimed().role()).isEqualTo(Role.LIVE);
    assertThat(shadow.claimed().role()).isEqualTo(Role.SHADOW);

    node.versionSwitch.to(asked(2));
    for (var late : List.of(live, shadow)) {
      assertThat(node.steps.take(step(node, late))).as(late.toString()).isFalse();
    }
    assertThat(cluster.texts("select type from evento.shadow_command")).isEmpty();
    assertThat(cluster.texts("select type from evento.consumer_command")).isEmpty();
    assertThat(node.steps.take(step(node, claimAgain(node, 2)))).isTrue();
    assertThat(node.steps.take(step(node, claimAgain(node, 1)))).isTrue();
    assertThat(cluster.texts("select version || type from evento.shadow_command"))
        .containsExactly("1Greet");
    assertThat(cluster.texts("select version || type from evento.consumer_command"))
        .containsExactly("2Greet");
  }

  @Test
  void where_no_version_is_a_shadow_nobody_asks_for_held_commands() throws Exception {
    var node = node("a");
    saga(node, 1, SwitchTest::demand);
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
  void where_the_live_version_handles_something_at_the_last_moment_nothing_changes()
      throws Exception {
    refusedWhere(
        "update evento.consumer_segment set checkpoint = 1 where version = 1",
        "greeting:2 is 1 positions behind greeting:1");
  }

  @Test
  void where_the_live_version_sends_something_at_the_last_moment_nothing_changes()
      throws Exception {
    refusedWhere(
        """
        insert into evento.consumer_command
               (id, name, version, key, slot, born, type, payload, correlation, hear, next_at)
        values (gen_random_uuid(), 'greeting', 1, 'k', 0, 1, 'Greet', '{}', 'c', true, now())
        on conflict do nothing
        """,
        "commands of greeting:1 have no outcome yet");
  }

  /**
   * @param meanwhile happens after the last look at the live version, when the shadow is held
   */
  private void refusedWhere(String meanwhile, String gap) throws Exception {
    var node = cluster.idle("a");
    claimed(node, 1);
    claimed(node, 2);
    var hasty =
        new VersionSwitch(node.database, node.operations, node.passes, Duration.ofMillis(300));
    cluster.execute(
        """
        create function evento.meanwhile() returns trigger language plpgsql as
        $$ begin %s; return null; end $$;
        create trigger meanwhile after update of held_until on evento.consumer_segment for each row
        when (new.version = 2 and new.held_until > clock_timestamp())
        execute function evento.meanwhile()
        """
            .formatted(meanwhile));
    try {
      assertThatThrownBy(() -> hasty.to(asked(2)))
          .isInstanceOfSatisfying(
              EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.CONFLICT))
          .hasMessageContaining(gap);
      assertThat(live()).containsExactly("greeting:1");
    } finally {
      cluster.execute("drop function evento.meanwhile cascade");
    }
  }

  private Lease claimed(ConsumerNode node, int version) throws SQLException {
    var component = SteppingBundle.sagaOfVersion(version);
    var consumes =
        new Consumption(List.of(), List.of(), "beginning", 1, Map.of("MoneyDeposited", ""));
    try (var own = new LeaseConnectionOf(node)) {
      new ConsumerTable(own.connection).declare(component, consumes, cluster.store().at(0));
    }
    return claimAgain(node, version);
  }

  private static Lease claimAgain(ConsumerNode node, int version) {
    var seen = node.segments.of(List.of(new ConsumerId("greeting", version)));
    // Over at once, so that nobody waits for it to be given back.
    var claimed = node.segments.claim(seen, "a", node.incarnation, Duration.ofMillis(1));
    return new Lease(claimed.get(0), Long.MAX_VALUE);
  }

  private StepTable.Step step(ConsumerNode node, Lease lease) throws SQLException {
    var filter =
        new Filter(Set.of(), Set.of(), Map.of("MoneyDeposited", new Association("")), true);
    var event = Events.event(1, "k");
    var batch =
        StepBatch.of(
            new StepBatch.Request(
                lease,
                filter,
                List.of(event),
                cluster.store().at(1),
                event.commandId(),
                false,
                false),
            PendingSagaInput.EMPTY,
            Map.of(),
            Set.of());
    var consumer = lease.segment().consumer();
    var result = demand(StepMessage.Input.of("k", event), null);
    return new StepTable.Step(
        UUID.randomUUID(),
        lease,
        cluster.store().epoch(),
        batch.doneWith(1, 0),
        StepWrite.of(consumer, true, batch, List.of(result), any -> 0),
        node.incarnation,
        OutboxSender.CLAIM,
        null);
  }

  /** A connection that is closed with the block. */
  private static final class LeaseConnectionOf implements AutoCloseable {
    final LeaseConnection connection;

    LeaseConnectionOf(ConsumerNode node) {
      connection = new LeaseConnection(node.database);
    }

    @Override
    public void close() {
      connection.close();
    }
  }

  @Test
  void a_projector_changes_places_once_it_was_where_the_live_one_had_been() throws Exception {
    var node = cluster.idle("a");
    try (var own = new LeaseConnectionOf(node)) {
      for (var version = 1; version <= 3; version++) {
        var component = Components.accounts(version, 1 + version);
        new ConsumerTable(own.connection)
            .declare(
                component,
                required(component.consumes()),
                cluster.store().at(version == 1 ? 5 : 3));
      }
    }
    assertThat(live()).containsExactly("accounts:1");
    var hasty =
        new VersionSwitch(node.database, node.operations, node.passes, Duration.ofMillis(300));
    var asked = new Operations.Asked("accounts", 2, null, "test", null, false);
    assertThatThrownBy(() -> hasty.to(asked))
        .hasMessageContaining("accounts:2 is 2 positions behind accounts:1");
    assertThat(live()).containsExactly("accounts:1");
    cluster.execute("update evento.consumer_segment set checkpoint = 5 where version = 2");

    assertThat(hasty.to(asked).detail()).isEqualTo("accounts:2 is live instead of accounts:1");
    assertThat(live()).containsExactly("accounts:2");
  }

  private static Consumption required(@Nullable Consumption consumes) {
    return Objects.requireNonNull(consumes);
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
          return demand(input, state);
        });
    awaitDeclared(1);
    saga(node, 2, SwitchTest::demand);
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
    assertThat(effects.all()).containsExactlyInAnyOrderElementsOf(demanded());
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
    return node.shadows.comparison(new ConsumerId("greeting", version), 10).orElseThrow();
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
