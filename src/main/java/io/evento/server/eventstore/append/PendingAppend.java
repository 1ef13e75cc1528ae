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
    AppendRequest proposal, int bytes, long since, CompletableFuture<AppendResult> verdict) {
  PendingAppend(AppendRequest proposal, long since) {
    this(proposal, proposal.bytes(), since, new CompletableFuture<>());
  }

  void fail(ErrorCode code, String detail) {
    verdict.completeExceptionally(new EventoException(code, detail));
  }
}
