package io.evento.server.consumer.outbox;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.Json;
import io.evento.server.security.Caller;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A command that a row keeps until its outcome is final.
 *
 * @param id under which it is sent, each time
 * @param principal with whose rights it is sent, as {@link Caller#who} says; null where nobody was
 *     known when it was written
 * @param consumer name of the saga or observer that decided it; null of a command for later
 * @param attempts with this one, 1 and up
 */
public record OutboxEntry(
    UUID id,
    String type,
    Json payload,
    @Nullable String correlation,
    @Nullable String cause,
    @Nullable String trace,
    @Nullable Json meta,
    @Nullable String principal,
    @Nullable String consumer,
    int attempts) {

  /** Null for whoever needs none. */
  public static @Nullable String principal(Caller caller) {
    return caller.kind() == Caller.Kind.DEVELOPER ? null : caller.who();
  }

  CommandMessage.Command toCommand(int deadlineMillis) {
    return new CommandMessage.Command(
        id, type, null, deadlineMillis, trace, correlation, cause, meta, payload);
  }
}
