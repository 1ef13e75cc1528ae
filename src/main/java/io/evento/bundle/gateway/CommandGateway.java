package io.evento.bundle.gateway;

import io.evento.bundle.InvalidBundleException;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.PayloadType;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Receipt;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Sends commands. Thread-safe.
 *
 * <p>Every way to fail is an {@link EventoException}: {@code rejected} with its {@link
 * EventoException#rejection()} when the handler refused, {@code deadline-exceeded} when no outcome
 * was known in time; a repeat under the same id settles that one.
 */
public final class CommandGateway {
  private final PayloadMapper mapper;
  private final Requests requests;
  private final Routes routes;
  private final Waiting waiting;

  public CommandGateway(PayloadMapper mapper, Requests requests, Routes routes, Waiting waiting) {
    this.mapper = mapper;
    this.requests = requests;
    this.routes = routes;
    this.waiting = waiting;
  }

  /** Waits for the outcome, at most ten seconds. */
  public Receipt send(Object command) {
    return send(command, CommandOptions.options());
  }

  /**
   * Waits for the outcome.
   *
   * @param command a record
   * @throws EventoException if it was refused or failed
   * @throws IllegalStateException on a thread that runs handlers; nothing was sent
   */
  public Receipt send(Object command, CommandOptions options) {
    waiting.check("sendAsync");
    return waiting.await(receipt(command, options), options.deadline());
  }

  /** The outcome, within ten seconds. */
  public CompletionStage<Receipt> sendAsync(Object command) {
    return sendAsync(command, CommandOptions.options());
  }

  /** The outcome; the stage fails with an {@link EventoException}, this call itself never. */
  public CompletionStage<Receipt> sendAsync(Object command, CommandOptions options) {
    return waiting.handOver(receipt(command, options));
  }

  /** The value that the handler gave for the caller, as this type; null if it gave none. */
  public <T> @Nullable T value(Receipt receipt, Class<T> type) {
    var result = receipt.result();
    return result == null ? null : mapper.read(type, result);
  }

  private CompletableFuture<Receipt> receipt(Object command, CommandOptions options) {
    var id = options.id() == null ? CommandIds.next() : options.id();
    PayloadType type;
    Json payload;
    Json meta;
    try {
      type = mapper.typeOf(command.getClass());
      payload = type.write(command);
      meta = options.metadata().isEmpty() ? null : mapper.write(options.metadata());
    } catch (InvalidBundleException | IllegalArgumentException unfit) {
      return CompletableFuture.failedFuture(
          EventoException.invalid("", String.valueOf(unfit.getMessage())).ofCommand(id));
    }
    var request =
        new Request(
            id,
            true,
            type.name(),
            payload,
            routes.keyOf(type, command, id),
            options.deadline(),
            millis -> message(id, type, payload, meta, options, millis));
    return requests
        .send(request)
        .thenApply(
            result -> {
              var receipt = result.receipt();
              if (receipt == null) {
                receipt = new Receipt(id, null, null, List.of(), result.payload(), false);
              }
              routes.learn(type, receipt);
              return receipt;
            });
  }

  private static Message message(
      UUID id,
      PayloadType type,
      Json payload,
      @Nullable Json meta,
      CommandOptions options,
      int millis) {
    return new Message.Command(
        id,
        type.name(),
        options.ifVersion(),
        millis,
        options.trace(),
        options.correlation(),
        options.cause(),
        meta,
        payload);
  }
}
