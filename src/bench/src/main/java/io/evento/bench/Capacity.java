package io.evento.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * Holds the forecasts of {@code GET /evento/api/capacity} against what happens: a minute at a
 * moderate rate, what the nodes foretell of multiples of it, and then these rates. As many queries
 * as commands come in, at times by chance, whatever became of those before; what is measured is
 * what the nodes measure.
 */
final class Capacity {
  private static final double PER_SECOND = Integer.getInteger("bench.capacity.rate", 60);
  private static final int[] FACTORS = {2, 3};
  private static final Duration WARM_UP =
      Duration.ofSeconds(Integer.getInteger("bench.capacity.warm-up-seconds", 45));

  private static final Duration ANSWER_MAX = Duration.ofSeconds(10);

  /** Beyond, the load is not what it says any more, and the stage says so. */
  private static final int UNDER_WAY_MAX = 4_000;

  private static final int CALLERS = 64;

  private final Target target;
  private final Supplier<CompletionStage<?>> command;
  private final Supplier<CompletionStage<?>> query;
  private final Load.Call both;
  private final ObjectMapper json = new ObjectMapper();
  private final HttpClient http = HttpClient.newHttpClient();

  Capacity(
      Target target,
      Supplier<CompletionStage<?>> command,
      Supplier<CompletionStage<?>> query,
      Load.Call both) {
    this.target = target;
    this.command = command;
    this.query = query;
    this.both = both;
  }

  /** Takes five minutes and a half, with a warm-up that ends with a minute. */
  void run() throws InterruptedException, IOException {
    var quiet = Minute.after(Instant.now().plus(WARM_UP));
    new Load("warm-up", CALLERS, target)
        .warmUp(Duration.between(Instant.now(), quiet.begin()), caller -> both);
    // A minute without load tells what processors do anyway.
    var base = quiet.next();
    var minute = base;
    drive(base, 1);
    for (var factor : FACTORS) {
      minute = minute.next();
      drive(minute, factor);
    }
    TimeUnit.SECONDS.sleep(12); // nodes write each five seconds, and later if they are busy
    // Forecasts are made of the first minute, and of those before, alone.
    var now = get(base.range());
    var headroom = now.path("headroom").asDouble();
    var first = now.path("first");
    System.out.printf(
        "capacity: at x%.2f the %s of %s saturates first, which is %.0f %% busy now%n",
        headroom,
        first.path("kind").asText(),
        first.path("name").asText(),
        100 * first.path("utilisation").asDouble());
    System.out.printf(
        "%-6s %-9s %12s %18s %18s %12s%n",
        "load", "", "commands", "p50/p99, ms", "query p50/p99, ms", "busy cores");
    row("x1", "measured", now, false);
    minute = base;
    for (var factor : FACTORS) {
      minute = minute.next();
      row("x" + factor, "forecast", get(base.range() + "&all=" + factor), true);
      row("x" + factor, "measured", get(minute.range()), false);
    }
    saturate(PER_SECOND * headroom);
  }

  /** A minute, as nodes write what they measure. */
  private record Minute(Instant begin) {
    static Minute after(Instant at) {
      return new Minute(Instant.ofEpochSecond((at.getEpochSecond() / 60 + 1) * 60));
    }

    Minute next() {
      return new Minute(begin.plusSeconds(60));
    }

    void awaitBegin() throws InterruptedException {
      TimeUnit.MILLISECONDS.sleep(Math.max(0, Duration.between(Instant.now(), begin).toMillis()));
    }

    String range() {
      return "capacity?from=" + begin + "&to=" + next().begin();
    }
  }

  private void drive(Minute minute, double factor) throws InterruptedException {
    minute.awaitBegin();
    drive(PER_SECOND * factor, minute.next().begin());
  }

  private void saturate(double forecast) throws InterruptedException {
    new Load("saturated, " + CALLERS + " callers", CALLERS, target)
        .run(Duration.ofSeconds(5), Duration.ofSeconds(20), caller -> both);
    System.out.printf("%34s forecast %.0f pairs of a command and a query /s%n", "", forecast);
  }

  private static JsonNode flow(JsonNode capacity, String id) {
    for (var flow : capacity.path("flows")) {
      if (flow.path("id").asText().equals(id)) {
        return flow;
      }
    }
    throw new IllegalStateException("no " + id + " in " + capacity);
  }

  /** Of the machine, as the first node sees it. */
  private static double busy(JsonNode capacity, String when) {
    for (var station : capacity.path("stations")) {
      var one = station.path(when);
      if (one.path("kind").asText().equals("machine")) {
        return one.path("utilisation").asDouble() * one.path("servers").asDouble();
      }
    }
    return Double.NaN;
  }

  private static void row(String load, String what, JsonNode capacity, boolean isForecast) {
    var command = flow(capacity, "command/Deposit");
    var query = flow(capacity, "query/FindAccount");
    System.out.printf(
        "%-6s %-9s %10.0f/s %18s %18s %12.2f%n",
        load,
        what,
        (isForecast ? command.path("then") : command).path("perSecond").asDouble(),
        times(isForecast ? command.path("then") : command),
        times(isForecast ? query.path("then") : query),
        busy(capacity, isForecast ? "then" : "now"));
  }

  private static String times(JsonNode flow) {
    var answer = flow.path("answer");
    return answer.has("p50")
        ? "%.2f/%.2f".formatted(answer.path("p50").asDouble(), answer.path("p99").asDouble())
        : "without end";
  }

  /** As many commands as queries, each kind at times by chance. */
  private void drive(double perSecond, Instant end) throws InterruptedException {
    var underWay = new Semaphore(UNDER_WAY_MAX);
    var failed = new AtomicLong();
    var random = new SplittableRandom();
    var next = System.nanoTime();
    var isCommand = false;
    while (Instant.now().isBefore(end)) {
      isCommand = random.nextBoolean();
      if (!underWay.tryAcquire(1, TimeUnit.SECONDS)) {
        break;
      }
      (isCommand ? command : query)
          .get()
          .whenComplete(
              (answer, failure) -> {
                underWay.release();
                if (failure != null && failed.getAndIncrement() == 0) {
                  System.out.println("first failure: " + failure);
                }
              });
      next += (long) (-Math.log(1 - random.nextDouble()) / (2 * perSecond) * 1e9);
      var left = next - System.nanoTime();
      if (left > 0) {
        TimeUnit.NANOSECONDS.sleep(left);
      }
    }
    if (failed.get() > 0) {
      System.out.println("failed: " + failed.get());
    }
  }

  private JsonNode get(String path) throws IOException, InterruptedException {
    var door = target.servers().get(0).replaceFirst("^ws", "http") + "/api/" + path;
    var request = HttpRequest.newBuilder(URI.create(door)).timeout(ANSWER_MAX).build();
    var answer = http.send(request, BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(path + ": " + answer.statusCode() + ' ' + answer.body());
    }
    return json.readTree(answer.body());
  }
}
