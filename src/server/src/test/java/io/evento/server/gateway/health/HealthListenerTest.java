package io.evento.server.gateway.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.server.cluster.Membership;
import io.evento.server.config.HealthConfig;
import io.evento.server.config.ServerConfig;
import io.evento.server.gateway.WholeNode;
import io.evento.testing.FreePorts;
import io.evento.testing.PostgresFixture;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HealthListenerTest {
  private final WholeNode node =
      WholeNode.start(PostgresFixture.shared().migrated(), "node-1", Map.of(), Map.of());
  private final int port = FreePorts.one();
  private final HealthListener listener =
      new HealthListener(
          new HealthConfig(Optional.of(port)),
          node.get(ServerConfig.class),
          node.get(HealthChecks.class),
          node.threads);

  @BeforeEach
  void start() {
    listener.start();
    await().atMost(Duration.ofSeconds(10)).ignoreExceptions().until(() -> !get("live").isEmpty());
  }

  @AfterEach
  void stop() {
    listener.stop();
    node.close();
  }

  private String get(String name) throws IOException {
    return say("GET /evento/api/health/" + name + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }

  private String say(String request) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  @Test
  void it_tells_what_the_http_port_tells() throws IOException {
    assertThat(get("live")).startsWith("HTTP/1.1 200 OK\r\n");
    assertThat(get("started")).startsWith("HTTP/1.1 200 OK\r\n");
    var code = node.get(HealthChecks.class).ready().code();
    assertThat(get("ready")).startsWith("HTTP/1.1 " + code);
    assertThat(get("ready?from=balancer"))
        .contains("\"name\":\"membership\",\"status\":\"UP\",\"data\":{\"state\":\"up\"}")
        .contains("\"name\":\"timer\"");

    node.get(Membership.class).drain();
    assertThat(get("ready"))
        .startsWith("HTTP/1.1 503 ")
        .contains("\"state\":\"draining\"")
        .contains("\"status\":\"DOWN\"");
  }

  @Test
  void it_has_nothing_else_and_takes_nothing() throws IOException {
    assertThat(get("../nodes")).startsWith("HTTP/1.1 404");
    assertThat(say("POST /evento/api/health/ready HTTP/1.1\r\n\r\n")).startsWith("HTTP/1.1 404");
    assertThat(say("GET /evento/api/health/ready\r\n\r\n")).startsWith("HTTP/1.1 404");
    assertThat(say("GET /" + "x".repeat(2_000))).startsWith("HTTP/1.1 404");
  }

  @Test
  void who_says_nothing_does_not_hold_up_the_next_one_for_long() throws IOException {
    try (var silent = new Socket(InetAddress.getLoopbackAddress(), port)) {
      assertThat(silent.isConnected()).isTrue();
      // It would never be answered while the silent one is waited for.
      assertThat(get("live")).startsWith("HTTP/1.1 200");
    }
  }

  @Test
  void a_port_is_a_port() {
    assertThat(new HealthConfig(Optional.of(65_535)).port()).contains(65_535);
    assertThatThrownBy(() -> new HealthConfig(Optional.of(65_536)))
        .hasMessage("evento.health.port must be 1 to 65535, is 65536");
    assertThatThrownBy(() -> new HealthConfig(Optional.of(0)))
        .hasMessage("evento.health.port must be 1 to 65535, is 0");
  }
}
