package io.evento.server.aggregate;

import io.evento.protocol.Receipt;
import io.evento.server.routing.CommandRequest;
import java.util.concurrent.CompletableFuture;

/** A command that has no outcome yet, and those who wait for it. */
record Pending(CommandRequest request, CompletableFuture<Receipt> outcome) {
  Pending(CommandRequest request) {
    this(request, new CompletableFuture<>());
  }
}
