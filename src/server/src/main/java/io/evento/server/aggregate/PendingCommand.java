package io.evento.server.aggregate;

import io.evento.protocol.Receipt;
import io.evento.server.routing.CommandRequest;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A command that has no outcome yet, and those who wait for it. */
final class PendingCommand {
  /** A decision under way, which may be asked of another host as well. */
  interface Asking {
    /** Looks whether the host that was asked takes too long. */
    void look(long now);
  }

  private final CommandRequest request;
  private final long since = System.nanoTime();
  private final CompletableFuture<Receipt> outcome = new CompletableFuture<>();
  private volatile @Nullable Asking asking;

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

  CompletableFuture<Receipt> outcome() {
    return outcome;
  }

  void asks(Asking decision) {
    asking = decision;
  }

  void look(long now) {
    var decision = asking;
    if (decision != null) {
      decision.look(now);
    }
  }
}
