package io.evento.bundle.gateway;

import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.PayloadType;
import io.evento.bundle.payload.UnwritablePayloadException;
import io.evento.protocol.Codec;
import io.evento.protocol.CommandMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Receipt;
import io.evento.protocol.ReplyMessage;
import io.evento.protocol.Scheduled;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Sends commands over the sessions of a bundle. */
public final class SessionCommandGateway implements CommandGateway {
  private final PayloadMapper mapper;
  private final Requests requests;
  private final OwnerKeys ownerKeys;
  private final BlockingCalls blockingCalls;

  public SessionCommandGateway(
      PayloadMapper mapper, Requests requests, OwnerKeys ownerKeys, BlockingCalls blockingCalls) {
    this.mapper = mapper;
    this.requests = requests;
    this.ownerKeys = ownerKeys;
    this.blockingCalls = blockingCalls;
  }

  @Override
  public Receipt send(Object command, CommandOptions options) {
    blockingCalls.check("sendAsync");
    return blockingCalls.await(receipt(command, options), options.deadline());
  }

  @Override
  public CompletionStage<Receipt> sendAsync(Object command, CommandOptions options) {
    return blockingCalls.handOver(receipt(command, options));
  }

  @Override
  public Scheduled schedule(Object command, Duration after, CommandOptions options) {
    blockingCalls.check("scheduleAsync");
    return blockingCalls.await(
        scheduled(command, after.toMillis(), null, options), options.deadline());
  }

  @Override
  public Scheduled schedule(Object command, Instant at, CommandOptions options) {
    blockingCalls.check("scheduleAsync");
    return blockingCalls.await(scheduled(command, null, at, options), options.deadline());
  }

  @Override
  public CompletionStage<Scheduled> scheduleAsync(
      Object command, Duration after, CommandOptions options) {
    return blockingCalls.handOver(scheduled(command, after.toMillis(), null, options));
  }

  @Override
  public CompletionStage<Scheduled> scheduleAsync(
      Object command, Instant at, CommandOptions options) {
    return blockingCalls.handOver(scheduled(command, null, at, options));
  }

  @Override
  public void cancelScheduled(UUID command) {
    blockingCalls.check("cancelScheduledAsync");
    var deadline = CommandOptions.options().deadline();
    var unused = blockingCalls.await(cancelled(command, deadline), deadline);
  }

  @Override
  public CompletionStage<UUID> cancelScheduledAsync(UUID command) {
    return blockingCalls.handOver(cancelled(command, CommandOptions.options().deadline()));
  }

  @Override
  public List<Scheduled> scheduled(@Nullable UUID after, int limit) {
    blockingCalls.check("scheduledAsync");
    var deadline = CommandOptions.options().deadline();
    return blockingCalls.await(listed(after, limit, deadline), deadline);
  }

  @Override
  public CompletionStage<List<Scheduled>> scheduledAsync(@Nullable UUID after, int limit) {
    return blockingCalls.handOver(listed(after, limit, CommandOptions.options().deadline()));
  }

  private CompletableFuture<Scheduled> scheduled(
      Object command, @Nullable Long after, @Nullable Instant at, CommandOptions options) {
    var id = options.id() == null ? CommandIds.next() : options.id();
    try {
      var type = mapper.typeOf(command.getClass());
      var payload = type.write(command);
      var meta = meta(options);
      var order =
          new CommandMessage.Schedule(
              id,
              type.name(),
              after,
              at == null ? null : at.toString(),
              options.trace(),
              options.correlation(),
              options.cause(),
              meta,
              payload);
      var request =
          new Request(id, true, type.name(), payload, null, options.deadline(), millis -> order);
      return requests.send(request).thenApply(result -> read(Scheduled.class, result));
    } catch (EventoException refused) {
      return CompletableFuture.failedFuture(refused.ofCommand(id));
    } catch (InvalidBundleException | IllegalArgumentException unfit) {
      return CompletableFuture.failedFuture(Refusals.of(unfit).ofCommand(id));
    }
  }

  private CompletableFuture<UUID> cancelled(UUID command, Duration deadline) {
    var id = CommandIds.next();
    var request =
        new Request(
            id,
            false,
            "",
            Json.EMPTY_OBJECT,
            null,
            deadline,
            millis -> new CommandMessage.Unschedule(id, command));
    return requests.send(request).thenApply(result -> command);
  }

  private CompletableFuture<List<Scheduled>> listed(
      @Nullable UUID after, int limit, Duration deadline) {
    var id = CommandIds.next();
    try {
      var ask = new CommandMessage.Schedules(id, null, after, limit);
      var request = new Request(id, false, "", Json.EMPTY_OBJECT, null, deadline, millis -> ask);
      return requests
          .send(request)
          .thenApply(result -> read(Scheduled.Page.class, result).schedules());
    } catch (EventoException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }

  private static <T> T read(Class<T> type, ReplyMessage.Result result) {
    var payload = result.payload();
    if (payload == null) {
      throw new IllegalStateException("the node answered without what it was asked for");
    }
    return Codec.read(type, payload.text());
  }

  @Override
  public <T> @Nullable T value(Receipt receipt, Class<T> type) {
    var result = receipt.result();
    return result == null ? null : mapper.readResult(type, result);
  }

  private CompletableFuture<Receipt> receipt(Object command, CommandOptions options) {
    var id = options.id() == null ? CommandIds.next() : options.id();
    PayloadType type;
    Json payload;
    Json meta;
    try {
      type = mapper.typeOf(command.getClass());
      payload = type.write(command);
      meta = meta(options);
    } catch (EventoException refused) {
      return CompletableFuture.failedFuture(refused.ofCommand(id));
    } catch (InvalidBundleException | IllegalArgumentException unfit) {
      return CompletableFuture.failedFuture(Refusals.of(unfit).ofCommand(id));
    }
    var request =
        new Request(
            id,
            true,
            type.name(),
            payload,
            ownerKeys.keyOf(type, command, id),
            options.deadline(),
            millis -> message(id, type, payload, meta, options, millis));
    return requests
        .send(request)
        .thenApply(
            result -> {
              var receipt = result.receipt();
              if (receipt == null) {
                receipt = new Receipt(id, null, result.payload(), false);
              }
              ownerKeys.learn(type, receipt);
              return receipt;
            });
  }

  /** The metadata as it travels; null for none. Whatever else is said of a command is looked at. */
  private @Nullable Json meta(CommandOptions options) {
    Refusals.check("/correlation", options.correlation());
    Refusals.check("/cause", options.cause());
    Refusals.check("/trace", options.trace());
    try {
      return options.metadata().isEmpty() ? null : mapper.write(options.metadata(), "the metadata");
    } catch (UnwritablePayloadException unfit) {
      throw unfit.toRefusal("/metadata");
    }
  }

  private static Message message(
      UUID id,
      PayloadType type,
      Json payload,
      @Nullable Json meta,
      CommandOptions options,
      int millis) {
    return new CommandMessage.Command(
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
