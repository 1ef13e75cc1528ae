package io.evento.bundle.gateway;

import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.protocol.Scheduled;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Sends commands. Thread-safe.
 *
 * <p>Every way to fail is an {@link EventoException}: {@code rejected} with its {@link
 * EventoException#rejection()} when the handler refused, {@code deadline-exceeded} when no outcome
 * was known in time; a repeat under the same id settles that one.
 */
public interface CommandGateway {
  /** Waits for the outcome, at most ten seconds. */
  default Receipt send(Object command) {
    return send(command, CommandOptions.options());
  }

  /**
   * Waits for the outcome.
   *
   * @param command a record
   * @throws EventoException if it was refused or failed
   * @throws IllegalStateException on a thread that runs handlers; nothing was sent
   */
  Receipt send(Object command, CommandOptions options);

  /** The outcome, within ten seconds. */
  default CompletionStage<Receipt> sendAsync(Object command) {
    return sendAsync(command, CommandOptions.options());
  }

  /** The outcome; the stage fails with an {@link EventoException}, this call itself never. */
  CompletionStage<Receipt> sendAsync(Object command, CommandOptions options);

  /**
   * Has a command sent later, by the database's clock. It has one effect, however often it is
   * tried; what passes by itself, such as a missing handler, is waited out. Nobody waits for its
   * outcome: a repeat of {@link #send} under its id tells it.
   *
   * @param after from now, by the database's clock; 0 or more
   * @throws EventoException if it was refused, as sending it at once would be
   * @throws IllegalStateException on a thread that runs handlers; nothing was sent
   */
  default Scheduled schedule(Object command, Duration after) {
    return schedule(command, after, CommandOptions.options());
  }

  /** As {@link #schedule(Object, Duration)}; under the same id a repeat changes nothing. */
  Scheduled schedule(Object command, Duration after, CommandOptions options);

  /** As {@link #schedule(Object, Duration)}, at a moment; one that has passed is due at once. */
  default Scheduled schedule(Object command, Instant at) {
    return schedule(command, at, CommandOptions.options());
  }

  /** As {@link #schedule(Object, Instant)}; under the same id a repeat changes nothing. */
  Scheduled schedule(Object command, Instant at, CommandOptions options);

  /** As {@link #schedule(Object, Duration)}; the stage fails, this call itself never. */
  CompletionStage<Scheduled> scheduleAsync(Object command, Duration after, CommandOptions options);

  /** As {@link #schedule(Object, Instant)}; the stage fails, this call itself never. */
  CompletionStage<Scheduled> scheduleAsync(Object command, Instant at, CommandOptions options);

  /**
   * Takes a scheduled command back.
   *
   * @throws EventoException {@code not-found} if none waits under that id, {@code conflict} while
   *     it is being sent
   */
  void cancelScheduled(UUID command);

  /** As {@link #cancelScheduled}; the stage fails, this call itself never. */
  CompletionStage<UUID> cancelScheduledAsync(UUID command);

  /**
   * What is scheduled in the whole cluster, the first due first.
   *
   * @param after the last one of the page before; null for the first page. It must still wait
   * @param limit 1 to 1,000
   */
  List<Scheduled> scheduled(@Nullable UUID after, int limit);

  /** As {@link #scheduled}; the stage fails, this call itself never. */
  CompletionStage<List<Scheduled>> scheduledAsync(@Nullable UUID after, int limit);

  /** The value that the handler gave for the caller, as this type; null if it gave none. */
  <T> @Nullable T value(Receipt receipt, Class<T> type);
}
