package io.evento.server.consumer.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
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
import io.evento.server.consumer.step.StepBatch;
import io.evento.server.consumer.step.StepTable;
import io.evento.server.consumer.step.StepWrite;
import io.evento.server.fixture.Components;
import io.evento.server.security.Reading;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Versions change places on a node that does only what the test tells it: who is late is refused.
 */
class SwitchFenceTest {
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

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
        new Filter(
            Set.of(), Set.of(), Map.of("MoneyDeposited", new Association("")), true, Reading.ALL);
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
    var result = Greeting.demand(StepMessage.Input.of("k", event), null);
    return new StepTable.Step(
        UUID.randomUUID(),
        lease,
        cluster.store().epoch(),
        batch.doneWith(1, 0),
        StepWrite.of(consumer, true, batch, List.of(result), any -> 0),
        node.incarnation,
        OutboxSender.CLAIM,
        null,
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

  private static Operations.Asked asked(int version) {
    return new Operations.Asked("greeting", version, null, "test", null, false);
  }

  private static List<String> live() throws SQLException {
    return cluster.texts("select name || ':' || version from evento.consumer where role = 'live'");
  }
}
