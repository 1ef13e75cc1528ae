package io.evento.cluster.balancer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BalancerTest {

  private static final Duration SOON = Duration.ofSeconds(10);

  private final HttpClient http = HttpClient.newHttpClient();
  private StubNode first;
  private StubNode second;
  private Balancer balancer;
  private URI address;

  @BeforeEach
  void start() throws IOException {
    first = StubNode.start("first");
    second = StubNode.start("second");
    int port;
    try (var free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    address = URI.create("http://127.0.0.1:" + port);
    balancer = Balancer.start(port, List.of(first.address(), second.address()), Optional.empty());
    await("both nodes in").atMost(SOON).until(() -> whoAnswers(10).size() == 2);
  }

  @AfterEach
  void stop() {
    balancer.stop();
    first.close();
    second.close();
  }

  @Test
  void a_node_that_is_not_ready_gets_nothing() {
    first.beUnready();

    await("first is out").atMost(SOON).until(() -> whoAnswers(10).equals(List.of("second")));

    first.beReady();
    await("first is back").atMost(SOON).until(() -> whoAnswers(10).size() == 2);
  }

  @Test
  void a_node_that_says_that_it_leaves_answers_what_it_was_given() throws Exception {
    second.close();
    var slow =
        http.sendAsync(
            HttpRequest.newBuilder(address.resolve("/slow"))
                .POST(BodyPublishers.ofString("x"))
                .build(),
            BodyHandlers.ofString());
    await("asked").atMost(SOON).until(first::isSlow);

    first.beUnready();
    await("first is out").atMost(SOON).until(() -> post("/name").statusCode() == 503);
    first.letSlowRequestsEnd();

    assertThat(slow.get(10, TimeUnit.SECONDS).body()).isEqualTo("first");
  }

  @Test
  void a_failure_without_a_word_becomes_a_problem() throws Exception {
    var answer = post("/wordless");

    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("content-type")).contains("application/problem+json");
    assertThat(answer.body()).contains("\"code\":\"unavailable\"");
  }

  @Test
  void a_node_that_cannot_be_reached_costs_no_request() throws Exception {
    first.close();

    for (var i = 0; i < 10; i++) {
      assertThat(post("/name").body()).isEqualTo("second");
    }
  }

  @Test
  void a_command_whose_node_died_over_it_is_not_sent_to_another() throws Exception {
    first.dropRequests();
    second.dropRequests();

    var answer = post("/name");

    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("content-type")).contains("application/problem+json");
    assertThat(answer.body()).contains("\"code\":\"unavailable\"", "\"status\":503");
    assertThat(first.requests() + second.requests()).isEqualTo(1);
  }

  @Test
  void who_waits_for_a_frozen_node_is_told_within_seconds() throws Exception {
    first.freeze();
    second.freeze();

    var begun = System.nanoTime();
    assertThat(post("/name").statusCode()).isEqualTo(503);
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(5));
  }

  @Test
  void without_any_node_the_answer_is_unavailable() throws Exception {
    first.close();
    second.close();

    var answer = post("/name");

    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.body()).contains("\"type\":\"urn:evento:unavailable\"");
  }

  @Test
  void an_answer_of_a_node_passes_unchanged_whatever_its_status() throws Exception {
    var answer = post("/unavailable");

    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.body()).isEqualTo("told by a node");
  }

  @Test
  void no_node_is_offered_http_2() throws Exception {
    assertThat(http.version()).isEqualTo(HttpClient.Version.HTTP_2);
    assertThat(post("/upgrade").body()).isEqualTo("null");
  }

  @Test
  void an_encoded_slash_stays_encoded() throws Exception {
    assertThat(post("/path/a%2Fb").body()).isEqualTo("/path/a%2Fb");
  }

  @Test
  void a_large_body_passes_both_ways() throws Exception {
    var large = "x".repeat(5_000_000);

    var answer =
        http.send(
            HttpRequest.newBuilder(address.resolve("/echo"))
                .POST(BodyPublishers.ofString(large))
                .build(),
            BodyHandlers.ofString());

    assertThat(answer.body()).isEqualTo(large);
  }

  @Test
  void a_stream_is_passed_on_while_it_grows() throws Exception {
    var answer =
        http.send(
            HttpRequest.newBuilder(address.resolve("/stream")).build(),
            BodyHandlers.ofInputStream());

    try (var lines =
        new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
      assertThat(lines.readLine()).isEqualTo("first line");
      first.letStreamsEnd();
      second.letStreamsEnd();
      assertThat(lines.readLine()).isEqualTo("last line");
    }
  }

  @Test
  void a_tunnel_to_a_frozen_node_is_cut() throws Exception {
    try (var tunnel = new Socket(InetAddress.getLoopbackAddress(), address.getPort())) {
      tunnel.setSoTimeout((int) SOON.toMillis());
      tunnel
          .getOutputStream()
          .write(
              """
              GET /tunnel HTTP/1.1\r
              Host: balancer\r
              Connection: Upgrade\r
              Upgrade: websocket\r
              \r
              """
                  .getBytes(StandardCharsets.US_ASCII));
      var in =
          new BufferedReader(
              new InputStreamReader(tunnel.getInputStream(), StandardCharsets.UTF_8));
      assertThat(in.readLine()).startsWith("HTTP/1.1 101");
      await().atMost(SOON).until(() -> in.readLine().isEmpty());

      first.freeze();
      second.freeze();

      assertThat(in.readLine()).as("the end of the tunnel").isNull();
    }
  }

  private HttpResponse<String> post(String path) throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(address.resolve(path)).POST(BodyPublishers.ofString("x")).build(),
        BodyHandlers.ofString());
  }

  private List<String> whoAnswers(int times) throws IOException, InterruptedException {
    var names = new HashSet<String>();
    for (var i = 0; i < times; i++) {
      var answer = post("/name");
      if (answer.statusCode() == 200) {
        names.add(answer.body());
      }
    }
    return List.copyOf(names);
  }
}
