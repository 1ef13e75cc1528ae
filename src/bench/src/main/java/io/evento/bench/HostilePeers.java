package io.evento.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What others wait for at a node, commands and its health, while somebody takes that node's
 * connections, memory or the append's time: undisturbed, and beside each of them.
 */
final class HostilePeers {
  private static final int BODIES = 250;
  private static final int READERS = 10;
  private static final int LARGE_EVENTS = 12;
  private static final int APPENDERS = 48;
  private static final int CONDITION_ITEMS = 100;
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** So long the node compiles what only HTTP uses, though other calls have warmed it up. */
  private static final Duration WARM_UP = Duration.ofSeconds(60);

  /** Of each caller, between two calls: the callers alone leave the machine idle for the most. */
  private static final Duration PAUSE = Duration.ofMillis(20);

  private static final Duration SECOND = Duration.ofSeconds(1);

  private final Target target;
  private final URI node;
  private final AtomicInteger holding = new AtomicInteger();
  private final AtomicLong appended = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  HostilePeers(Target target) {
    this.target = target;
    this.node = URI.create(target.servers().get(0).replaceFirst("^ws", "http") + "/api/");
  }

  void run(Duration leadIn, Duration length) throws Exception {
    warmUp();
    measure("undisturbed", leadIn, length);
    var head = "POST /evento/api/commands/Deposit HTTP/1.1\r\nHost: localhost\r\n";
    var unfinished = head + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    beside(BODIES + " unfinished bodies", unfinished, BODIES, true, length);
    var type = "Large" + UUID.randomUUID().toString().replace("-", "");
    var first = storeLarge(type);
    var page =
        "GET /evento/api/events?after=%d&limit=1000&type=%s HTTP/1.1\r\nHost: localhost\r\n\r\n";
    beside(READERS + " that do not read", page.formatted(first - 1, type), READERS, false, length);
    besideAppenders(APPENDERS + " appenders, no condition", 0, Duration.ZERO, leadIn, length);
    var conditions = APPENDERS + " appenders, " + CONDITION_ITEMS + " conditions";
    besideAppenders(conditions, CONDITION_ITEMS, Duration.ZERO, leadIn, length);
    besideAppenders(conditions + " a second", CONDITION_ITEMS, SECOND, leadIn, length);
  }

  private void beside(String what, String request, int count, boolean reads, Duration length)
      throws Exception {
    var peers = new ArrayList<Peer>();
    for (var i = 0; i < count; i++) {
      peers.add(new Peer(request, reads));
      holding.incrementAndGet();
      peers.get(i).start();
    }
    // At once: the node cuts these peers, and what is measured is the time before.
    measure(what, Duration.ZERO, length);
    System.out.printf("%34s peers whose connection was not ended: %d%n", "", holding.get());
    peers.forEach(Peer::close);
    for (var peer : peers) {
      peer.join();
    }
  }

  /** Has a connection with a request, and reads what is answered or does not. */
  private final class Peer extends Thread {
    private final CountDownLatch over = new CountDownLatch(1);
    private final String request;
    private final boolean reads;
    private volatile Socket socket = new Socket();

    Peer(String request, boolean reads) {
      this.request = request;
      this.reads = reads;
      setDaemon(true);
    }

    @Override
    public void run() {
      try (var next = new Socket()) {
        socket = next;
        next.setReceiveBufferSize(4_096);
        next.connect(new InetSocketAddress(node.getHost(), node.getPort()), 5_000);
        next.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        if (reads) {
          next.getInputStream().transferTo(OutputStream.nullOutputStream());
        } else {
          over.await();
        }
      } catch (IOException | InterruptedException ended) {
        Thread.onSpinWait();
      } finally {
        holding.decrementAndGet();
      }
    }

    void close() {
      over.countDown();
      try {
        socket.close();
      } catch (IOException gone) {
        Thread.onSpinWait();
      }
    }
  }

  /**
   * @param alternatives of each append's condition; with none the append has no condition, which
   *     tells what so many callers cost alone
   * @param pause of each appender between an answer and its next call
   */
  private void besideAppenders(
      String what, int alternatives, Duration pause, Duration leadIn, Duration length)
      throws Exception {
    var items =
        IntStream.range(0, alternatives)
            .mapToObj(i -> "{\"tags\":[\"nobody:" + i + "\"]}")
            .collect(Collectors.joining(","));
    appended.set(0);
    refused.set(0);
    var head = new AtomicLong(position(get("events?after=head")));
    var appenders = new ArrayList<Thread>();
    for (var i = 0; i < APPENDERS; i++) {
      appenders.add(
          new Thread(
              () -> {
                while (!Thread.currentThread().isInterrupted()) {
                  LockSupport.parkNanos(pause.toNanos());
                  try {
                    var told = post("events", conditional(Math.max(0, head.get() - 250), items));
                    if (told.statusCode() == 200) {
                      head.accumulateAndGet(position(told), Math::max);
                      appended.incrementAndGet();
                    } else {
                      refused.incrementAndGet();
                    }
                  } catch (IOException failed) {
                    refused.incrementAndGet();
                  } catch (InterruptedException over) {
                    return;
                  }
                }
              }));
      appenders.get(i).setDaemon(true);
      appenders.get(i).start();
    }
    measure(what, leadIn, length);
    System.out.printf("%34s appends stored %s, refused %s%n", "", appended, refused);
    appenders.forEach(Thread::interrupt);
    for (var appender : appenders) {
      appender.join();
    }
  }

  private static String conditional(long after, String items) {
    var condition =
        items.isEmpty()
            ? ""
            : ",\"condition\":{\"after\":%d,\"failIfEventsMatch\":{\"items\":[%s]}}"
                .formatted(after, items);
    return "{\"context\":\"bench\",\"events\":[{\"type\":\"Appended\",\"payload\":{}}]%s}"
        .formatted(condition);
  }

  private void warmUp() throws InterruptedException {
    new Load("warm-up", 8, target)
        .warmUp(
            WARM_UP,
            caller ->
                () -> {
                  checked(post("commands/OpenAccount", account()));
                  checked(get("health/ready"));
                });
  }

  private void measure(String beside, Duration leadIn, Duration length)
      throws InterruptedException {
    var health =
        new Thread(
            () -> {
              try {
                new Load("health, " + beside, 1, target, PAUSE)
                    .run(leadIn, length, caller -> () -> checked(get("health/ready")));
              } catch (InterruptedException over) {
                Thread.currentThread().interrupt();
              }
            });
    health.start();
    new Load("command, " + beside, 2, target, PAUSE)
        .run(leadIn, length, caller -> () -> checked(post("commands/OpenAccount", account())));
    health.join();
  }

  private static String account() {
    return "{\"accountId\":\"hostile-" + UUID.randomUUID() + "\",\"owner\":\"Ada\"}";
  }

  private long storeLarge(String type) throws Exception {
    var large = "y".repeat(900_000);
    var positions = new ArrayList<Long>();
    for (var i = 0; i < LARGE_EVENTS; i++) {
      var stored =
          post(
              "events",
              "{\"context\":\"bench\",\"events\":[{\"type\":\"%s\",\"payload\":{\"x\":\"%s\"}}]}"
                  .formatted(type, large));
      checked(stored);
      positions.add(position(stored));
    }
    return positions.get(0);
  }

  private static long position(HttpResponse<String> told) {
    return Long.parseLong(told.body().replaceFirst("(?s).*?\"(?:position|next)\":(\\d+).*", "$1"));
  }

  private static void checked(HttpResponse<String> answer) throws IOException {
    if (answer.statusCode() != 200) {
      throw new IOException(answer.statusCode() + " " + answer.body());
    }
  }

  private HttpResponse<String> post(String path, String body)
      throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(node.resolve(path))
            .timeout(LIMIT)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", UUID.randomUUID().toString())
            .POST(BodyPublishers.ofString(body))
            .build(),
        BodyHandlers.ofString());
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(node.resolve(path)).timeout(LIMIT).build(), BodyHandlers.ofString());
  }
}
