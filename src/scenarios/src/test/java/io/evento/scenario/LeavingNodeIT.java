package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import io.evento.testing.FreePorts;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A node under load that ends, or that an operator drains, with callers who try once. */
class LeavingNodeIT {

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Duration LEAVE_MAX = Duration.ofSeconds(20);
  private static final int CALLERS = 4;

  /** Of a consumer that nobody hosts any more, whose owner was killed: nobody takes it over. */
  private static final String LEFT_BEHIND =
      """
      with consumer as (
        insert into evento.consumer (name, version, kind, start)
        values ('left-behind', 1, 'projector', 'end') returning name, version)
      insert into evento.consumer_segment (name, version, segment, first_slot, last_slot, epoch,
                                           owner, owner_incarnation, lease_until)
      select name, version, 0, 0, 127,
             (select id from evento.store_epoch order by ordinal desc limit 1),
             ?, gen_random_uuid(), clock_timestamp() - interval '1 minute'
        from consumer
      """;

  private static final String GONE =
      """
      delete from evento.consumer where name = 'left-behind'
      """;

  @Test
  void it_fails_nobody_behind_the_balancer_or_at_another_node() throws Exception {
    leave(List.of(cluster.balancerDoor().get(0), cluster.doors().get(0), cluster.doors().get(2)));
  }

  @Test
  void it_fails_nobody_behind_haproxy() throws Exception {
    behindHaProxy(door -> leave(List.of(door)));
  }

  @Test
  @Tag("soak")
  void all_nodes_are_restarted_one_after_another_and_nobody_behind_haproxy_is_failed()
      throws Exception {
    behindHaProxy(
        door -> {
          try (var callers = new OneTryCallers(List.of(door))) {
            callers.awaitMore(50);
            for (var number = 1; number <= 3; number++) {
              var node = cluster.node(number);
              node.stop(LEAVE_MAX);
              callers.awaitMore(50);
              cluster.start(node);
              callers.awaitMore(50);
            }

            assertThat(callers.stop()).as("told to callers who tried once").isEmpty();
          }
        });
  }

  /** What is done with a door that has HAProxy before all nodes. */
  private interface Step {
    void with(Door door) throws Exception;
  }

  private static void behindHaProxy(Step step) throws Exception {
    var binary = haProxy();
    // Where the build is judged it has to be there.
    assumeTrue(
        binary.isPresent() || "true".equals(System.getenv("CI")), "HAProxy is not installed");
    var port = FreePorts.one();
    var process = start(binary.orElseThrow(), port);
    try {
      var door = new Door("http://127.0.0.1:" + port);
      await("HAProxy").atMost(LIMIT).until(() -> door.get("health/ready").status() == 200);
      step.with(door);
    } finally {
      process.destroy();
    }
  }

  private static void leave(List<Door> doors) throws Exception {
    try (var callers = new OneTryCallers(doors)) {
      callers.awaitMore(50);
      cluster.node(2).stop(LEAVE_MAX);
      callers.awaitMore(50);

      assertThat(callers.stop()).as("told to callers who tried once").isEmpty();
    } finally {
      cluster.start(cluster.node(2));
    }
    assertThat(Files.readString(cluster.node(2).log())).contains("node drained");
  }

  @Test
  void a_drained_node_fails_nobody_and_nobody_is_failed_when_it_is_a_member_again()
      throws Exception {
    var ways =
        List.of(cluster.balancerDoor().get(0), cluster.doors().get(0), cluster.doors().get(2));
    var drained = cluster.node(2).toString();
    try (var callers = new OneTryCallers(ways)) {
      administer(LEFT_BEHIND, drained);
      callers.awaitMore(50);
      ask(drained, "drain");
      await("nothing is left")
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                assertThat(state(drained)).isEqualTo("draining");
                assertThat(left(drained)).containsExactly(0, 0, 0);
              });
      callers.awaitMore(50);
      // Who asks the drained node itself is answered still.
      assertThat(open(cluster.doors().get(1)).status()).isEqualTo(200);

      ask(drained, "undrain");
      await("it is a member again")
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                assertThat(state(drained)).isEqualTo("up");
                assertThat(left(drained))
                    .satisfies(counts -> assertThat(counts.get(1)).isPositive());
              });
      callers.awaitMore(50);

      assertThat(callers.stop()).as("told to callers who tried once").isEmpty();
    } finally {
      administer(GONE);
      ask(drained, "undrain");
    }
  }

  private static void administer(String sql, String... values) throws SQLException {
    try (var superuser = cluster.administrator();
        var statement = superuser.prepareStatement(sql)) {
      for (var i = 0; i < values.length; i++) {
        statement.setString(i + 1, values[i]);
      }
      statement.executeUpdate();
    }
  }

  private static void ask(String node, String what) throws Exception {
    // Of another one: the wish comes to the node by the database.
    var answer = cluster.doors().get(0).post("nodes/" + node + "/" + what, "{}", LIMIT);
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
  }

  private static String state(String node) throws Exception {
    return one(node).path("state").asText();
  }

  /** Its segments, its sessions, and what these were asked and have not answered. */
  private static List<Integer> left(String node) throws Exception {
    var found = one(node);
    assertThat(found.path("figures").isMissingNode()).isFalse();
    return List.of(
        found.path("segments").asInt(),
        found.path("figures").path("sessions").asInt(),
        found.path("figures").path("outstanding").asInt());
  }

  private static JsonNode one(String node) throws Exception {
    return cluster.doors().get(0).get("live?topics=nodes").body().at("/topics/nodes/nodes/" + node);
  }

  private static Answer open(Door door) throws InterruptedException {
    return door.command(
        "OpenAccount",
        UUID.randomUUID(),
        Map.of("accountId", "once-" + UUID.randomUUID(), "owner", "Ada"));
  }

  private static Optional<Path> haProxy() {
    return Stream.concat(
            Stream.of(System.getenv("PATH").split(File.pathSeparator)), Stream.of("/usr/sbin"))
        .map(directory -> Path.of(directory, "haproxy"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** With the file as it is shipped. */
  private static Process start(Path binary, int port) throws IOException {
    var command =
        new ProcessBuilder(binary.toString(), "-db", "-f", "docker/haproxy.cfg")
            .redirectErrorStream(true)
            .redirectOutput(Path.of("target/scenario/haproxy.log").toFile());
    command.environment().put("LISTEN", "127.0.0.1:" + port);
    for (var number = 1; number <= 3; number++) {
      command
          .environment()
          .put("NODE_" + number, cluster.node(number).url().replace("http://", ""));
    }
    return command.start();
  }

  /** Opens accounts without a pause, each with one try. */
  private static final class OneTryCallers implements AutoCloseable {
    private final ExecutorService threads;
    private final AtomicInteger done = new AtomicInteger();
    private final ConcurrentLinkedQueue<String> failed = new ConcurrentLinkedQueue<>();
    private volatile boolean isOver;

    OneTryCallers(List<Door> doors) {
      threads = Executors.newFixedThreadPool(doors.size() * CALLERS);
      for (var door : doors) {
        for (var i = 0; i < CALLERS; i++) {
          threads.execute(() -> call(door));
        }
      }
    }

    private void call(Door door) {
      try {
        while (!isOver) {
          var answer = open(door);
          if (!answer.isSuccess()) {
            failed.add(door + " said " + answer.status() + " " + answer.body());
          }
          done.incrementAndGet();
        }
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
      }
    }

    void awaitMore(int calls) {
      var wanted = done.get() + calls;
      await("calls").atMost(LIMIT).until(() -> done.get() >= wanted);
    }

    List<String> stop() throws InterruptedException {
      isOver = true;
      threads.shutdown();
      assertThat(threads.awaitTermination(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
      return new ArrayList<>(failed);
    }

    @Override
    public void close() {
      isOver = true;
      threads.shutdownNow();
    }
  }
}
