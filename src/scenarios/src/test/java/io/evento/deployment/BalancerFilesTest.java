package io.evento.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.evento.testing.FreePorts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The balancers' files as they are shipped, in front of what answers as nodes do. */
class BalancerFilesTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String PROBLEM = "application/problem+json";

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<StandIn> nodes = new ArrayList<>();
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final int port = FreePorts.one();

  /** Answers as a node does: its health, and whatever it is told to say to the rest. */
  private final class StandIn {
    private final String name;
    private final HttpServer server;
    private volatile String health = "up";
    private volatile int status = 200;
    private volatile String type = PROBLEM;

    StandIn(String name) throws IOException {
      this.name = name;
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
      server.setExecutor(threads);
      server.createContext("/evento/api/health/ready", this::health);
      server.createContext(
          "/evento/api/host",
          asked -> answer(asked, 200, PROBLEM, asked.getRequestHeaders().getFirst("Host")));
      server.createContext("/", asked -> answer(asked, status, type, name));
      server.start();
    }

    private void health(HttpExchange asked) throws IOException {
      answer(
          asked,
          health.equals("up") ? 200 : 503,
          "application/json",
          "{\"state\":\"" + health + "\"}");
    }

    private static void answer(HttpExchange asked, int status, String type, String body)
        throws IOException {
      var bytes = body.getBytes(StandardCharsets.UTF_8);
      asked.getRequestBody().readAllBytes();
      asked.getResponseHeaders().add("Content-Type", type);
      asked.sendResponseHeaders(status, bytes.length);
      asked.getResponseBody().write(bytes);
      asked.close();
    }

    String address() {
      return "127.0.0.1:" + server.getAddress().getPort();
    }
  }

  @BeforeEach
  void start() throws IOException {
    for (var number = 1; number <= 3; number++) {
      nodes.add(new StandIn("node-" + number));
    }
  }

  @AfterEach
  void stop() {
    nodes.forEach(node -> node.server.stop(0));
    threads.shutdownNow();
  }

  private HttpResponse<String> get(int at, String path) throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + at + path)).timeout(SOON).build(),
        BodyHandlers.ofString());
  }

  private Process haProxy(Map<String, String> more) throws IOException {
    var program = Programs.find("haproxy");
    assumeTrue(program.isPresent(), "HAProxy is not installed");
    var command =
        new ProcessBuilder(program.get().toString(), "-db", "-f", "docker/haproxy.cfg")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    var environment = new HashMap<>(more);
    environment.put("LISTEN", "127.0.0.1:" + port);
    for (var number = 1; number <= 3; number++) {
      environment.put("NODE_" + number, nodes.get(number - 1).address());
    }
    command.environment().putAll(environment);
    return command.start();
  }

  private void awaitHeard(int at) {
    await().atMost(SOON).ignoreExceptions().until(() -> get(at, "/evento/api/x").statusCode() > 0);
  }

  @Test
  void haproxy_makes_a_foreign_404_unavailable_and_passes_those_of_a_node() throws Exception {
    var balancer = haProxy(Map.of());
    try {
      awaitHeard(port);
      nodes.forEach(node -> node.status = 404);
      var own = get(port, "/evento/api/streams/Account/a");
      assertThat(own.statusCode()).isEqualTo(404);
      assertThat(own.body()).startsWith("node-");

      nodes.forEach(node -> node.type = "text/html");
      var foreign = get(port, "/evento/api/commands/Open");
      assertThat(foreign.statusCode()).isEqualTo(503);
      assertThat(foreign.headers().firstValue("Content-Type")).contains(PROBLEM);
      assertThat(foreign.body()).contains("\"code\":\"unavailable\"");
      // Somebody else's page on the same server is none of ours.
      assertThat(get(port, "/other").statusCode()).isEqualTo(404);
    } finally {
      balancer.destroy();
    }
  }

  @Test
  void haproxy_gives_a_draining_node_nothing_new_and_is_never_without_a_node() throws Exception {
    var balancer = haProxy(Map.of());
    try {
      awaitHeard(port);
      nodes.get(0).health = "draining";
      await()
          .atMost(SOON)
          .during(Duration.ofSeconds(1))
          .until(() -> !get(port, "/evento/api/x").body().equals("node-1"));

      nodes.forEach(node -> node.health = "joining");
      await()
          .atMost(SOON)
          .during(Duration.ofSeconds(3))
          .until(() -> get(port, "/evento/api/x").body().startsWith("node-"));
    } finally {
      balancer.destroy();
    }
  }

  @Test
  void haproxy_tells_its_statistics_and_asks_for_health_at_a_port_of_its_own(@TempDir Path folder)
      throws Exception {
    var statistics = FreePorts.one();
    // Of the three, the first alone has its port there.
    var checked = nodes.get(0).server.getAddress().getPort();
    var balancer =
        haProxy(
            Map.of(
                "STATISTICS",
                "127.0.0.1:" + statistics,
                "HEALTH_PORT",
                Integer.toString(checked),
                "LOG_LEVEL",
                "info"));
    try {
      awaitHeard(port);
      await()
          .atMost(SOON)
          .ignoreExceptions()
          .untilAsserted(
              () ->
                  assertThat(get(statistics, "/metrics").body())
                      .contains("haproxy_server_check_status{proxy=\"nodes\",server=\"node-1\""));
      assertThat(get(statistics, "/").body()).contains("node-3");
      nodes.get(0).health = "joining";
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(get(statistics, "/metrics").body())
                      .contains(
                          "haproxy_server_status{proxy=\"nodes\",server=\"node-3\",state=\"DOWN\"}"
                              + " 1"));
    } finally {
      balancer.destroy();
    }
    var certificate = certificate(folder);
    Programs.accepts(
        Programs.find("haproxy").orElseThrow(),
        Path.of("").toAbsolutePath(),
        Map.of(
            "CERTIFICATE",
            certificate.toString(),
            "NODE_1",
            "127.0.0.1:1",
            "NODE_2",
            "127.0.0.1:2",
            "NODE_3",
            "127.0.0.1:3"),
        List.of("-c", "-f", "docker/haproxy.cfg"));
  }

  private static Path certificate(Path folder) throws Exception {
    var openssl = Programs.find("openssl");
    assumeTrue(openssl.isPresent(), "openssl is not installed");
    Programs.accepts(
        openssl.get(),
        folder,
        Map.of(),
        List.of(
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "key.pem",
            "-out",
            "certificate.pem",
            "-days",
            "1",
            "-subj",
            "/CN=localhost"));
    return Files.writeString(
        folder.resolve("both.pem"),
        Files.readString(folder.resolve("key.pem"))
            + Files.readString(folder.resolve("certificate.pem")));
  }

  @Test
  void nginx_serves_by_its_file_and_goes_elsewhere_when_a_node_is_gone(@TempDir Path folder)
      throws Exception {
    var nginx = Programs.find("nginx");
    assumeTrue(nginx.isPresent(), "NGINX is not installed");
    var text = Files.readString(Path.of("docker/nginx.conf"));
    for (var number = 1; number <= 3; number++) {
      text = text.replace("node-" + number + ":8080", nodes.get(number - 1).address());
    }
    var file =
        Files.writeString(
            folder.resolve("nginx.conf"),
            text.replace("listen 8080", "listen 127.0.0.1:" + port)
                .replace("/tmp/", folder + "/")
                .replace("worker_processes auto", "daemon off; worker_processes 1"));
    Programs.accepts(
        nginx.get(), folder, Map.of(), List.of("-t", "-c", file.toString(), "-p", "" + folder));
    var balancer =
        new ProcessBuilder(nginx.get().toString(), "-c", file.toString(), "-p", "" + folder)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      awaitHeard(port);
      nodes.forEach(node -> node.status = 504);
      var own = get(port, "/evento/api/commands/Open");
      assertThat(own.statusCode()).as("what a node says is passed").isEqualTo(504);
      assertThat(get(port, "/evento/api/host").body())
          .as("a page's Origin is held against it, and has the port")
          .isEqualTo("127.0.0.1:" + port);
      assertThat(own.body()).startsWith("node-");

      nodes.forEach(node -> node.status = 200);
      nodes.get(0).server.stop(0);
      for (var i = 0; i < 10; i++) {
        assertThat(get(port, "/evento/api/x").body()).isIn("node-2", "node-3");
      }
      nodes.forEach(node -> node.server.stop(0));
      var none = get(port, "/evento/api/x");
      assertThat(none.statusCode()).isEqualTo(503);
      assertThat(none.headers().firstValue("Content-Type")).contains(PROBLEM);
      assertThat(none.body()).contains("\"code\":\"unavailable\"");
    } finally {
      balancer.destroy();
    }
  }
}
