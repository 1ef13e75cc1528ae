package io.evento.bundle.consumer;

import io.evento.bundle.api.Rewound;
import io.evento.bundle.consumer.EventHandling.Progress.Kind;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.RecordedEvent;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Event handling whose handlers emit updates: tells them once the events are known to have taken
 * effect.
 */
final class EventHandlingWithUpdates implements EventHandling {
  private final EventHandling eventHandling;
  private final BufferedUpdates bufferedUpdates;

  /** By segment: what was emitted under a commit that may or may not have taken place. */
  private final Map<Integer, BufferedUpdates.Emitted> unsettled = new ConcurrentHashMap<>();

  EventHandlingWithUpdates(EventHandling eventHandling, BufferedUpdates bufferedUpdates) {
    this.eventHandling = eventHandling;
    this.bufferedUpdates = bufferedUpdates;
  }

  @Override
  public Optional<Checkpoint> claim(Enable segment) throws SQLException {
    unsettled.remove(segment.segment());
    return eventHandling.claim(segment);
  }

  @Override
  public boolean keepsCheckpoint() {
    return eventHandling.keepsCheckpoint();
  }

  @Override
  public Progress apply(
      Enable segment,
      UUID epoch,
      long from,
      long to,
      List<RecordedEvent> events,
      @Nullable Rewound rewound) {
    var progress = eventHandling.apply(segment, epoch, from, to, events, rewound);
    var emitted = bufferedUpdates.take(events);
    if (progress.kind() == Kind.DATABASE_FAILED) {
      if (!emitted.isEmpty()) {
        unsettled.put(segment.segment(), emitted);
      }
      return progress;
    }
    var before = unsettled.remove(segment.segment());
    // Nobody was called: the commit whose answer was lost took place after all.
    var told = emitted.isEmpty() && before != null ? before : emitted;
    bufferedUpdates.publish(segment, epoch, told, progress.position());
    return progress;
  }

  /** Its place among later updates is not known, so those concerned are told to ask again. */
  @Override
  public Progress retry(Enable segment, UUID letter, RecordedEvent event) {
    var progress = eventHandling.retry(segment, letter, event);
    var emitted = bufferedUpdates.take(List.of(event));
    if (progress.kind() == Kind.DONE || progress.kind() == Kind.DATABASE_FAILED) {
      bufferedUpdates.publishOutOfOrder(segment, segment.epoch(), emitted);
    }
    return progress;
  }
}
