package io.evento.server.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.eventstore.proof.TableChecks;
import io.evento.server.gateway.WholeNode;
import io.evento.server.security.Actor;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a snapshot may differ in from a state that is made anew, without being wrong. */
class SnapshotReplayTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Actor ADA = new Actor("user ada", "node-1", "10.0.0.1");

  private final FilledStore store = new FilledStore(10);
  private WholeNode node;

  @BeforeEach
  void fill() throws SQLException {
    store.add(100);
    node = WholeNode.start(store.where, "node-1", Map.of(), Map.of());
  }

  @AfterEach
  void stop() {
    node.close();
    store.close();
  }

  @Test
  void a_state_made_anew_is_compared_without_orders_and_texts_that_differ_in_each_process() {
    assertThat(
            SnapshotReplay.isSame(
                "{\"a\":[\"x\",{\"b\":1,\"c\":[2,3]}],\"n\":{\"$p\":1,\"s\":\"me\",\"k\":1,\"v\":\"q\"}}",
                "{\"n\":{\"$p\":1,\"s\":\"me\",\"k\":2,\"v\":\"z\"},\"a\":[{\"c\":[3,2],\"b\":1},\"x\"]}"))
        .isTrue();
    for (var other : List.of("{\"a\":[1,2,2]}", "{\"a\":[1,1]}", "{\"a\":[1,2],\"b\":1}", "{")) {
      assertThat(SnapshotReplay.isSame("{\"a\":[1,2]}", other)).as(other).isFalse();
    }
  }

  @Test
  void a_stream_of_an_erased_subject_is_known() throws SQLException {
    var tables = node.get(TableChecks.class);
    store.execute(
        """
        update evento.event set payload = '{"name":{"$p":1,"s":"%1$s","k":1,"v":"AAAA"}}'
         where stream_id = 'Account:a-5' and version = 3
        """
            .formatted("a".repeat(22)));
    assertThat(tables.isOfErased("Account:a-5")).isFalse();
    store.execute(
        """
        insert into evento.erasure(subject, id, erased_at, erased_by, reason)
        values ('%s', 'ada', now(), 'user root', 'asked'), ('%s', 'eve', now(), 'user root', 'asked')
        """
            .formatted("a".repeat(22), "b".repeat(22)));
    assertThat(tables.isOfErased("Account:a-5")).isTrue();
    assertThat(tables.isOfErased("Account:a-6")).isFalse();
  }

  @Test
  void a_state_that_a_bundle_makes_in_another_way_raises_no_alarm() throws SQLException {
    node.get(VerifyRunner.class).start();
    var verification = node.get(Verification.class);
    var run = verification.start(null, "a test", ADA).id();
    await().atMost(LIMIT).until(() -> !verification.find(run).isRunning());
    var table = node.get(VerifyTable.class);
    store.execute("update evento.verify_run set findings = 1", finding(run, "snapshot-differs"));
    assertThat(table.broken()).isEmpty();
    store.execute(finding(run, "snapshot-orphaned"));
    assertThat(table.broken()).map(Run::id).hasValue(run);
  }

  private static String finding(long run, String kind) {
    return "insert into evento.verify_finding(run, kind, detail) values ("
        + run
        + ", '"
        + kind
        + "', 'x')";
  }
}
