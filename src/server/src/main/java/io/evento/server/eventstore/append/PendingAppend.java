package io.evento.server.eventstore.append;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.eventstore.AppendRequest;
import java.util.concurrent.CompletableFuture;

/**
 * A request to append and who waits for its result.
 *
 * @param since {@code System.nanoTime()} of its arrival
 */
record PendingAppend(
    AppendRequest request, int bytes, long since, CompletableFuture<AppendResult> result) {
  PendingAppend(AppendRequest request, long since) {
    this(request, request.bytes(), since, new CompletableFuture<>());
  }

  void fail(ErrorCode code, String detail) {
    result.completeExceptionally(new EventoException(code, detail));
  }
}
