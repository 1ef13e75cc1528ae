package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.launcher.Member;
import io.evento.protocol.ErrorCode;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.RawPeer;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Peers that take a node's time, memory or connections, while others ask the same node. */
class HostilePeersIT {

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private static final Duration LIMIT = Duration.ofSeconds(40);
  private static final Duration SOON = Duration.ofSeconds(10);
  // An undisturbed answer takes milliseconds; a machine that does other work needs air.
  private static final Duration READY_MAX = Duration.ofSeconds(2);
  private static final Duration NOW = Duration.ofMillis(1);
  private static final int BODIES = 250;
  private static final int READERS = 10;
  private static final int LARGE_EVENTS = 12;
  private static final int BINARY = 2;

  private final List<RawPeer> peers = new ArrayList<>();
  private final List<String> changed = new ArrayList<>();

  @AfterEach
  void end() throws InterruptedException {
    peers.forEach(RawPeer::close);
    for (var key : changed) {
      cluster.door(node()).send("DELETE", "settings/" + key, "", SOON);
    }
  }

  @Test
  void bodies_that_never_end_hold_up_nobody_and_are_cut() throws Exception {
    set("http.body-seconds", 5);
    var head =
        """
        POST /evento/api/commands/Deposit HTTP/1.1\r
        Host: localhost\r
        Content-Type: application/json\r
        Content-Length: 1000\r
        \r
        {\
        """;
    try (var others = new Others()) {
      for (var i = 0; i < BODIES; i++) {
        peers.add(RawPeer.to(node()));
        peers.get(i).send(head);
      }
      await("all are cut").atMost(LIMIT).until(this::allAreCut);

      others.wereServed();
    }
  }

  @Test
  void a_body_that_is_said_to_be_too_large_is_refused_before_it_comes() throws Exception {
    var peer = RawPeer.to(node());
    peers.add(peer);
    peer.send(
        """
        POST /evento/api/events HTTP/1.1\r
        Host: localhost\r
        Content-Type: application/json\r
        Idempotency-Key: %s\r
        Content-Length: 1000000000\r
        \r
        """
            .formatted(UUID.randomUUID()));

    await("refused").atMost(SOON).until(() -> peer.hear(NOW));
    assertThat(peer.heard()).contains(" 413 ", ErrorCode.PAYLOAD_TOO_LARGE.wire());
  }

  @Test
  void a_body_that_comes_in_pieces_within_its_time_is_read_and_the_connection_kept()
      throws Exception {
    var peer = RawPeer.to(node());
    peers.add(peer);
    for (var answers = 1; answers <= 2; answers++) {
      var body = "{\"accountId\":\"" + UUID.randomUUID() + "\",\"owner\":\"Ada\"}";
      peer.send(
          """
          POST /evento/api/commands/OpenAccount HTTP/1.1\r
          Host: localhost\r
          Content-Type: application/json\r
          Transfer-Encoding: chunked\r
          \r
          """);
      for (var i = 0; i < body.length(); i += 10) {
        var piece = body.substring(i, Math.min(body.length(), i + 10));
        peer.send(Integer.toHexString(piece.length()) + "\r\n" + piece + "\r\n");
        peer.hear(NOW);
      }
      peer.send("0\r\n\r\n");
      var wanted = answers;
      await("answered")
          .atMost(SOON)
          .until(
              () -> !peer.hear(NOW) && peer.heard().split("HTTP/1.1 200", -1).length == wanted + 1);
    }
  }

  @Test
  void readers_that_do_not_read_hold_up_nobody_and_are_cut() throws Exception {
    set("http.stall-seconds", 5);
    var type = "Large" + UUID.randomUUID().toString().replace("-", "");
    var first = storeLargeEvents(type);
    try (var others = new Others()) {
      for (var i = 0; i < READERS; i++) {
        peers.add(RawPeer.narrow(node()));
        peers
            .get(i)
            .send(
                """
                GET /evento/api/events?after=%d&limit=1000&type=%s HTTP/1.1\r
                Host: localhost\r
                \r
                """
                    .formatted(first - 1, type));
      }
      await("a page at the same door")
          .atMost(LIMIT)
          .until(() -> cluster.door(node()).get("events?limit=1").isSuccess());
      await("given up or refused")
          .atMost(LIMIT)
          .until(() -> metric("evento_http_waiting") == 0 && metric("evento_http_cut_total") > 0);

      others.wereServed();
    }
    // What was refused for lack of room is whole; what was cut has the end of its connection.
    for (var peer : peers) {
      if (!peer.hear(SOON)) {
        assertThat(peer.heard()).contains(ErrorCode.OVERLOADED.wire());
      }
    }
    assertThat(Files.readString(node().log()))
        .as("a reader that goes away is no failure of ours")
        .doesNotContain("An I/O error has occurred while writing a response message");
  }

  private static long storeLargeEvents(String type) throws InterruptedException {
    long first = 0;
    for (var i = 0; i < LARGE_EVENTS; i++) {
      var stored =
          cluster
              .door(node())
              .post(
                  "events",
                  "{\"context\":\"large\",\"events\":[{\"type\":\"%s\",\"tags\":[\"a:b\"],\"payload\":{\"x\":\"%s\"}}]}"
                      .formatted(type, "y".repeat(900_000)),
                  LIMIT,
                  "Idempotency-Key",
                  UUID.randomUUID().toString());
      assertThat(stored.status()).as("%s", stored.body()).isEqualTo(200);
      first = first == 0 ? stored.body().path("position").asLong() : first;
    }
    return first;
  }

  private static double metric(String name) throws InterruptedException {
    return cluster
        .door(node())
        .get("metrics")
        .body()
        .asText()
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .findFirst()
        .orElse(-1);
  }

  @Test
  void who_talks_but_says_no_hello_is_closed() throws Exception {
    var peer = RawPeer.session(node());
    peers.add(peer);
    await("closed")
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(500))
        .until(
            () -> {
              if (!peer.hear(NOW)) {
                peer.frame("{\"t\":\"ping\"}", true, true);
                return false;
              }
              return true;
            });
    assertThat(peer.closeCode()).isEqualTo(1013);
  }

  @Test
  void sessions_without_a_hello_are_bounded() throws Exception {
    set("sessions.without-hello-max", 3);
    for (var i = 0; i < 10; i++) {
      peers.add(RawPeer.session(node()));
    }
    await("the others are closed at once")
        .atMost(Duration.ofSeconds(3))
        .until(
            () -> {
              for (var peer : peers) {
                peer.hear(NOW);
              }
              return peers.stream().filter(peer -> peer.closeCode() == 1013).count() >= 7;
            });
  }

  @Test
  void a_binary_frame_is_closed_with_1003() throws Exception {
    var peer = RawPeer.session(node());
    peers.add(peer);
    peer.frame(BINARY, true, new byte[100_000]);

    await("closed")
        .atMost(SOON)
        .until(
            () -> {
              peer.hear(NOW);
              return peer.closeCode() == 1003;
            });
  }

  @Test
  void a_message_that_takes_its_time_is_no_silence_while_parts_of_it_come() throws Exception {
    var peer = RawPeer.session(node());
    peers.add(peer);
    peer.frame(
        "{\"t\":\"hello\",\"bundle\":\"slow\",\"instance\":\"%s\",\"release\":\"test\"}"
            .formatted(UUID.randomUUID()),
        true,
        true);
    await("welcome").atMost(SOON).until(() -> !peer.hear(NOW) && peer.heard().contains("welcome"));
    var id = UUID.randomUUID();
    peer.frame(
        "{\"t\":\"command\",\"id\":\"%s\",\"type\":\"Nothing\",\"deadline\":9000,\"p\":{\"x\":\""
            .formatted(id),
        true,
        false);

    var parts = new int[1];
    await("longer than silence may be")
        .atMost(SOON)
        .pollInterval(Duration.ofSeconds(1))
        .until(
            () -> {
              assertThat(peer.hear(NOW)).as("closed after %s s", parts[0]).isFalse();
              peer.frame("y".repeat(10_000), false, false);
              return ++parts[0] > 5;
            });
    peer.frame("\"}}", false, true);

    await("answered").atMost(SOON).until(() -> !peer.hear(NOW) && peer.heard().contains("" + id));
  }

  private boolean allAreCut() throws IOException {
    var isCut = true;
    for (var peer : peers) {
      isCut &= peer.hear(NOW);
    }
    return isCut;
  }

  private static Member node() {
    return cluster.node(1);
  }

  private void set(String key, int value) throws InterruptedException {
    changed.add(key);
    var answer =
        cluster
            .door(node())
            .send(
                "PUT",
                "settings/" + key,
                "{\"value\":" + value + "}",
                SOON,
                "Content-Type",
                "application/json");
    assertThat(answer.isSuccess()).as("%s", answer.body()).isTrue();
  }

  /** Somebody who asks the same node for its health and opens accounts there, all the time. */
  private static final class Others implements AutoCloseable {
    private final java.util.concurrent.ExecutorService thread = Executors.newFixedThreadPool(2);
    private final ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
    private final List<Future<Integer>> served = new ArrayList<>();
    private volatile boolean isOver;

    Others() {
      var door = cluster.door(node());
      served.add(
          thread.submit(
              () ->
                  ask(
                      () -> {
                        var begun = System.nanoTime();
                        var answer = door.get("health/ready");
                        var took = Duration.ofNanos(System.nanoTime() - begun);
                        return answer.status() == 200 && took.compareTo(READY_MAX) < 0
                            ? ""
                            : "ready said " + answer.status() + " after " + took;
                      })));
      served.add(
          thread.submit(
              () ->
                  ask(
                      () -> {
                        var answer =
                            door.command(
                                "OpenAccount",
                                UUID.randomUUID(),
                                Map.of("accountId", "h-" + UUID.randomUUID(), "owner", "Ada"));
                        return answer.isSuccess() ? "" : "command said " + answer;
                      })));
    }

    private interface Question {
      String ask() throws InterruptedException;
    }

    private int ask(Question question) throws InterruptedException {
      var count = 0;
      for (; !isOver; count++) {
        var answer = question.ask();
        if (!answer.isEmpty()) {
          wrong.add(answer);
        }
      }
      return count;
    }

    void wereServed() throws Exception {
      isOver = true;
      for (var one : served) {
        assertThat(one.get(LIMIT.toSeconds(), TimeUnit.SECONDS)).isGreaterThan(3);
      }
      assertThat(wrong).isEmpty();
    }

    @Override
    public void close() throws ExecutionException {
      isOver = true;
      thread.shutdownNow();
    }
  }
}
