package io.evento.server.aggregate;

import io.evento.protocol.Receipt;
import io.evento.server.routing.CommandRequest;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A command that has no outcome yet, and those who wait for it. */
final class PendingCommand {
  /** A decision under way, which may be asked of another host as well. */
  interface Asking {
    /** Asks from the beginning, after its queue put it back. */
    void restart();

    /** Looks whether the host that was asked takes too long. */
    void look(long now);
  }

  private final CommandRequest request;
  private final long since = System.nanoTime();
  private final CompletableFuture<Receipt> outcome = new CompletableFuture<>();
  private volatile @Nullable Asking asking;
  private long arrival; // guarded by the queue
  private volatile long chain;

  PendingCommand(CommandRequest request) {
    this.request = request;
  }

  CommandRequest request() {
    return request;
  }

  /** {@code System.nanoTime()} of its arrival at its owner. */
  long since() {
    return since;
  }

  /** Its place among all that came to its queue. */
  long arrival() {
    return arrival;
  }

  void arrived(long place) {
    arrival = place;
  }

  /** The number of its queue's chain when it was last started. */
  long chain() {
    return chain;
  }

  void chain(long number) {
    chain = number;
  }

  /** Whether it is decided on what is stored, and nothing on it before it is stored. */
  boolean isAlone() {
    return request.ifVersion() != null;
  }

  CompletableFuture<Receipt> outcome() {
    return outcome;
  }

  void asks(Asking decision) {
    asking = decision;
  }

  /** Its decision, if it was started before. */
  @Nullable Asking asking() {
    return asking;
  }

  void look(long now) {
    var decision = asking;
    if (decision != null) {
      decision.look(now);
    }
  }
}
