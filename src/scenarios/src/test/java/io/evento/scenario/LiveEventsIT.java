package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Callers;
import io.evento.scenario.fixture.Callers.Entrance;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import io.evento.scenario.fixture.EventStream;
import io.evento.scenario.fixture.Wire;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Live events for anyone, from real nodes. */
class LiveEventsIT {

  private static final Duration SOON = Duration.ofSeconds(20);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private static long head() throws Exception {
    try (var connection = cluster.postgres().administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery("select coalesce(max(position), 0) from evento.event")) {
      row.next();
      return row.getLong(1);
    }
  }

  @Test
  void a_stream_resumed_across_a_killed_node_sees_every_position_once() throws Exception {
    var from = head();
    var seen = new CopyOnWriteArrayList<Long>();
    var doors = new ArrayList<>(List.of(cluster.door(cluster.node(2))));
    doors.add(cluster.door(cluster.node(1)));
    doors.add(cluster.door(cluster.node(3)));
    try (var callers = Callers.movingMoney(cluster, 32, Entrance.EVERY_NODE, 100, 150);
        var stream =
            EventStream.get(
                doors,
                "events?after=" + from,
                (name, event) -> {
                  if (name.isEmpty()) {
                    seen.add(event.path("position").asLong());
                  }
                })) {
      callers.awaitOutcomes(500);
      assertThat(stream.opened()).isEqualTo(1);
      cluster.node(2).kill();
      callers.awaitOutcomes(500);
      cluster.start(cluster.node(2));
      callers.awaitOutcomes(200);
      callers.end();
      var head = head();
      await("position " + head)
          .atMost(SOON)
          .until(() -> !seen.isEmpty() && seen.get(seen.size() - 1) >= head);
      assertThat(stream.opened()).as("streams opened").isGreaterThan(1);
      assertThat(seen.subList(0, (int) (head - from)))
          .containsExactlyElementsOf(LongStream.rangeClosed(from + 1, head).boxed().toList());
      System.out.println("live events across a killed node: " + (head - from) + " once each");
    }
  }

  @Test
  void a_filter_gives_one_account_and_nothing_else_through_the_balancer_too() throws Exception {
    var bank = Bank.account(cluster);
    var other = Bank.account(cluster);
    var seen = new CopyOnWriteArrayList<JsonNode>();
    try (var stream =
        EventStream.get(
            cluster.balancerDoor(),
            "events?context=bank&aggregateType=Account&aggregateId=" + bank.account(),
            (name, event) -> {
              if (name.isEmpty()) {
                seen.add(event);
              }
            })) {
      for (var i = 1; i <= 10; i++) {
        bank.deposit(cluster.node(1 + i % 3), i);
        other.deposit(cluster.node(1 + i % 3), i);
      }
      await().atMost(SOON).until(() -> seen.size() >= 11);
      assertThat(stream.opened()).isEqualTo(1);
      assertThat(seen.stream().map(event -> event.path("version").asLong()))
          .containsExactlyElementsOf(LongStream.rangeClosed(1, 11).boxed().toList());
      assertThat(seen)
          .allSatisfy(
              event ->
                  assertThat(event.path("aggregate").path("id").asText())
                      .isEqualTo(bank.account()));
    }
  }

  @Test
  void over_the_websocket_no_more_comes_than_there_is_credit_for() throws Exception {
    var bank = Bank.account(cluster);
    for (var i = 1; i <= 9; i++) {
      bank.deposit(cluster.node(1), i);
    }
    try (var wire = Wire.open(cluster, cluster.node(3))) {
      var id = UUID.randomUUID();
      var follow = Wire.message("follow").put("id", id.toString()).put("after", 0);
      follow.put("aggregateType", "Account").put("aggregateId", bank.account()).put("events", 4);
      wire.send(follow.toString());
      var versions = new ArrayList<Long>();
      while (versions.size() < 4) {
        wire.next(message -> message.path("t").asText().equals("feed"))
            .path("events")
            .forEach(event -> versions.add(event.path("version").asLong()));
      }
      assertThat(versions).containsExactly(1L, 2L, 3L, 4L);
      wire.send(Wire.message("more").put("id", id.toString()).put("events", 100).toString());
      while (versions.size() < 10) {
        wire.next(message -> message.path("t").asText().equals("feed"))
            .path("events")
            .forEach(event -> versions.add(event.path("version").asLong()));
      }
      assertThat(versions)
          .containsExactlyElementsOf(LongStream.rangeClosed(1, 10).boxed().toList());
    }
  }

  @Test
  void a_page_in_the_form_of_CloudEvents_says_where_it_goes_on() throws Exception {
    var bank = Bank.account(cluster);
    bank.deposit(cluster.node(2), 7);
    var path = "events?aggregateType=Account&aggregateId=" + bank.account();
    var answer =
        cluster
            .door(cluster.node(2))
            .send("GET", path, "", SOON, "Accept", "application/cloudevents-batch+json");
    assertThat(answer.headers().firstValue("Content-Type"))
        .hasValueSatisfying(
            type -> assertThat(type).startsWith("application/cloudevents-batch+json"));
    var event = answer.body().get(1);
    assertThat(event.path("specversion").asText()).isEqualTo("1.0");
    assertThat(event.path("type").asText()).isEqualTo("MoneyDeposited");
    assertThat(event.path("source").asText())
        .isEqualTo("/evento/api/streams/Account/" + bank.account());
    assertThat(event.path("id").asText()).isNotEmpty();
    assertThat(event.path("data").path("amount").asLong()).isEqualTo(7);
    assertThat(answer.headers().firstValue("Link"))
        .hasValueSatisfying(link -> assertThat(link).contains("after=").endsWith("rel=\"next\""));
  }

  @Test
  void what_cannot_be_streamed_is_a_problem_before_it_begins() throws Exception {
    var door = cluster.door(cluster.node(1));
    var accept = new String[] {"Accept", "text/event-stream"};
    assertThat(door.send("GET", "events?after=-1", "", SOON, accept).code())
        .isEqualTo("invalid-request");
    assertThat(door.send("GET", "events?aggregateId=a", "", SOON, accept).code())
        .isEqualTo("invalid-request");
    assertThat(door.send("GET", "events?after=" + Long.MAX_VALUE, "", SOON, accept).code())
        .isEqualTo("conflict");
    set("live.readers-max", 0);
    try {
      await()
          .atMost(SOON)
          .until(
              () -> door.send("GET", "events?after=head", "", Duration.ofSeconds(1), accept).code(),
              "overloaded"::equals);
    } finally {
      unset("live.readers-max");
    }
  }

  /** Each event carries 7 KB of metadata, so that sockets cannot hold what is not read. */
  @Test
  void who_does_not_read_is_cut_off_and_costs_the_node_no_memory() throws Exception {
    var bank = Bank.account(cluster);
    var from = head();
    var metadata = "{\"note\":\"" + "x".repeat(7_000) + "\"}";
    var door = cluster.door(cluster.node(1));
    set("live.stall-seconds", 2);
    try (var deaf = new Deaf(cluster.node(1).url(), from)) {
      for (var i = 0; i < 2_000; i++) {
        door.post("commands/Deposit", bank.moneyText(1), SOON, "Evento-Metadata", metadata);
      }
      await("cut off")
          .atMost(Duration.ofSeconds(30))
          .until(() -> metric(door, "evento_live_readers_cut_total") > 0);
      await("forgotten").atMost(SOON).until(() -> metric(door, "evento_live_readers") == 0);
      assertThat(deaf.readAll()).as("bytes that had left the node").isLessThan(12 << 20);
    } finally {
      unset("live.stall-seconds");
    }
  }

  private static double metric(Door door, String name) throws InterruptedException {
    var text = door.get("metrics").body().asText();
    return text.lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .sum();
  }

  private static void set(String key, int value) throws InterruptedException {
    var answer =
        cluster
            .door(cluster.node(1))
            .send(
                "PUT",
                "settings/" + key,
                "{\"value\":" + value + "}",
                SOON,
                "Content-Type",
                "application/json");
    assertThat(answer.isSuccess()).as(answer.body().toString()).isTrue();
  }

  private static void unset(String key) throws InterruptedException {
    cluster.door(cluster.node(1)).send("DELETE", "settings/" + key, "", SOON);
  }

  /** A reader with a small window who reads nothing. */
  private static final class Deaf implements AutoCloseable {
    private final Socket socket = new Socket();

    Deaf(String url, long from) throws IOException {
      var uri = URI.create(url);
      socket.setReceiveBufferSize(4 << 10);
      socket.connect(new InetSocketAddress(uri.getHost(), uri.getPort()));
      socket
          .getOutputStream()
          .write(
              ("GET /evento/api/events?after="
                      + from
                      + " HTTP/1.1\r\nHost: "
                      + uri.getHost()
                      + "\r\nAccept: text/event-stream\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
    }

    long readAll() throws IOException {
      socket.setSoTimeout(40_000);
      try {
        return socket.getInputStream().transferTo(OutputStream.nullOutputStream());
      } catch (SocketTimeoutException open) {
        throw open; // it was not cut off
      } catch (IOException reset) {
        return 0;
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
