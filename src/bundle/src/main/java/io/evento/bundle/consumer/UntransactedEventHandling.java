package io.evento.bundle.consumer;

import io.evento.bundle.api.Rewound;
import io.evento.bundle.consumer.EventHandling.Progress.Kind;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.RecordedEvent;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Events handled outside of any transaction; the only checkpoint is that of the server. */
final class UntransactedEventHandling implements EventHandling {
  private final EventCaller caller;

  UntransactedEventHandling(EventCaller caller) {
    this.caller = caller;
  }

  @Override
  public Optional<Checkpoint> claim(Enable segment) {
    return Optional.of(new Checkpoint(segment.epoch(), segment.position()));
  }

  @Override
  public boolean keepsCheckpoint() {
    return false;
  }

  @Override
  public Progress apply(
      Enable segment,
      UUID epoch,
      long from,
      long to,
      List<RecordedEvent> events,
      @Nullable Rewound rewound) {
    caller.prepare(events);
    var done = from;
    for (var event : events) {
      try {
        caller.call(event);
      } catch (Throwable failure) {
        return new Progress(Kind.HANDLER_FAILED, done, event, failure);
      }
      done = event.position();
    }
    return Progress.done(to);
  }

  @Override
  public Progress retry(Enable segment, UUID letter, RecordedEvent event) {
    return apply(segment, segment.epoch(), 0, event.position(), List.of(event));
  }
}
