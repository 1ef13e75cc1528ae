package io.evento.server.gateway.http;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import jakarta.inject.Inject;
import java.util.concurrent.Executor;

/**
 * Threads that write HTTP answers. A container may write on the thread that completes the stage,
 * and wait there for a client that reads slowly; that must never be the thread that tells all
 * commands of the node their outcomes.
 */
@NodeScoped
public class HttpAnswers {
  private final Executor writers;

  @Inject
  public HttpAnswers(Threads threads) {
    writers = threads.pool("http-answers", 8, 20_000);
  }

  Executor writers() {
    return writers;
  }
}
