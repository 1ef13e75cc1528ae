package io.evento.server.consumer.outbox;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.Json;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A command that a row keeps until its outcome is final.
 *
 * @param id under which it is sent, each time
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
    int attempts) {

  CommandMessage.Command toCommand(int deadlineMillis) {
    return new CommandMessage.Command(
        id, type, null, deadlineMillis, trace, correlation, cause, meta, payload);
  }
}
