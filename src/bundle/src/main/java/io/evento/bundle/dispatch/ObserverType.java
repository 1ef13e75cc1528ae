package io.evento.bundle.dispatch;

import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.dispatch.SagaType.Stepping;
import io.evento.protocol.Json;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An observer as its class defines it. Immutable. */
public final class ObserverType {
  private final String consumer;
  private final Hosted hosted;
  private final int concurrency;
  private final Map<String, Stepping> events;

  ObserverType(String consumer, Hosted hosted, int concurrency, Map<String, Stepping> events) {
    this.consumer = consumer;
    this.hosted = hosted;
    this.concurrency = concurrency;
    this.events = Map.copyOf(events);
  }

  /** Its name and version, such as {@code large-deposits:1}. */
  public String consumer() {
    return consumer;
  }

  /** How many events of a segment are handled side by side, 1 to 64. */
  public int concurrency() {
    return concurrency;
  }

  /**
   * An event came.
   *
   * @param version that its payload was written in
   * @return what the handler returned, perhaps a stage; null also if nothing handles the type
   * @throws Throwable whatever the handler throws, or what is wrong with the payload; {@code
   *     no-handler} if it is of a newer version than is known here
   */
  public @Nullable Object onEvent(String type, int version, Json payload, EventMetadata metadata)
      throws Throwable {
    var handler = events.get(type);
    return handler == null
        ? null
        : handler
            .handler()
            .call(
                hosted,
                new StepHandler.Given(
                    handler.payload().read(payload, version, metadata.aggregateId()),
                    null,
                    metadata,
                    null,
                    metadata.time()));
  }
}
