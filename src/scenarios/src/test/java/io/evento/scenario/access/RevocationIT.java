package io.evento.scenario.access;

import static io.evento.scenario.access.Administrator.scope;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Credential;
import io.evento.scenario.fixture.RawPeer;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A revoked token is of no use at any node two seconds later, whatever else they have to do. */
@Order(1)
@SuppressWarnings("NullAway.Init") // made before all tests
class RevocationIT {
  private static final int SESSIONS = 200;
  private static final Duration IN_FORCE = Duration.ofSeconds(2);

  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final List<Integer> ALL = List.of(1, 2, 3);

  @RegisterExtension static final Cluster cluster = Cluster.securedTogether();

  private static Administrator admin;
  private static Credential sender;

  @BeforeAll
  static void somebody_sends_meanwhile() throws Exception {
    admin = Administrator.first(cluster);
    sender = admin.token("shouter", scope("send", "*", "*"));
  }

  @AfterEach
  void the_database_is_reached_again() throws Exception {
    cluster.databaseLink(3).release();
    cluster.awaitReady(cluster.node(3));
  }

  @Test
  void two_hundred_sessions_of_a_revoked_token_are_closed_and_others_stay() throws Exception {
    var made = admin.make("crowd", "", scope("host", "*", "*"), scope("send", "*", "*"));
    var crowd = Credential.token("crowd", made.path("token").asText());
    var others = admin.token("others", scope("send", "*", "*"));
    try (var ending = Crowd.open(cluster, crowd, SESSIONS);
        var staying = Crowd.open(cluster, others, 12);
        var load = new Load()) {
      load.awaitStored(50);
      var began = System.nanoTime();
      admin.revoke(made.path("prefix").asText());
      awaitEnded(ending, ALL);
      report("all three nodes see the database", ending, ALL, began);
      assertThat(ending.ends(ALL))
          .allSatisfy(
              end -> {
                assertThat(end.code()).isEqualTo(4001);
                assertThat(Duration.ofNanos(end.at() - began)).isLessThan(IN_FORCE);
              });
      for (var node : ALL) {
        assertThat(handshake(node, crowd)).startsWith("HTTP/1.1 401");
      }
      assertThat(staying.ends(ALL)).isEmpty();
    }
  }

  @Test
  void a_node_that_cannot_reach_the_database_knows_nobody_and_the_others_close_in_time()
      throws Exception {
    var made = admin.make("blind", "", scope("host", "*", "*"), scope("send", "*", "*"));
    var crowd = Credential.token("blind", made.path("token").asText());
    try (var ending = Crowd.open(cluster, crowd, SESSIONS);
        var load = new Load()) {
      load.awaitStored(50);
      var cut = System.nanoTime();
      cluster.databaseLink(3).hold();
      var began = System.nanoTime();
      admin.revoke(made.path("prefix").asText());
      awaitEnded(ending, ALL);
      report("these see the database", ending, List.of(1, 2), began);
      report("this one does not, since it was cut off", ending, List.of(3), cut);
      assertThat(ending.ends(List.of(1, 2)))
          .allSatisfy(
              end -> {
                assertThat(end.code()).isEqualTo(4001);
                assertThat(Duration.ofNanos(end.at() - began)).isLessThan(IN_FORCE);
              });
      assertThat(ending.ends(List.of(3)))
          .allSatisfy(end -> assertThat(Duration.ofNanos(end.at() - cut)).isLessThan(IN_FORCE));
      for (var who : List.of(crowd, sender)) {
        assertThat(handshake(3, who)).as("%s", who).startsWith("HTTP/1.1 503");
      }
    }
  }

  private static void awaitEnded(Crowd crowd, List<Integer> nodes) {
    await("all sessions are closed")
        .atMost(LIMIT)
        .until(() -> crowd.ends(nodes).size() == crowd.count(nodes));
  }

  private static void report(String what, Crowd crowd, List<Integer> nodes, long since) {
    var millis =
        crowd.ends(nodes).stream()
            .mapToLong(end -> Duration.ofNanos(end.at() - since).toMillis())
            .summaryStatistics();
    System.out.printf(
        "[revocation] %s: %d sessions closed, first after %d ms, last after %d ms%n",
        what, millis.getCount(), millis.getMin(), millis.getMax());
  }

  private static String handshake(int number, Credential who) throws Exception {
    var node = cluster.node(number);
    var authority = URI.create(node.url()).getAuthority();
    return RawPeer.told(node, AccessWalk.handshake(authority, who, Credential.address()));
  }

  /** Senders of events at the first two nodes. */
  private static final class Load implements AutoCloseable {
    private final AtomicInteger stored = new AtomicInteger();
    private final List<Thread> senders = new ArrayList<>();
    private volatile boolean isOver;

    Load() {
      for (var i = 0; i < 4; i++) {
        var node = i % 2 + 1;
        var thread = new Thread(() -> send(node), "sender " + i);
        thread.setDaemon(true);
        thread.start();
        senders.add(thread);
      }
    }

    private void send(int node) {
      var door = cluster.door(cluster.node(node));
      while (!isOver) {
        try {
          var headers = new ArrayList<>(sender.headers());
          headers.addAll(List.of("Idempotency-Key", UUID.randomUUID().toString()));
          var answer =
              new Credential("sender", headers)
                  .ask(
                      door,
                      "POST",
                      "events",
                      """
                      {"context":"crowd","events":[{"type":"Shouted","payload":{}}]}
                      """);
          if (answer.isSuccess()) {
            stored.incrementAndGet();
          }
        } catch (InterruptedException over) {
          return;
        }
      }
    }

    void awaitStored(int count) {
      await("events are stored").atMost(LIMIT).until(() -> stored.get() >= count);
    }

    @Override
    public void close() {
      isOver = true;
      senders.forEach(Thread::interrupt);
    }
  }
}
