package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.EventoBundle;
import io.evento.cluster.AppServer;
import io.evento.cluster.ClusterPlan;
import io.evento.cluster.Database;
import io.evento.cluster.DebianPackages;
import io.evento.cluster.LocalCluster;
import io.evento.cluster.Ports;
import io.evento.launcher.Member;
import io.evento.launcher.PayaraMicro;
import io.evento.launcher.Roles;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.ConsumerDoor;
import io.evento.scenario.fixture.Door;
import io.evento.scenario.workload.Elsewhere;
import io.evento.testing.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Takes a dump, and lets the same nodes and nodes of another cluster work on copies of it. */
@Tag("patroni")
class DumpIT {

  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Duration STOP_MAX = Duration.ofSeconds(20);
  private static final int SHIFT = 21_000;

  @RegisterExtension static final Cluster cluster = Cluster.onPatroni();

  @Test
  void a_dump_serves_on_another_server_and_in_another_cluster_and_who_was_ahead_notices()
      throws Exception {
    var bank = Bank.account(cluster);
    var dump = Files.createTempFile("evento", ".dump");
    try (var elsewhere = new Elsewhere();
        var server = PostgresServer.start()) {
      var urls = cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new);
      try (var bundle = bundle(elsewhere, urls)) {
        assertThat(bundle.isConnected()).isTrue();
        assertThat(bank.deposit(cluster.node(1), 100).isSuccess()).isTrue();
        awaitAmounts(elsewhere, bank, 100L);
        dump(dump);
        assertThat(bank.deposit(cluster.node(1), 1).isSuccess()).isTrue();
        awaitAmounts(elsewhere, bank, 100L, 1L);

        var moved = restore(dump, server, "evento");
        var epochs = epochs(server, "evento");
        moveTo(moved);
        awaitReady(cluster.nodes());
        goesOnFromTheDump(cluster.door(cluster.node(1)), bank, 7);
        assertThat(epochs(server, "evento")).isEqualTo(epochs + 1);
        // Its checkpoint was ahead: it goes back, and what the lost event did stays in its rows.
        awaitAmounts(elsewhere, bank, 100L, 1L, 7L);
      }

      var another = new LocalCluster(another(restore(dump, server, "another")), DumpIT::say);
      another.clearTheWay();
      try {
        var epochs = epochs(server, "another");
        another.start();
        awaitReady(another.nodes());
        var node = another.nodes().get(0);
        try (var bundle = bundle(elsewhere, cluster.webSocket(node))) {
          assertThat(bundle.isConnected()).isTrue();
          goesOnFromTheDump(cluster.door(node), bank, 9);
          assertThat(epochs(server, "another")).isEqualTo(epochs + 1);
          // The two copies live apart from here: this one never had the epoch of the other.
          await("it stops with a note")
              .atMost(LIMIT)
              .untilAsserted(
                  () ->
                      assertThat(ConsumerDoor.at(cluster, node, Elsewhere.NAME, 1).segments())
                          .isNotEmpty()
                          .anySatisfy(
                              segment ->
                                  assertThat(segment.path("note").asText())
                                      .contains("the store never had epoch")));
          assertThat(elsewhere.amounts(bank.account())).containsExactly(100L, 1L, 7L);
        }
      } finally {
        another.stop();
      }
    } finally {
      Files.delete(dump);
    }
  }

  private static EventoBundle bundle(Elsewhere elsewhere, String... urls) {
    return EventoBundle.named("elsewhere")
        .connect(urls)
        .jdbc(elsewhere.pool())
        .register(elsewhere)
        .start();
  }

  /** Nodes that were started on it know of no other store, and take it. */
  private static void awaitReady(List<Member> nodes) {
    for (var node : nodes) {
      await(node + " is ready").atMost(LIMIT).until(node::isReady);
    }
  }

  private static void goesOnFromTheDump(Door door, Bank bank, long amount) throws Exception {
    var payload = Map.of("accountId", bank.account(), "amount", amount, "reference", "one");
    var id = UUID.randomUUID();
    var answer =
        await("a deposit on the copy")
            .atMost(LIMIT)
            .until(() -> door.command("Deposit", id, payload), Answer::isFinal);
    assertThat(answer.isSuccess()).as("%s", answer.body()).isTrue();
    assertThat(answer.body().path("aggregate").path("version").asLong()).isEqualTo(3);
    await("the view shows the dump and what came after")
        .atMost(LIMIT)
        .until(
            () ->
                door.query("FindAccount", Map.of("accountId", bank.account()))
                        .body()
                        .path("balance")
                        .asLong()
                    == 100 + amount);
  }

  private static void awaitAmounts(Elsewhere elsewhere, Bank bank, Long... amounts) {
    await("what is kept elsewhere")
        .atMost(LIMIT)
        .untilAsserted(
            () -> assertThat(elsewhere.amounts(bank.account())).containsExactly(amounts));
  }

  /** All of them, as two stores must not be served by one cluster. */
  private static void moveTo(Database database) throws InterruptedException {
    for (var member : cluster.bundles()) {
      member.stop(STOP_MAX);
    }
    for (var member : cluster.nodes()) {
      member.stop(STOP_MAX);
    }
    for (var member : cluster.nodes()) {
      member.start(Map.of("EVENTO_DB_URL", database.url()));
    }
    for (var member : cluster.bundles()) {
      member.start(Map.of("BANK_JDBC_URL", database.url()));
    }
    for (var member : cluster.bundles()) {
      cluster.awaitReady(member);
    }
  }

  private static ClusterPlan another(Database database) {
    var project = Path.of("").toAbsolutePath();
    return new ClusterPlan(
        project,
        project.resolve("target/another-cluster"),
        1,
        1,
        Ports.DEFAULT.shifted(SHIFT),
        Optional.of(database),
        AppServer.PAYARA_MICRO,
        PayaraMicro.QUICK_START,
        false);
  }

  // ---- PostgreSQL's own programs

  private static void dump(Path file) throws Exception {
    var leader = Integer.toString(cluster.patroni().leader().port());
    run(
        "pg_dump",
        "-Fc",
        "-h",
        "127.0.0.1",
        "-p",
        leader,
        "-U",
        "postgres",
        "-f",
        file.toString(),
        "evento");
  }

  /** Makes the database and its roles, and fills it. */
  private static Database restore(Path dump, PostgresServer server, String name) throws Exception {
    var logins = cluster.database();
    try (var admin = server.admin();
        var statement = admin.createStatement()) {
      statement.execute("create database " + name);
    }
    try (var admin = admin(server, name)) {
      var script = Files.readString(Path.of("docker/roles.sql"));
      Roles.create(admin, logins.owner(), logins.server(), logins.bank(), script);
      var url = admin.getMetaData().getURL();
      var port = url.replaceFirst(".*:(\\d+)/.*", "$1");
      run(
          "pg_restore",
          "--clean",
          "--if-exists",
          "--exit-on-error",
          "-h",
          "127.0.0.1",
          "-p",
          port,
          "-U",
          "postgres",
          "-d",
          name,
          dump.toString());
      return new Database(
          "jdbc:postgresql://127.0.0.1:" + port + "/" + name,
          logins.owner(),
          logins.server(),
          logins.bank());
    }
  }

  private static Connection admin(PostgresServer server, String name) throws Exception {
    try (var any = server.admin()) {
      var url = any.getMetaData().getURL().replaceFirst("(.*:\\d+/)\\w+", "$1" + name);
      return DriverManager.getConnection(url, "postgres", "");
    }
  }

  private static int epochs(PostgresServer server, String name) throws Exception {
    try (var connection = admin(server, name);
        var statement = connection.createStatement();
        var row = statement.executeQuery("select count(*) from evento.store_epoch")) {
      row.next();
      return row.getInt(1);
    }
  }

  private static void run(String program, String... arguments)
      throws IOException, InterruptedException {
    var command = new ArrayList<String>();
    command.add(DebianPackages.postgres(program).toString());
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("PGPASSWORD", "postgres");
    var process = builder.start();
    var said = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as("%s: %s", command, said).isZero();
  }

  private static void say(String sentence) {
    System.out.println("[another] " + sentence);
  }
}
