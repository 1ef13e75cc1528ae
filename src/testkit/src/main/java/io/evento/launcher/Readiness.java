package io.evento.launcher;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Says whether a process does its work by now. */
@FunctionalInterface
public interface Readiness {

  Duration ANSWER_MAX = Duration.ofSeconds(2);

  boolean isReached();

  /** Ready is who answers 200. */
  static Readiness http(HttpClient client, URI address) {
    var request = HttpRequest.newBuilder(address).timeout(ANSWER_MAX).build();
    return () -> {
      try {
        return client.send(request, BodyHandlers.discarding()).statusCode() == 200;
      } catch (IOException notYet) {
        return false;
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        return false;
      }
    };
  }
}
