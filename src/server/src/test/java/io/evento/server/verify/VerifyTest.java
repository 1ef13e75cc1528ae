package io.evento.server.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.append.Appender;
import io.evento.server.eventstore.proof.ChainTable;
import io.evento.server.eventstore.proof.ChainWriter;
import io.evento.server.gateway.WholeNode;
import io.evento.server.monitor.AlarmWatch;
import io.evento.server.security.Actor;
import io.evento.server.setting.Setting;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each fault is planted in a real database by a superuser, and found where it is. */
class VerifyTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Actor ADA = new Actor("user ada", "node-1", "10.0.0.1");

  private final FilledStore store = new FilledStore(100);
  private WholeNode node;

  @BeforeEach
  void fill() throws SQLException {
    store.add(12_500).chained();
    node =
        WholeNode.start(store.where, "node-1", Map.of(Setting.VERIFY_PACE_PERCENT, 100), Map.of());
    node.get(VerifyRunner.class).start();
  }

  @AfterEach
  void stop() {
    node.close();
    store.close();
  }

  private Run verify(Run.@Nullable Anchor anchor) {
    var verification = node.get(Verification.class);
    var id = verification.start(anchor, "a test", ADA).id();
    await().atMost(LIMIT).until(() -> !verification.find(id).isRunning());
    return verification.find(id);
  }

  private List<VerifyTable.Found> findings(Run run) {
    return node.get(VerifyTable.class).findings(run.id(), 0, VerifyTable.FINDINGS_MAX);
  }

  /** What a run finds: kind, position and stream of each. */
  private List<String> found() {
    var run = verify(null);
    assertThat(run.state()).as(run.error()).isEqualTo("finished");
    var found = findings(run);
    assertThat(run.counts().findings()).isEqualTo(found.size());
    return found.stream()
        .map(one -> one.kind() + ' ' + one.position() + ' ' + one.stream())
        .toList();
  }

  @Test
  void a_store_as_the_append_wrote_it_has_no_findings_and_all_of_it_is_looked_at() {
    var run = verify(null);
    assertThat(findings(run)).isEmpty();
    assertThat(run.state()).isEqualTo("finished");
    assertThat(run.counts().events()).isEqualTo(12_500);
    assertThat(run.counts().outcomes()).isEqualTo(1_250);
    assertThat(node.get(Verification.class).now())
        .isEqualTo(new Verification.Extent(12_500, 12_000));
  }

  @Test
  void what_the_append_itself_wrote_has_no_findings_and_is_in_the_chain() throws Exception {
    node.get(ChainWriter.class).start();
    var appender = node.get(Appender.class);
    var appends = new ArrayList<CompletionStage<?>>();
    for (var at = 0; at < 700; at++) {
      var stream = "Zähler:" + UUID.randomUUID();
      appends.add(
          appender.append(
              AppendRequests.on(stream, Tip.EMPTY)
                  .event("Joined", "ort:\"zu\\rück\", " + at % 7)
                  .event("Left")
                  .event("Joined", "a", "b")
                  .events()));
    }
    StoreNode.awaitAll(appends);
    assertThat(node.get(Verification.class).extent().head()).isEqualTo(14_600);
    await()
        .atMost(LIMIT)
        .until(() -> node.get(Verification.class).now().chained(), chained -> chained == 14_000);
    assertThat(found()).isEmpty();
    store.execute("update evento.event set type = 'Joined' where position = 13777");
    assertThat(findings(verify(null)))
        .extracting(VerifyTable.Found::kind, VerifyTable.Found::position)
        .containsExactly(tuple("event-changed", 13_777L));
  }

  @Test
  void a_changed_event_is_found_by_the_chain() throws SQLException {
    store.execute("update evento.event set payload = '{\"amount\":0}' where position = 7777");
    assertThat(found()).containsExactly("event-changed 7777 Account:a-89");
  }

  @Test
  void each_column_of_an_event_is_in_the_chain() throws SQLException {
    var changes =
        List.of(
            "decision = decision + 1",
            "hash = hash + 1",
            "recorded_at = recorded_at + interval '1 microsecond'",
            "command_id = gen_random_uuid()",
            "context = 'other'",
            "type = 'Other'",
            "tags = tags || '{other}'::text[]",
            "meta = null",
            "answer = ''",
            "stream_id = 'Other:1', version = 1");
    for (var at = 0; at < changes.size(); at++) {
      store.execute(
          "update evento.event set " + changes.get(at) + " where position = " + (101 + 2 * at));
    }
    var expected = new ArrayList<Long>();
    for (var at = 0; at < changes.size(); at++) {
      expected.add(101L + 2 * at);
    }
    assertThat(findings(verify(null)))
        .filteredOn(one -> one.kind().equals("event-changed"))
        .extracting(VerifyTable.Found::position)
        .containsExactlyElementsOf(expected);
  }

  @Test
  void a_removed_event_is_found_by_its_position_and_by_what_followed_it() throws SQLException {
    store.execute("delete from evento.event where position = 5001");
    assertThat(found())
        .containsExactlyInAnyOrder(
            "position-missing 5001 null",
            "command-torn 5002 Account:a-1",
            "version-missing 5002 Account:a-1");
  }

  @Test
  void two_events_that_were_swapped_are_both_found() throws SQLException {
    store.execute(
        "update evento.event set position = -1 where position = 3001",
        "update evento.event set position = 3001 where position = 9001",
        "update evento.event set position = 9001 where position = -1");
    assertThat(found())
        .contains("event-changed 3001 Account:a-1", "event-changed 9001 Account:a-1")
        .allMatch(one -> one.endsWith("Account:a-1") || one.startsWith("time-backwards"));
  }

  @Test
  void what_the_chain_does_not_have_yet_is_held_to_the_order() throws SQLException {
    store.execute(
        "update evento.event set position = -1 where position = 12101",
        "update evento.event set position = 12101 where position = 12301",
        "update evento.event set position = 12301 where position = -1");
    assertThat(found())
        .contains(
            "time-backwards 12102 Account:a-51",
            "command-torn 12102 Account:a-51",
            "command-torn 12302 Account:a-51",
            "version-order 12101 Account:a-51");
  }

  @Test
  void the_last_events_cannot_go_without_those_of_the_chain() throws SQLException {
    // A node that saw them has no such store; this one was started since.
    node.close();
    store.execute(
        "delete from evento.event where position > 11999",
        "delete from evento.command_result where position_seen > 11999");
    node = WholeNode.start(store.where, "node-2", Map.of(), Map.of());
    node.get(VerifyRunner.class).start();
    assertThat(found()).containsExactly("position-missing 12000 null");
  }

  @Test
  void a_chain_that_was_changed_is_found_and_so_is_a_block_that_is_gone() throws SQLException {
    store.execute(
        "update evento.chain_block set hash = sha256('x') where block = 4",
        "delete from evento.chain_block where block = 9");
    // The block after a changed or missing one does not follow from it either.
    assertThat(found())
        .containsExactly(
            "chain-broken 3001 null",
            "chain-broken 4001 null",
            "chain-broken 8001 null",
            "chain-broken 9001 null");
  }

  @Test
  void who_rewrites_the_chain_too_is_found_by_an_anchor_alone() throws SQLException {
    var anchor = node.get(ChainTable.class).last().orElseThrow();
    assertThat(anchor.number()).isEqualTo(12);
    assertThat(findings(verify(new Run.Anchor(12, anchor.hash())))).isEmpty();
    store.execute(
        "update evento.event set payload = '{}' where position = 7777",
        "truncate evento.chain_block");
    store.chained();
    assertThat(found()).isEmpty();
    assertThat(findings(verify(new Run.Anchor(12, anchor.hash()))))
        .extracting(VerifyTable.Found::kind, VerifyTable.Found::position)
        .containsExactly(tuple("chain-broken", 11_001L));
  }

  @Test
  void a_chain_that_was_cut_and_sealed_anew_or_is_shorter_is_found_by_an_anchor_alone()
      throws SQLException {
    var anchor = node.get(ChainTable.class).last().orElseThrow();
    store.execute(
        "update evento.event set payload = '{}' where position = 11500",
        "delete from evento.chain_block where block = 12");
    assertThat(found()).isEmpty();
    assertThat(findings(verify(new Run.Anchor(12, anchor.hash()))))
        .extracting(VerifyTable.Found::kind, VerifyTable.Found::detail)
        .containsExactly(
            tuple(
                "chain-broken",
                "The chain is shorter than the anchor, block 12 is not in it: events of that block"
                    + " or before it were rewritten together with the chain, or lost and numbered"
                    + " anew"));
    store.chained();
    assertThat(found()).isEmpty();
    assertThat(findings(verify(new Run.Anchor(12, anchor.hash()))))
        .extracting(VerifyTable.Found::kind)
        .containsExactly("chain-broken");
  }

  @Test
  void an_index_that_leads_to_nothing_is_found() throws SQLException {
    store.execute(
        "update pg_index set indisready = false where indexrelid = 'evento.event_tags'::regclass");
    store.add(7_500).chained();
    store.execute(
        "update pg_index set indisready = true where indexrelid = 'evento.event_tags'::regclass");
    assertThat(found()).isNotEmpty().allMatch(one -> one.startsWith("index-missing "));
  }

  @Test
  void outcomes_are_held_to_the_events() throws SQLException {
    store.execute(
        """
        insert into evento.command_result(command_id, hash, position_seen, recorded_at, kind)
        select command_id, 1, 5, now(), 1 from evento.event where position = 4001
        """,
        """
        insert into evento.command_result(command_id, hash, position_seen, recorded_at, kind)
        values (gen_random_uuid(), 1, 99999, now(), 1),
               (gen_random_uuid(), 1, 500, '2025-01-01', 1)
        """);
    assertThat(found())
        .containsExactlyInAnyOrder(
            "outcome-twice 4001 null",
            "outcome-misplaced 99999 null",
            "outcome-misplaced 500 null");
  }

  @Test
  void checkpoints_are_held_to_the_store() throws SQLException {
    store.execute(
        """
        insert into evento.consumer(name, version, kind, start)
        select n, 1, 'projector', 'beginning' from unnest('{ahead,fine,lost,other,torn}'::text[]) n
        """,
        segment(
            "fine", 12_500, "id", "(select command_id from evento.event where position = 12500)"),
        segment("ahead", 12_501, "id", "null"),
        segment("lost", 5, "gen_random_uuid()", "null"),
        segment("other", 6, "id", "gen_random_uuid()"),
        segment("torn", 0, "id", "null"),
        "update evento.consumer_segment set last_slot = 126 where name = 'torn'");
    assertThat(found())
        .containsExactlyInAnyOrder(
            "checkpoint-wrong 12501 null",
            "checkpoint-wrong 5 null",
            "checkpoint-wrong 6 null",
            "slots-wrong null null");
  }

  private static String segment(String consumer, long checkpoint, String epoch, String command) {
    return """
        insert into evento.consumer_segment(name, version, segment, first_slot, last_slot,
                                            checkpoint, epoch, command_id)
        select '%s', 1, 0, 0, 127, %d, %s, %s from evento.store_epoch
        """
        .formatted(consumer, checkpoint, epoch, command);
  }

  @Test
  void epochs_and_snapshots_are_held_to_the_events() throws SQLException {
    store.execute(
        """
        insert into evento.store_epoch(ordinal, starts_after, timeline, at)
        values (2, 100, '1', now()), (3, 50, '1', now()), (4, 99999, '1', now())
        """,
        """
        insert into evento.snapshot(stream_id, version, decision, schema, state)
        select 'Account:a-1', 1, decision, 's', '{}' from evento.event
         where stream_id = 'Account:a-1' and version = 1
        """,
        """
        insert into evento.snapshot(stream_id, version, decision, schema, state)
        values ('Account:a-2', 1, 12345, 's', '{}'), ('Account:x', 1, 1, 's', '{}')
        """);
    var run = verify(null);
    assertThat(
            findings(run).stream()
                .map(one -> one.kind() + ' ' + one.position() + ' ' + one.stream()))
        .contains(
            "epoch-order 50 null",
            "epoch-order 99999 null",
            "snapshot-orphaned null Account:a-2",
            "snapshot-orphaned null Account:x");
    assertThat(run.counts().snapshots()).isEqualTo(3);
    assertThat(run.counts().unreplayed()).as("no bundle is here").isEqualTo(3);
  }

  @Test
  void a_store_that_was_archived_before_the_chain_came_begins_there() throws SQLException {
    store.execute(
        "truncate evento.chain_block",
        "delete from evento.event where position <= 2500",
        "update evento.append_gate set floor = 2500",
        "delete from evento.command_result where position_seen <= 2500",
        """
        insert into evento.snapshot(stream_id, version, decision, schema, state)
        values ('Account:archived', 1, 1, 's', '{}')
        """);
    store.chained();
    var run = verify(null);
    assertThat(findings(run)).isEmpty();
    assertThat(run.floor()).isEqualTo(2500);
    assertThat(run.counts().events()).isEqualTo(12_500);

    store.execute(
        """
        insert into evento.event(position, version, decision, hash, recorded_at, command_id, ord,
                                 stream_id, context, type, tags, meta, payload, answer)
        select 1500, version, decision, hash, recorded_at - interval '1 day', gen_random_uuid(), 0,
               'Other:1', context, type, tags, meta, payload, answer
          from evento.event where position = 2501
        """);
    assertThat(found()).contains("floor-moved 2500 null", "event-changed 1500 Other:1");
  }

  @Test
  void a_floor_that_is_moved_hides_neither_changed_nor_removed_events() throws SQLException {
    store.execute(
        "update evento.append_gate set floor = 12500",
        "update evento.event set payload = '{\"amount\":0}' where position = 7777");
    var run = verify(null);
    assertThat(found())
        .containsExactly("floor-moved 12500 null", "event-changed 7777 Account:a-89");
    assertThat(run.floor()).isZero();
    assertThat(run.counts().events()).isEqualTo(12_500);

    store.execute("update evento.append_gate set floor = 1000000000000");
    run = verify(null);
    assertThat(run.counts().events()).as("no further than there is a store").isEqualTo(12_500);
    assertThat(findings(run))
        .extracting(VerifyTable.Found::kind)
        .containsExactly("floor-moved", "event-changed");

    store.execute(
        "delete from evento.event where position <= 2500",
        "update evento.append_gate set floor = 2500",
        "delete from evento.command_result where position_seen <= 2500");
    assertThat(found())
        .contains(
            "floor-moved 2500 null", "position-missing 1 null", "event-changed 7777 Account:a-89");
  }

  @Test
  void a_floor_hides_nothing_where_the_marks_at_its_ends_were_emptied() throws SQLException {
    store.execute(
        "delete from evento.event where position <= 4000",
        "update evento.append_gate set floor = 4000",
        "delete from evento.command_result where position_seen <= 4000",
        "update evento.chain_block set marks = decode(repeat('00', 8000), 'hex') where block in (1, 4)");
    assertThat(found())
        .containsExactlyInAnyOrder(
            "chain-broken 1 null",
            "floor-moved 1001 null",
            "floor-moved 2001 null",
            "chain-broken 3001 null");
  }

  @Test
  void events_that_take_too_long_for_a_step_are_chained_and_verified_in_smaller_ones()
      throws SQLException {
    node.close();
    // Ten blocks take 5 s, and one alone 3 s.
    store.execute(
        "alter function evento.event_digest_1 rename to event_digest_0",
        """
        create function evento.event_digest_1(e evento.event) returns bytea language plpgsql as $$
        begin
          perform pg_sleep(case when e.position between 4001 and 5000 then 0.003 else 0.0002 end);
          return evento.event_digest_0(e);
        end $$
        """,
        "grant execute on function evento.event_digest_1 to public",
        "truncate evento.chain_block",
        """
        do $$ begin
          execute format('alter database %I set statement_timeout = 2000', current_database());
        end $$
        """);
    node =
        WholeNode.start(store.where, "node-2", Map.of(Setting.VERIFY_PACE_PERCENT, 100), Map.of());
    node.get(ChainWriter.class).start();
    await()
        .atMost(LIMIT)
        .until(() -> store.numbers("select count(*) from evento.chain_block").contains(12L));
    store.execute("update evento.event set payload = '{}' where position = 4444");
    node.get(VerifyRunner.class).start();
    var run = verify(null);
    assertThat(run.state()).as(run.error()).isEqualTo("finished");
    assertThat(run.counts().events()).isEqualTo(12_500);
    assertThat(findings(run)).extracting(VerifyTable.Found::position).containsExactly(4444L);
  }

  @Test
  void an_alarm_lasts_from_a_run_that_found_something_to_one_that_found_nothing()
      throws SQLException {
    node.get(AlarmWatch.class).start();
    store.execute("update evento.event set payload = '{}' where position = 7777");
    assertThat(found()).hasSize(1);
    awaitAlarms("store-damaged");
    store.execute("truncate evento.chain_block");
    store.chained();
    assertThat(found()).isEmpty();
    awaitAlarms();
  }

  private void awaitAlarms(String... kinds) {
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(node.get(AlarmWatch.class).active())
                    .extracting(alarm -> alarm.kind())
                    .filteredOn(kind -> kind.startsWith("store"))
                    .containsExactly(kinds));
  }

  @Test
  void a_hash_is_that_of_the_block_before_and_its_events_whatever_a_session_has_set()
      throws SQLException {
    try (var server = store.where.asServer();
        var session = server.createStatement()) {
      session.execute("set time zone 'Asia/Tokyo'");
      session.execute("set bytea_output = 'escape'");
      try (var row =
          session.executeQuery(
              """
              select (select sha256(b.hash || d.digest) from evento.chain_digests_1(2, 2) d)
                     = (select hash from evento.chain_block where block = 2)
                from evento.chain_block b where b.block = 1
              """)) {
        row.next();
        assertThat(row.getBoolean(1)).isTrue();
      }
    }
  }
}
