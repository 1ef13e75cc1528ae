package io.evento.bundle.gateway;

import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
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

  /** Waits for the outcome, at most ten seconds. */
  public Receipt send(Object command) {
    return send(command, CommandOptions.options());
  }

  /**
   * Waits for the outcome.
   *
   * @throws EventoException if it was refused or failed
   * @throws IllegalStateException on a thread that runs handlers; nothing was sent
   */
  public Receipt send(Object command, CommandOptions options) {
    throw new UnsupportedOperationException();
  }

  /** The outcome, within ten seconds. */
  public CompletionStage<Receipt> sendAsync(Object command) {
    return sendAsync(command, CommandOptions.options());
  }

  /** The outcome; the stage fails with an {@link EventoException}, this call itself never. */
  public CompletionStage<Receipt> sendAsync(Object command, CommandOptions options) {
    throw new UnsupportedOperationException();
  }

  /** The value that the handler gave for the caller, as this type; null if it gave none. */
  public <T> @Nullable T value(Receipt receipt, Class<T> type) {
    throw new UnsupportedOperationException();
  }
}
