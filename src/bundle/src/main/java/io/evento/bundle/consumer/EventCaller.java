package io.evento.bundle.consumer;

import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Rewound;
import io.evento.bundle.dispatch.ProjectorType;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.EventoException;
import io.evento.protocol.RecordedEvent;
import java.sql.Connection;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Calls the handler of an event. */
final class EventCaller {
  private static final long STAGE_MAX_SECONDS = 60;

  private final ProjectorType projector;
  private final PayloadMapper mapper;
  private final BufferedUpdates bufferedUpdates;

  /**
   * @param bufferedUpdates takes what handlers emit
   */
  EventCaller(ProjectorType projector, PayloadMapper mapper, BufferedUpdates bufferedUpdates) {
    this.projector = projector;
    this.mapper = mapper;
    this.bufferedUpdates = bufferedUpdates;
  }

  /** Has the keys fetched that these events are read by. */
  void prepare(List<RecordedEvent> events) {
    mapper.prepare(events.stream().map(RecordedEvent::payload).toList());
  }

  /** As below, outside of any transaction. */
  void call(RecordedEvent event) throws Throwable {
    call(event, null, null);
  }

  /**
   * Returns when the event is handled, but for what its handler added to the batch; at once if
   * nothing handles its type.
   *
   * @throws EventoException {@code no-handler} if the event is of a newer version than is known
   *     here
   * @throws Throwable whatever the handler throws, or what is wrong with the payload
   */
  void call(RecordedEvent event, @Nullable Connection connection, @Nullable StatementBatch batch)
      throws Throwable {
    var projecting = projector.handlers().get(event.type());
    if (projecting == null) {
      return;
    }
    var payload =
        projecting.payload().read(event.payload(), event.payloadVersion(), event.aggregate().id());
    var handler = projecting.handler();
    var updates = handler.takesUpdates() ? bufferedUpdates.of(event) : null;
    var metadata = metadata(event, mapper);
    if (batch == null) {
      await(handler.call(projector.hosted(), payload, metadata, null, null, updates));
      return;
    }
    if (!handler.takesBatch()) {
      // It may read what those before it wrote, by the connection or by an entity manager.
      batch.send();
    }
    batch.handling(event);
    try {
      await(handler.call(projector.hosted(), payload, metadata, connection, batch, updates));
    } finally {
      batch.handling(null);
    }
  }

  private static void await(@Nullable Object returned) throws Exception {
    if (returned instanceof CompletionStage<?> stage) {
      stage.toCompletableFuture().get(STAGE_MAX_SECONDS, TimeUnit.SECONDS);
    }
  }

  /**
   * Tells the projector, if it wants to be told, that events which it has handled are no more.
   *
   * @throws Throwable whatever the handler throws
   */
  void tell(Rewound rewound, Connection connection) throws Throwable {
    var handler = projector.rewind();
    if (handler != null) {
      handler.call(projector.hosted(), rewound, null, connection);
    }
  }

  static EventMetadata metadata(RecordedEvent event, PayloadMapper mapper) {
    return new EventMetadata(
        event.position(),
        event.version(),
        event.aggregate().type(),
        event.aggregate().id(),
        event.type(),
        event.context(),
        event.instant(),
        event.commandId(),
        event.correlationId(),
        event.causationId(),
        mapper.readMap(event.metadata()));
  }
}
