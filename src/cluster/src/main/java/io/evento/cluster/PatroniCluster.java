package io.evento.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.launcher.Launch;
import io.evento.launcher.Login;
import io.evento.launcher.Member;
import io.evento.launcher.Readiness;
import io.evento.launcher.Signal;
import io.evento.launcher.StartFailure;
import io.evento.launcher.Tree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Three PostgreSQL under Patroni, with Debian's packages and the configuration of {@code
 * docker/patroni}. There is one etcd: what becomes of a leader that does not reach it is what we
 * try, not what becomes of an etcd that loses members. Each Patroni reaches it by a link of its
 * own, which can be held.
 */
public final class PatroniCluster implements AutoCloseable {

  static final Login ADMINISTRATOR = new Login("postgres", "postgres");

  private static final int MEMBERS = 3;
  private static final String ETCD = "etcd";
  private static final Duration START_MAX = Duration.ofSeconds(90);
  private static final Duration STOP_MAX = Duration.ofSeconds(10);
  private static final long POLL_MILLIS = 200;
  // Below the ports that the system gives to clients: a member that is down must find its own free.
  private static final int PORT_MIN = 31_000;
  private static final int PORT_MAX = 32_700;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Readiness.ANSWER_MAX)
          .build();

  private final Path project;
  private final Path logs;
  private final PidFile pids;
  private final int ports;
  private final Path home;
  private final Member etcd;
  private final List<PatroniMember> members = new ArrayList<>();
  private boolean closed;

  private PatroniCluster(Path project, int ports) throws IOException {
    this.project = project;
    this.logs = Files.createDirectories(project.resolve("target/patroni"));
    this.pids = new PidFile(logs.resolve("pids"));
    this.ports = ports;
    // Not below the project, which PostgreSQL's user need not be able to reach.
    this.home = Files.createTempDirectory("evento-patroni");
    this.etcd =
        new Member(
            ETCD,
            etcdUrl(),
            etcdLaunch(),
            Readiness.http(HTTP, URI.create(etcdUrl() + "/health")),
            Signal.TERM,
            new Remembering());
  }

  /**
   * Installs what is missing and starts everything.
   *
   * @return with a leader, a synchronous standby and a third
   * @throws StartFailure if packages are missing and cannot be installed
   */
  public static PatroniCluster start() {
    DebianPackages.requirePostgres();
    DebianPackages.require("patroni", "python3-etcd", "etcd-server");
    try {
      var cluster = new PatroniCluster(Path.of("").toAbsolutePath(), freePorts());
      Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "stop patroni"));
      cluster.beginOrClose();
      return cluster;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartFailure("Interrupted while Patroni started.");
    }
  }

  private void beginOrClose() throws IOException, InterruptedException {
    var whole = false;
    try {
      begin();
      whole = true;
    } finally {
      if (!whole) {
        close();
      }
    }
  }

  private void begin() throws IOException, InterruptedException {
    endLeftovers();
    for (var file : List.of("patroni/patroni.yml", "patroni/post-init.sh", "roles.sql")) {
      var source = project.resolve("docker").resolve(file);
      Files.copy(source, home.resolve(source.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
    }
    var config = home.resolve("patroni.yml");
    Files.writeString(config, Files.readString(config).replace("/etc/patroni", home.toString()));
    open(config, "rw-r--r--");
    open(home.resolve("post-init.sh"), "rwxr-xr-x");
    open(home.resolve("roles.sql"), "rw-r--r--");
    open(home, "rwxr-xr-x");
    if (DebianPackages.isRoot()) {
      var users = home.getFileSystem().getUserPrincipalLookupService();
      Files.setOwner(home, users.lookupPrincipalByName("postgres"));
    }
    etcd.start();
    etcd.awaitReady(START_MAX);
    for (var number = 1; number <= MEMBERS; number++) {
      members.add(member(number));
    }
    // The first makes the cluster. Else chance would, and the others tried too.
    members.get(0).start();
    members.get(0).patroni().awaitReady(START_MAX);
    members.forEach(PatroniMember::start);
    awaitWhole();
  }

  /** A killed Patroni leaves its PostgreSQL behind, which is known by the place of its data. */
  private void endLeftovers() throws IOException, InterruptedException {
    pids.endLeftovers();
    var remembered = logs.resolve("home");
    if (Files.exists(remembered)) {
      var former = Files.readString(remembered);
      ProcessHandle.allProcesses()
          .filter(process -> process.info().commandLine().orElse("").contains(former + "/"))
          .forEach(process -> Signal.KILL.sendTo(process.pid()));
      Tree.delete(Path.of(former));
    }
    Files.writeString(remembered, home.toString());
  }

  private static void open(Path file, String rights) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(rights));
  }

  // ---- what can be asked and done

  public List<PatroniMember> members() {
    return List.copyOf(members);
  }

  /** All members in one URL, as operators are told to write it. */
  public Database database() {
    return new Database(
        url(Database.NAME) + "?targetServerType=primary",
        new Login("evento_owner", "owner"),
        new Login("evento_server", "server"),
        new Login("evento_bank", "bank"));
  }

  /** A superuser's connection to the leader's database; close it. */
  public Connection administrator() throws SQLException {
    return DriverManager.getConnection(
        url(Database.NAME) + "?targetServerType=primary&connectTimeout=2",
        ADMINISTRATOR.user(),
        ADMINISTRATOR.password());
  }

  private String url(String database) {
    return "jdbc:postgresql://"
        + IntStream.rangeClosed(1, MEMBERS)
            .mapToObj(number -> "127.0.0.1:" + postgresPort(number))
            .collect(Collectors.joining(","))
        + "/"
        + database;
  }

  /** Who leads, as Patroni says. */
  public PatroniMember leader() throws InterruptedException {
    return withRole("leader");
  }

  /** The standby without which nothing is acknowledged. */
  public PatroniMember synchronousStandby() throws InterruptedException {
    return withRole("sync_standby");
  }

  private PatroniMember withRole(String role) throws InterruptedException {
    for (var told : told()) {
      if (told.path("role").asText().equals(role)) {
        return members.stream()
            .filter(member -> member.name().equals(told.path("name").asText()))
            .findFirst()
            .orElseThrow();
      }
    }
    throw new IllegalStateException("Patroni knows no " + role);
  }

  /** A planned change of places, as by {@code patronictl switchover}; answers when it is done. */
  public void switchOver(PatroniMember from, PatroniMember to) throws InterruptedException {
    var body = JSON.createObjectNode().put("leader", from.name()).put("candidate", to.name());
    var request =
        HttpRequest.newBuilder(URI.create(from.patroni().url() + "/switchover"))
            .timeout(START_MAX)
            .POST(BodyPublishers.ofString(body.toString()))
            .build();
    try {
      var answer = HTTP.send(request, BodyHandlers.ofString());
      if (answer.statusCode() != 200) {
        throw new IllegalStateException("no switchover: " + answer.body());
      }
    } catch (IOException failure) {
      throw new UncheckedIOException("no switchover", failure);
    }
  }

  /** Returns when one leads, one is its synchronous standby and the third streams from it too. */
  public void awaitWhole() throws InterruptedException {
    var deadline = System.nanoTime() + START_MAX.toNanos();
    while (!isWhole()) {
      if (System.nanoTime() - deadline > 0) {
        throw new StartFailure("Patroni is not whole: " + told(), members.get(0).patroni().log());
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
    }
  }

  private boolean isWhole() throws InterruptedException {
    var told = told();
    var roles = told.stream().map(member -> member.path("role").asText()).sorted().toList();
    return roles.equals(List.of("leader", "replica", "sync_standby"))
        && told.stream().map(member -> member.path("timeline").asInt()).distinct().count() == 1
        && told.stream()
            .allMatch(
                member -> List.of("running", "streaming").contains(member.path("state").asText()));
  }

  /** What a Patroni that answers says of all members; empty if none answers. */
  private List<JsonNode> told() throws InterruptedException {
    for (var member : members) {
      var request =
          HttpRequest.newBuilder(URI.create(member.patroni().url() + "/cluster"))
              .timeout(Readiness.ANSWER_MAX)
              .build();
      try {
        var answer = HTTP.send(request, BodyHandlers.ofString());
        var found = new ArrayList<JsonNode>();
        JSON.readTree(answer.body()).path("members").forEach(found::add);
        return found;
      } catch (IOException deadOrFrozen) {
        continue;
      }
    }
    return List.of();
  }

  // ---- processes

  private String etcdUrl() {
    return "http://127.0.0.1:" + ports;
  }

  private Launch etcdLaunch() {
    var peers = "http://127.0.0.1:" + (ports + 1);
    return new Launch(
        Stream.concat(
                DebianPackages.asPostgres().stream(),
                Stream.of(
                    "etcd",
                    "--name=etcd",
                    "--data-dir=" + home.resolve(ETCD),
                    "--listen-client-urls=" + etcdUrl(),
                    "--advertise-client-urls=" + etcdUrl(),
                    "--listen-peer-urls=" + peers,
                    "--initial-advertise-peer-urls=" + peers,
                    "--initial-cluster=etcd=" + peers,
                    "--enable-v2",
                    "--log-level=warn"))
            .toList(),
        Map.of(),
        logs.resolve("etcd.log"));
  }

  private PatroniMember member(int number) throws IOException {
    var link = HeldLink.to(ports, linkPort(number));
    var name = "pg-" + number;
    var rest = "127.0.0.1:" + restPort(number);
    var postgres = "127.0.0.1:" + postgresPort(number);
    var database = database();
    var data = home.resolve(name);
    var environment = new HashMap<String, String>();
    environment.put("PATRONI_NAME", name);
    environment.put("PATRONI_RESTAPI_LISTEN", rest);
    environment.put("PATRONI_RESTAPI_CONNECT_ADDRESS", rest);
    environment.put("PATRONI_POSTGRESQL_LISTEN", postgres);
    environment.put("PATRONI_POSTGRESQL_CONNECT_ADDRESS", postgres);
    environment.put("PATRONI_POSTGRESQL_DATA_DIR", data.toString());
    environment.put("PATRONI_POSTGRESQL_PGPASS", home.resolve("pgpass-" + number).toString());
    environment.put("PATRONI_POSTGRESQL_BIN_DIR", DebianPackages.postgresPrograms().toString());
    // By etcd's older interface: through the newer one Patroni 3.0.2, which is Debian 12's, gives a
    // leader that wakes its lease back though another has it by now (mended in 3.0.3).
    environment.put("PATRONI_ETCD_HOSTS", "127.0.0.1:" + linkPort(number));
    environment.put("PATRONI_ETCD_USE_PROXIES", "true"); // or it would find the way round the link
    environment.put("PATRONI_SUPERUSER_PASSWORD", ADMINISTRATOR.password());
    environment.put("PATRONI_REPLICATION_PASSWORD", "replicator");
    environment.put("PATRONI_REWIND_PASSWORD", "rewinder");
    environment.put("EVENTO_DB_OWNER_PASSWORD", database.owner().password());
    environment.put("EVENTO_DB_PASSWORD", database.server().password());
    environment.put("BANK_JDBC_PASSWORD", database.bank().password());
    environment.put("ROLES_SQL", home.resolve("roles.sql").toString());
    var command =
        Stream.concat(
                DebianPackages.asPostgres().stream(),
                Stream.of("patroni", home.resolve("patroni.yml").toString()))
            .toList();
    var patroni =
        new Member(
            name,
            "http://" + rest,
            new Launch(command, environment, logs.resolve(name + ".log")),
            Readiness.http(HTTP, URI.create("http://" + rest + "/health")),
            Signal.TERM,
            new Remembering());
    return new PatroniMember(patroni, data, postgresPort(number), link);
  }

  private int linkPort(int number) {
    return ports + 1 + number;
  }

  private int restPort(int number) {
    return ports + 1 + MEMBERS + number;
  }

  private int postgresPort(int number) {
    return ports + 1 + 2 * MEMBERS + number;
  }

  private static int freePorts() {
    var count = 2 + 3 * MEMBERS;
    return IntStream.iterate(PORT_MIN, first -> first <= PORT_MAX - count, first -> first + count)
        .filter(first -> IntStream.range(first, first + count).allMatch(PatroniCluster::isFree))
        .findFirst()
        .orElseThrow(() -> new StartFailure("No free ports for Patroni."));
  }

  private static boolean isFree(int port) {
    try (var probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return probe.isBound();
    } catch (IOException taken) {
      return false;
    }
  }

  /** The logs stay. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      for (var member : members) {
        member.remove();
      }
      etcd.stop(STOP_MAX);
      Tree.delete(home);
    } catch (IOException failure) {
      throw new UncheckedIOException("cannot delete " + home, failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Remembering implements Member.Watcher {

    @Override
    public void started(Member member) {
      remember();
    }

    @Override
    public void endedByItself(Member member, int exitCode) {
      System.out.println("[patroni] " + member + " ended by itself with code " + exitCode);
    }

    @Override
    public void ended(Member member) {
      remember();
    }

    private void remember() {
      var all = Stream.concat(Stream.of(etcd), members.stream().map(PatroniMember::patroni));
      try {
        synchronized (pids) {
          pids.write(all.toList());
        }
      } catch (IOException failure) {
        throw new UncheckedIOException("cannot remember the processes", failure);
      }
    }
  }
}
