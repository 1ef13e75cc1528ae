package io.evento.scenario.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.session.TlsFiles;
import io.evento.launcher.Login;
import io.evento.launcher.Member;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Credential;
import io.evento.scenario.workload.MoneyWatch;
import io.evento.scenario.workload.TransferAssert;
import io.evento.scenario.workload.TransferBooks;
import io.evento.scenario.workload.TransferLoad;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A cluster with everything on: it works, also while a node is killed, and lets nobody else in. */
@Order(2)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class) // the kill comes last, as nobody heals it
class SecureClusterIT {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int PER_SECOND = 20;

  @RegisterExtension static final Cluster cluster = Cluster.hardened();

  @Test
  @Order(1)
  void nodes_know_each_other_by_certificate_and_whoever_has_none_is_told_nothing()
      throws Exception {
    await("each node has links to both others").atMost(LIMIT).until(() -> links() == 6);
    var ports = cluster.plan().ports();
    for (var port : range(ports.link())) {
      assertThat(answerInTheClear(port, "bela\0\0\0\0\0\0")).as("link " + port).isEmpty();
      assertThatThrownBy(() -> enterWithoutCertificate(port)).isInstanceOf(IOException.class);
    }
  }

  private static List<Integer> range(int first) {
    return IntStream.range(first, first + cluster.nodes().size()).boxed().toList();
  }

  private static int links() throws InterruptedException {
    var sum = 0;
    for (var door : cluster.doors()) {
      sum +=
          door.get("metrics")
              .body()
              .asText()
              .lines()
              .filter(line -> line.startsWith("evento_links "))
              .mapToInt(line -> (int) Double.parseDouble(line.substring("evento_links ".length())))
              .sum();
    }
    return sum;
  }

  /** What comes back to who speaks without TLS, but for an alert of TLS. */
  private static String answerInTheClear(int port, String said) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout((int) LIMIT.toMillis());
      socket.getOutputStream().write(said.getBytes(StandardCharsets.ISO_8859_1));
      var answer = socket.getInputStream().readNBytes(64);
      return answer.length > 0 && answer[0] == 21
          ? ""
          : new String(answer, StandardCharsets.ISO_8859_1);
    } catch (SocketException cutOff) {
      return "";
    }
  }

  /** By TLS 1.3 a client learns only when it reads that it was refused. */
  private static int enterWithoutCertificate(int port) throws IOException {
    try (var socket =
        (SSLSocket)
            TlsFiles.context(cluster.plan().directory().resolve("secrets/links/ca.crt"), null, null)
                .getSocketFactory()
                .createSocket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout((int) LIMIT.toMillis());
      socket.startHandshake();
      socket.getOutputStream().write("bela".getBytes(StandardCharsets.ISO_8859_1));
      var read = socket.getInputStream().read();
      if (read < 0) {
        throw new SSLException("closed");
      }
      return read;
    }
  }

  @Test
  @Order(2)
  void nobody_is_answered_in_the_clear() throws Exception {
    var ports = cluster.plan().ports();
    var doors = new ArrayList<>(range(ports.node()));
    doors.add(ports.balancer());
    for (var port : doors) {
      var host = " HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\n";
      assertThat(answerInTheClear(port, "GET /evento/api/health/live" + host + "\r\n")).isEmpty();
      assertThat(
              answerInTheClear(
                  port,
                  "GET /evento/bundle"
                      + host
                      + "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                      + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                      + "Sec-WebSocket-Protocol: evento.v1\r\n\r\n"))
          .isEmpty();
    }
    for (var login : logins()) {
      assertThatThrownBy(() -> connect(login, "disable"))
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("pg_hba.conf");
      try (var within = connect(login, "verify-full")) {
        assertThat(within.isValid(5)).as(login + " with TLS").isTrue();
      }
    }
  }

  private static List<Login> logins() {
    var database = cluster.database();
    return List.of(database.owner(), database.server(), database.bank());
  }

  private static Connection connect(Login login, String mode) throws SQLException {
    // Of its hosts one listens. Without channel binding, or the driver itself would refuse.
    var url =
        cluster
            .database()
            .url()
            .replaceFirst(",[^/]*/", "/")
            .replace("verify-full", mode)
            .replace("&channelBinding=require", "");
    return DriverManager.getConnection(url, login.user(), login.password());
  }

  @Test
  @Order(3)
  void within_tls_each_needs_a_credential_and_a_person_gets_one_by_the_provider() throws Exception {
    for (var member :
        Stream.concat(cluster.nodes().stream(), Stream.of(cluster.balancer())).toList()) {
      var door = cluster.doorWithoutToken(member);
      assertThat(door.get("nodes").code()).as("%s", member).isEqualTo("unauthenticated");
      assertThat(door.post("commands/OpenAccount", "{}", LIMIT).status()).isEqualTo(401);
      assertThat(cluster.door(member).get("session").status()).isEqualTo(200);
    }
    var balancer = cluster.doorWithoutToken(cluster.balancer());
    var begun = Credential.NONE.ask(balancer, "GET", "session/oidc", "");
    assertThat(begun.status()).as("%s", begun.body()).isEqualTo(303);
    var provider = begun.headers().firstValue("Location").orElseThrow();
    var back = followed(provider);
    assertThat(back).startsWith(cluster.balancer().url() + "/evento/api/");
    var browser = new Credential("browser", List.of("Cookie", cookie(begun)));
    var path = back.substring(back.indexOf("/api/") + "/api/".length());
    var signedIn = browser.ask(balancer, "GET", path, "");
    assertThat(signedIn.status()).as("%s", signedIn.body()).isEqualTo(200);
    var session = new Credential("ada", List.of("Cookie", cookie(signedIn)));
    var who = session.ask(cluster.doorWithoutToken(cluster.node(3)), "GET", "session", "").body();
    assertThat(who.path("name").asText()).isEqualTo("ada");
    assertThat(who.path("roles").toString()).contains("operator");
  }

  private static String cookie(Answer answer) {
    var set = answer.headers().allValues("Set-Cookie").get(0);
    return set.substring(0, set.indexOf(';'));
  }

  private static String followed(String url) throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(URI.create(url)).timeout(LIMIT).build();
    return HttpClient.newHttpClient()
        .send(request, BodyHandlers.discarding())
        .headers()
        .firstValue("Location")
        .orElseThrow();
  }

  @Test
  @Order(4)
  void transfers_conserve_money_while_a_node_is_killed_and_no_secret_is_said_aloud()
      throws Exception {
    var seed = new Random().nextLong();
    try (var money = new MoneyWatch(cluster);
        var load = TransferLoad.over(cluster, seed, PER_SECOND)) {
      await().atMost(LIMIT).until(() -> load.accepted().size() > 2 * PER_SECOND);
      cluster.node(2).kill();
      await().atMost(LIMIT).until(() -> load.accepted().size() > 8 * PER_SECOND);
      load.stop();
      TransferAssert.assertThat(
              new TransferBooks(cluster, load.prefix()), load, "seed=" + seed + " node-2 killed")
          .surprisedNobody()
          .endedEachTransferOnceAndInTime()
          .movedMoneyAndKeptStatesAsIfNothingHadBeen()
          .projectsWhatIsStored();
      assertThat(money.broken()).isEmpty();
      assertThat(money.looks()).isPositive();
    }
    nothingIsSaidAloud();
  }

  /** On no command line, in no log, in no statistics; and no node has the owner's password. */
  private static void nothingIsSaidAloud() throws Exception {
    var secrets = secrets();
    assertThat(secrets).hasSizeGreaterThan(6).allMatch(secret -> secret.length() > 15);
    for (var member : members()) {
      var process = Path.of("/proc", Long.toString(member.pid().orElseThrow()));
      if (Files.exists(process)) {
        assertThat(text(process.resolve("cmdline"))).as("%s", member).doesNotContain(secrets);
        assertThat(text(process.resolve("environ")))
            .as("%s", member)
            .doesNotContain(cluster.database().owner().password(), "EVENTO_DB_OWNER");
      }
    }
    try (var files = Files.list(cluster.plan().directory())) {
      for (var log : files.filter(file -> file.toString().endsWith(".log")).toList()) {
        assertThat(text(log)).as("%s", log).doesNotContain(secrets).doesNotContain("Ada Lovelace");
      }
    }
    try (var connection = cluster.administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery("select string_agg(query, ' ') from pg_stat_statements")) {
      row.next();
      assertThat(row.getString(1)).isNotEmpty().doesNotContain(secrets);
    }
  }

  private static List<Member> members() {
    return Stream.of(cluster.nodes(), cluster.bundles(), List.of(cluster.balancer()))
        .flatMap(List::stream)
        .filter(member -> member.pid().isPresent())
        .toList();
  }

  private static String[] secrets() throws IOException {
    try (var files = Files.list(cluster.plan().directory().resolve("secrets"))) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> !file.endsWith("pg_hba.conf"))
          .map(SecureClusterIT::text)
          .map(String::strip)
          .toArray(String[]::new);
    }
  }

  private static String text(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
