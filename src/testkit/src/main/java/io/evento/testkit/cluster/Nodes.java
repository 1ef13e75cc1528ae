package io.evento.testkit.cluster;

import io.evento.launcher.Launch;
import io.evento.launcher.Login;
import io.evento.launcher.Member;
import io.evento.launcher.NodeSettings;
import io.evento.launcher.PayaraMicro;
import io.evento.launcher.Readiness;
import io.evento.launcher.Roles;
import io.evento.launcher.Signal;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.extension.ExtensionContext.Store.CloseableResource;

/** The processes of an embedded cluster. They end with the test run, however that ends. */
final class Nodes implements CloseableResource {
  private static final System.Logger LOG = System.getLogger(Nodes.class.getName());
  private static final Duration STOP_MAX = Duration.ofSeconds(10);
  private static final String DATABASE = "evento";
  private static final String BUNDLES = "bundles";

  private final EmbeddedPostgres postgres;
  private final List<NodeSettings> settings;
  private final List<Member> members;
  private final Thread atExit = new Thread(this::kill, "end embedded cluster");

  private Nodes(EmbeddedPostgres postgres, List<NodeSettings> settings, List<Member> members) {
    this.postgres = postgres;
    this.settings = settings;
    this.members = members;
  }

  /**
   * @param limit for each node
   * @throws io.evento.launcher.StartFailure with the end of its log, if a node does not start
   */
  static Nodes start(int count, Duration limit) {
    var artifacts = Artifacts.find();
    var directory = Path.of("target/evento/cluster-" + count).toAbsolutePath();
    try {
      Files.createDirectories(directory);
      var preBoot =
          Files.writeString(
              directory.resolve("pre-boot.asadmin"), Artifacts.text("pre-boot.asadmin"));
      var postgres =
          EmbeddedPostgres.builder()
              .setOverrideWorkingDirectory(directory.resolve("postgresql").toFile())
              .setServerConfig("max_connections", "200")
              .start();
      var settings = prepare(postgres, count);
      var micro =
          new PayaraMicro(
              artifacts.payaraMicro(),
              preBoot,
              PayaraMicro.QUICK_START,
              directory.resolveSibling("payara-micro"));
      micro.prepare(artifacts.war());
      var http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
      var members = new ArrayList<Member>();
      for (var node : settings) {
        var log = directory.resolve(node.name() + ".log");
        Files.deleteIfExists(log);
        var files = directory.resolve(node.name());
        members.add(member(node, micro.launch(node, artifacts.war(), files, log), http));
      }
      var nodes = new Nodes(postgres, settings, members);
      Runtime.getRuntime().addShutdownHook(nodes.atExit);
      nodes.startAll(limit);
      return nodes;
    } catch (IOException failure) {
      throw new UncheckedIOException("the embedded cluster does not start", failure);
    } catch (SQLException failure) {
      throw new IllegalStateException("the embedded cluster's database is not made", failure);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the embedded cluster started", stopped);
    }
  }

  private static List<NodeSettings> prepare(EmbeddedPostgres postgres, int count)
      throws IOException, SQLException {
    var owner = new Login("evento_owner", UUID.randomUUID().toString());
    var server = new Login("evento_server", UUID.randomUUID().toString());
    var bank = new Login("evento_bank", UUID.randomUUID().toString());
    try (var connection = postgres.getPostgresDatabase().getConnection();
        var statement = connection.createStatement()) {
      statement.execute("create database " + DATABASE);
      statement.execute("create database " + BUNDLES);
    }
    try (var connection = postgres.getDatabase("postgres", DATABASE).getConnection()) {
      Roles.create(connection, owner, server, bank, Artifacts.text("roles.sql"));
    }
    var url = "jdbc:postgresql://127.0.0.1:" + postgres.getPort() + "/" + DATABASE;
    var ports = freePorts(3 * count);
    var settings = new ArrayList<NodeSettings>();
    for (var i = 0; i < count; i++) {
      settings.add(
          new NodeSettings(
              "node-" + (i + 1),
              ports.get(3 * i),
              ports.get(3 * i + 1),
              ports.get(3 * i + 2),
              url,
              owner,
              server));
    }
    return settings;
  }

  /** All held at once, so that no two are the same. */
  private static List<Integer> freePorts(int count) throws IOException {
    var held = new ArrayList<ServerSocket>();
    try {
      for (var i = 0; i < count; i++) {
        held.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      return held.stream().map(ServerSocket::getLocalPort).toList();
    } finally {
      for (var socket : held) {
        socket.close();
      }
    }
  }

  private static Member member(NodeSettings node, Launch launch, HttpClient http) {
    var ready = URI.create(node.url() + "/evento/api/health/ready");
    return new Member(
        node.name(), node.url(), launch, Readiness.http(http, ready), Signal.TERM, new Watcher());
  }

  private static final class Watcher implements Member.Watcher {
    @Override
    public void started(Member member) {
      LOG.log(System.Logger.Level.INFO, () -> "starting " + member + " log=" + member.log());
    }

    @Override
    public void endedByItself(Member member, int exitCode) {
      LOG.log(
          System.Logger.Level.WARNING,
          () -> member + " ended by itself code=" + exitCode + " log=" + member.log());
    }

    @Override
    public void ended(Member member) {
      LOG.log(System.Logger.Level.DEBUG, () -> member + " ended");
    }
  }

  private void startAll(Duration limit) throws InterruptedException {
    // The first one migrates; the others then need not wait for it.
    var first = members.get(0);
    first.start(Map.of());
    first.awaitReady(limit);
    heal(limit);
  }

  /** Starts what is dead, wakes what is frozen, and waits until all of it is ready. */
  void heal(Duration limit) throws InterruptedException {
    for (var member : members) {
      member.resume();
      member.start();
    }
    for (var member : members) {
      member.awaitReady(limit);
    }
  }

  List<Member> members() {
    return members;
  }

  List<String> bundleUrls() {
    return settings.stream().map(NodeSettings::bundleUrl).toList();
  }

  String bundlesJdbcUrl() {
    return postgres.getJdbcUrl("postgres", BUNDLES);
  }

  private void kill() {
    try {
      for (var member : members) {
        member.kill();
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws Exception {
    var stopping =
        members.stream().map(member -> new Thread(() -> stop(member), "stop " + member)).toList();
    stopping.forEach(Thread::start);
    for (var thread : stopping) {
      thread.join(2 * STOP_MAX.toMillis());
    }
    Runtime.getRuntime().removeShutdownHook(atExit);
    postgres.close();
  }

  private static void stop(Member member) {
    try {
      member.stop(STOP_MAX);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }
}
