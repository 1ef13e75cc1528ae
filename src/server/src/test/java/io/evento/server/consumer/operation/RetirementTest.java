package io.evento.server.consumer.operation;

import static io.evento.server.consumer.operation.LedgerAccounts.PATIENCE;
import static io.evento.server.consumer.operation.LedgerAccounts.asked;
import static io.evento.server.consumer.operation.LedgerAccounts.dry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.eventstore.read.OrderReader;
import java.sql.SQLException;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Operators retire versions of consumers that nobody hosts any more. */
class RetirementTest {
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private LedgerAccounts accounts;
  private ConsumerNode node;
  private Retirement retirement;

  @BeforeEach
  void host_it_no_more() throws SQLException {
    accounts = new LedgerAccounts(cluster);
    node = cluster.node("a");
    retirement = new Retirement(node.operations, new OrderReader(node.database));
    var bundle = accounts.bundle(node, false, 2);
    accounts.append(10);
    accounts.awaitHead();
    node.sessions.remove(bundle.session);
    node.passes.wake();
    accounts.awaitReleased(0);
    accounts.awaitReleased(1);
  }

  private static void letTenSecondsPass() throws SQLException {
    cluster.execute(
        "update evento.consumer_segment set changed_at = changed_at - interval '10 seconds'");
  }

  private void isRefused(BooleanSupplier isHosted, String why) {
    assertThatThrownBy(() -> retirement.retire(dry(null), isHosted))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.CONFLICT);
              assertThat(told.detail()).isEqualTo(why);
            });
  }

  @Test
  void it_is_forgotten_with_its_alarm_and_the_audit_tells_who_did_it() throws Exception {
    accounts.append(3);
    letTenSecondsPass();

    var would = retirement.retire(dry(null), () -> false);
    assertThat(cluster.texts("select name from evento.consumer")).containsExactly("accounts");
    var done = retirement.retire(asked(null), () -> false);

    assertThat(done.detail())
        .isEqualTo(would.detail())
        .isEqualTo(
            "accounts:1 is retired at position 10, 3 positions behind, with 0 dead letters and 0"
                + " marks of lost events; whoever hosts it again begins anew, and tables that it"
                + " wrote are to be emptied before");
    assertThat(accounts.segments()).isEmpty();
    assertThat(node.monitor.lags()).isEmpty();
    assertThat(
            cluster.texts(
                "select done_by || ': ' || action || ' ' || detail from evento.consumer_audit"))
        .containsExactly("test: retire " + done.detail());
  }

  @Test
  void who_did_not_hear_the_answer_asks_again_and_nobody_else() throws Exception {
    letTenSecondsPass();
    var done = retirement.retire(asked(null), () -> false);

    assertThat(retirement.retire(asked(null), () -> false).detail()).isEqualTo(done.detail());
    var another = new Operations.Asked("accounts", 1, null, "another", null, false);
    for (var asked : List.of(another, dry(null))) {
      assertThatThrownBy(() -> retirement.retire(asked, () -> false))
          .isInstanceOfSatisfying(
              EventoException.class,
              told -> assertThat(told.code()).isEqualTo(ErrorCode.NOT_FOUND));
    }
    assertThat(cluster.texts("select action from evento.consumer_audit")).containsExactly("retire");
  }

  @Test
  void a_version_that_comes_while_the_live_one_is_retired_is_live() throws Exception {
    try (var admin = cluster.database().asAdmin();
        var retiring = admin.createStatement()) {
      admin.setAutoCommit(false);
      retiring.execute("delete from evento.consumer where name = 'accounts' and version = 1");
      var consumes = new Consumption(List.of(), List.of(), "beginning", 1);
      cluster.recording(
          node,
          new Component(
              ComponentKind.PROJECTOR,
              "accounts",
              2,
              "bank",
              List.of(),
              List.of(),
              List.of(),
              consumes,
              null));
      await("its declaration waits")
          .atMost(PATIENCE)
          .until(
              () ->
                  cluster
                          .numbers(
                              "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                                  + " and query like '%insert into evento.consumer %'")
                          .get(0)
                      > 0);
      admin.commit();
    }

    await()
        .atMost(PATIENCE)
        .until(() -> cluster.texts("select role from evento.consumer").equals(List.of("live")));
  }

  @Test
  void whoever_hosts_it_again_begins_anew() throws Exception {
    letTenSecondsPass();
    retirement.retire(asked(null), () -> false);

    accounts.bundle(node, false, 2);

    await().atMost(PATIENCE).until(() -> accounts.segments().size() == 2);
    accounts.awaitHead();
    assertThat(accounts.ledger.count()).isEqualTo(20);
  }

  @Test
  void a_checkpoint_in_the_database_of_the_bundle_begins_anew_too() throws Exception {
    var bundle = accounts.bundle(node, true, 2);
    accounts.awaitHead();
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster.numbers("select position from mine.evento_checkpoint").stream()
                        .filter(position -> position == cluster.head())
                        .count()
                    > 0);
    node.sessions.remove(bundle.session);
    node.passes.wake();
    accounts.awaitReleased(0);
    accounts.awaitReleased(1);
    letTenSecondsPass();
    retirement.retire(asked(null), () -> false);
    var before = accounts.ledger.count();

    accounts.bundle(node, true, 1);

    await().atMost(PATIENCE).until(() -> accounts.ledger.count() == before + 10);
  }

  @Test
  void what_is_hosted_unheard_of_is_declared_again() throws Exception {
    accounts.bundle(node, false, 2);
    accounts.awaitHead();
    node.operations.pause(asked(null));
    accounts.awaitReleased(0);
    accounts.awaitReleased(1);
    letTenSecondsPass();

    retirement.retire(asked(null), () -> false);

    await().atMost(PATIENCE).until(() -> accounts.segments().size() == 2);
    accounts.awaitHead();
  }

  @Test
  void what_is_hosted_or_was_a_moment_ago_stays() throws SQLException {
    isRefused(
        () -> false, "accounts:1 was delivered or changed a moment ago: try again in ten seconds");
    letTenSecondsPass();
    isRefused(() -> true, "a live session hosts accounts:1: only what nobody hosts can be retired");
  }

  @Test
  void a_version_whose_shadow_is_to_take_its_place_stays_and_the_shadow_may_go()
      throws SQLException {
    cluster.execute(
        """
        insert into evento.consumer (name, version, kind, contexts, types, start, role)
        select name, 2, kind, contexts, types, start, 'shadow' from evento.consumer
        """);
    letTenSecondsPass();
    isRefused(
        () -> false, "accounts:2 is a shadow of accounts:1: switch to it, or retire it, first");

    var shadow = new Operations.Asked("accounts", 2, null, "test", null, false);
    retirement.retire(shadow, () -> false);
    retirement.retire(asked(null), () -> false);

    assertThat(cluster.texts("select name from evento.consumer")).isEmpty();
  }

  @Test
  void sagas_that_have_not_ended_and_commands_without_an_outcome_keep_it() throws SQLException {
    cluster.execute(
        """
        insert into evento.saga_state (name, version, key, slot, born, position, state, correlation)
        values ('accounts', 1, 'k', 0, 1, 1, '{}', 'c')
        """);
    letTenSecondsPass();
    isRefused(
        () -> false,
        "accounts:1 has 1 sagas that have not ended and 0 commands without an outcome: host it"
            + " until they have, or pause it");

    cluster.execute("update evento.saga_state set ended_at = clock_timestamp()");
    retirement.retire(asked(null), () -> false);

    assertThat(cluster.texts("select key from evento.saga_state")).isEmpty();
  }
}
