package io.evento.server.aggregate;

import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Failures;
import io.evento.server.routing.command.CommandOutcomes;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The outcome of one command while it is being decided. It ends once, and whatever ends it later
 * changes nothing. Thread-safe.
 */
final class PendingOutcome {
  private final CommandOutcomes commandOutcomes;
  private final CommandRequest request;
  private final CompletableFuture<Receipt> receipt = new CompletableFuture<>();

  PendingOutcome(CommandOutcomes commandOutcomes, CommandRequest request) {
    this.commandOutcomes = commandOutcomes;
    this.request = request;
  }

  /** Fails with an {@link EventoException}, or with what {@link Failures} makes one of. */
  CompletionStage<Receipt> stage() {
    return receipt;
  }

  void complete(Receipt told) {
    receipt.complete(told);
  }

  void fail(Throwable failure) {
    receipt.completeExceptionally(Failures.cause(failure));
  }

  /** Ends the command if its deadline is over; whether it did. */
  boolean failIfExpired() {
    var isOver = request.deadline().isOver();
    if (isOver) {
      fail(request.expired());
    }
    return isOver;
  }

  /** The command had an outcome before, which is its only one. */
  void repeat(AppendResult.Duplicate first) {
    commandOutcomes
        .repeated(request, first)
        .whenComplete(
            (told, failure) -> {
              if (failure != null) {
                fail(failure);
              } else {
                complete(told);
              }
            });
  }

  /** A kept outcome wins over whatever this attempt came to. */
  void unlessKept(Runnable otherwise) {
    commandOutcomes
        .find(request)
        .whenComplete(
            (found, failure) ->
                guarded(
                        () -> {
                          if (failure != null) {
                            fail(failure);
                          } else if (found.isPresent()) {
                            complete(found.get());
                          } else {
                            otherwise.run();
                          }
                        })
                    .run());
  }

  /** No step may end without an outcome or a next step, whatever is thrown. */
  Runnable guarded(Runnable step) {
    return () -> {
      try {
        step.run();
      } catch (RuntimeException failure) {
        fail(failure);
      }
    };
  }
}
