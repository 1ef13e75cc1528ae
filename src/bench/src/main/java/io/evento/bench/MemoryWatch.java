package io.evento.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Looks twice a second at what the nodes have in memory: resident as the kernel counts it, and in
 * the heap, garbage included, as their metrics tell it.
 */
final class MemoryWatch implements AutoCloseable {
  private static final Duration ANSWER_MAX = Duration.ofSeconds(2);

  private final Target target;
  private final HttpClient http = HttpClient.newHttpClient();
  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();

  // Guarded by this.
  private final Map<String, long[]> firstPeakLast = new LinkedHashMap<>();

  MemoryWatch(Target target) {
    this.target = target;
    look();
    clock.scheduleWithFixedDelay(this::look, 500, 500, TimeUnit.MILLISECONDS);
  }

  private synchronized void look() {
    new ProcessUse(target.pids())
        .residentMiB()
        .forEach(
            (process, resident) -> {
              if (!process.startsWith("bank")) {
                note(process + " resident", resident);
              }
            });
    for (var i = 0; i < target.servers().size(); i++) {
      var heap = heapMiB(target.servers().get(i).replaceFirst("^ws", "http"));
      if (heap >= 0) {
        note("node-" + (i + 1) + " heap", heap);
      }
    }
  }

  private void note(String what, long mebibytes) {
    var seen = firstPeakLast.computeIfAbsent(what, first -> new long[] {mebibytes, 0, 0});
    seen[1] = Math.max(seen[1], mebibytes);
    seen[2] = mebibytes;
  }

  /** A node that does not answer just now tells nothing, which is -1. */
  private long heapMiB(String server) {
    var request =
        HttpRequest.newBuilder(URI.create(server + "/api/metrics")).timeout(ANSWER_MAX).build();
    try {
      return http.send(request, BodyHandlers.ofString())
              .body()
              .lines()
              .filter(line -> line.startsWith("jvm_memory_used_bytes{area=\"heap\""))
              .mapToLong(line -> (long) Double.parseDouble(line.replaceFirst(".* ", "")))
              .sum()
          >> 20;
    } catch (IOException silent) {
      return -1;
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
      return -1;
    }
  }

  /** {@code MiB before/peak/after: node-1 resident 480/510/505, …}. */
  synchronized String summary() {
    look();
    var line = new StringBuilder("MiB before/peak/after:");
    firstPeakLast.forEach(
        (what, seen) ->
            line.append(' ')
                .append(what)
                .append(" %d/%d/%d,".formatted(seen[0], seen[1], seen[2])));
    line.setLength(line.length() - 1);
    return line.toString();
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
