package io.evento.scenario.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Cluster;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * {@code mvn -Pprove} on a cluster that runs, as a process of its own: what it says and ends with.
 */
class ProveIT {
  private static final String PLANTED = "00000000-0000-4000-8000-00000000babe";

  @RegisterExtension static final Cluster cluster = Cluster.running();

  /** What the goal came to. */
  private record End(int code, String said) {}

  @AfterEach
  void nothing_is_left() throws SQLException {
    execute("delete from evento.command_result where command_id = '" + PLANTED + "'");
    execute("delete from evento.verify_run where state <> 'running'");
  }

  private static void execute(String statement) throws SQLException {
    try (var connection = cluster.administrator();
        var session = connection.createStatement()) {
      session.execute(statement);
    }
  }

  private static End prove(String... options) throws IOException, InterruptedException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add("-Dprove.url=" + cluster.balancer().url());
    command.addAll(List.of(options));
    command.addAll(List.of("io.evento.cluster.Prove", "."));
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("it ended").isTrue();
    return new End(process.exitValue(), said);
  }

  @Test
  void a_store_that_is_as_it_must_be_ends_it_with_0() throws Exception {
    Bank.account(cluster).deposit(cluster.node(1), 1);
    var end = prove();
    assertThat(end.code()).as(end.said()).isZero();
    assertThat(end.said()).contains("finished in", "0 findings");
  }

  @Test
  void what_was_planted_is_told_and_ends_it_with_1() throws Exception {
    Bank.account(cluster).deposit(cluster.node(1), 1);
    execute(
        """
        insert into evento.command_result(command_id, hash, position_seen, recorded_at, kind, stream_id)
        select '%s', 1, position, recorded_at - interval '1 day', 1, stream_id
          from evento.event order by position desc limit 1
        """
            .formatted(PLANTED));
    try {
      var end = prove();
      assertThat(end.code()).as(end.said()).isEqualTo(1);
      assertThat(end.said()).contains("FINDING outcome-misplaced", PLANTED, "not proven");
    } finally {
      execute("delete from evento.command_result where command_id = '" + PLANTED + "'");
      // The alarm of a finding ends with a run that finds nothing.
      prove();
    }
  }

  @Test
  void an_anchor_that_is_none_is_refused_before_anything_is_done() throws Exception {
    var end = prove("-Dprove.anchor=yesterday");
    assertThat(end.code()).isEqualTo(1);
    assertThat(end.said()).contains("prove.anchor must be NUMBER:HASH, is yesterday");
  }
}
