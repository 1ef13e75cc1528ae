package io.evento.sample.bank.web;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * The processes around the bank, as a client sees them: each is asked for its health. The launcher,
 * if the bank was started by one, tells which there are and freezes, kills and starts them.
 */
public final class Cluster {
  private static final Duration PATIENCE = Duration.ofMillis(700);
  private static final long FRESH_NANOS = Duration.ofMillis(800).toNanos();

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(PATIENCE).build();
  private final List<URI> servers;
  private final Optional<Launcher> launcher;
  private final Optional<URI> console;
  private View last;
  private long lastNanos;

  /**
   * @param servers as the SDK knows them, such as {@code ws://127.0.0.1:8081/evento}
   * @param control the launcher's door, if there is a launcher
   * @param console where people look at the cluster, if that is known
   */
  public Cluster(List<URI> servers, Optional<URI> control, Optional<URI> console) {
    this.servers = servers;
    this.console = console;
    this.launcher = control.map(door -> new Launcher(http, door));
  }

  /** At most a second old, however many browsers ask. */
  synchronized View view() {
    if (last == null || System.nanoTime() - lastNanos > FRESH_NANOS) {
      var asked = processes().stream().map(this::ask).toList();
      // Each has its time limit, so this wait has one.
      last =
          new View(
              launcher.isPresent(),
              console.map(URI::toString).orElse(null),
              asked.stream().map(CompletableFuture::join).toList());
      lastNanos = System.nanoTime();
    }
    return last;
  }

  /** Has the launcher do something to a process. */
  Order control(Order order) {
    launcher
        .orElseThrow(() -> new EventoException(ErrorCode.NOT_FOUND, "there is no launcher"))
        .carryOut(order);
    synchronized (this) {
      last = null;
    }
    return order;
  }

  private List<Process> processes() {
    return launcher
        .map(Launcher::processes)
        .orElseGet(
            () ->
                servers.stream()
                    .map(server -> Process.node(server.getAuthority(), server.toString(), true))
                    .toList());
  }

  private CompletableFuture<Member> ask(Process process) {
    if (!process.isAlive()) {
      return CompletableFuture.completedFuture(process.seenAs("down", "no such process"));
    }
    var request = HttpRequest.newBuilder(process.health()).timeout(PATIENCE).build();
    return http.sendAsync(request, BodyHandlers.discarding())
        .handle(
            (answer, failure) -> {
              if (answer == null) {
                return seenWithout(process, failure);
              }
              return answer.statusCode() == 200
                  ? process.seenAs("ready", "")
                  : process.seenAs("not-ready", "says " + answer.statusCode());
            });
  }

  private Member seenWithout(Process process, Throwable failure) {
    var cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause instanceof HttpTimeoutException) {
      // The kernel goes on taking connections for a frozen process.
      return process.seenAs("silent", "frozen, or cut off");
    }
    // Refused: nobody listens there. Only the launcher knows that there is a process all the same.
    return launcher.isPresent()
        ? process.seenAs("not-ready", "starting")
        : process.seenAs("down", "nobody listens");
  }

  /** What somebody wants done: {@code kill}, {@code start}, {@code pause} or {@code resume}. */
  record Order(String id, String action) {
    Order {
      if (id == null || !id.matches("[A-Za-z0-9._-]{1,100}")) {
        throw new IllegalArgumentException("id must name a process");
      }
      if (action == null || !List.of("kill", "start", "pause", "resume").contains(action)) {
        throw new IllegalArgumentException("action must be kill, start, pause or resume");
      }
    }
  }

  /**
   * @param control whether there is a launcher to carry out orders
   * @param console where people look at the cluster; null if nobody said it
   */
  record View(boolean control, String console, List<Member> members) {}

  /**
   * @param state {@code ready}, {@code not-ready}, {@code silent} or {@code down}
   * @param detail why, in words; perhaps empty
   */
  record Member(String id, String url, String state, String detail) {}
}
