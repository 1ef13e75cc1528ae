package io.evento.server.consumer;

import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import java.util.UUID;

/** Events that nobody stored. */
public final class Events {
  private Events() {}

  public static RecordedEvent event(long position, String account) {
    return event(position, account, "MoneyDeposited", "bank", "{\"amount\":1}");
  }

  public static RecordedEvent event(
      long position, String account, String type, String context, String payload) {
    return new RecordedEvent(
        position,
        new RecordedEvent.Stream("Account", account),
        position,
        type,
        context,
        "2026-01-31T10:15:30.123456Z",
        UUID.randomUUID(),
        "flow",
        null,
        Json.EMPTY_OBJECT,
        new Json(payload));
  }
}
