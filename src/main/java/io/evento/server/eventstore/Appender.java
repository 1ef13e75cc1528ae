package io.evento.server.eventstore;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.config.ServerConfig;
import io.evento.server.persistence.Database;
import io.evento.server.telemetry.Metrics;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import java.util.concurrent.CompletionStage;

/** The node's only way to write events and outcomes. */
@NodeScoped
public class Appender {
  @Inject
  public Appender(
      ServerConfig config,
      Database database,
      Threads threads,
      Metrics metrics,
      Follower follower,
      Instance<FreshPublisher> publishers) {}

  /** Begins to append; the database need not be there yet. */
  public void start() {
    throw new UnsupportedOperationException("next commit");
  }

  /** Whether the last word from the database was an answer: a node that is not is not ready. */
  public boolean isReady() {
    throw new UnsupportedOperationException("next commit");
  }

  /**
   * Stores an outcome, together with whatever else waits.
   *
   * @return completes once the verdict is durable, in the order of commits, on a thread of the
   *     appender: what follows on it must be short and must not block. It fails with an {@link
   *     io.evento.protocol.EventoException} {@code overloaded} or {@code unavailable} only where
   *     nothing was done and nothing will be; while it is not known whether something was done, it
   *     stays open until that is known
   */
  public CompletionStage<Verdict> append(Proposal proposal) {
    throw new UnsupportedOperationException("next commit");
  }
}
