package io.evento.bundle.consumer;

import io.evento.bundle.Rewound;
import io.evento.bundle.consumer.Effects.Progress.Kind;
import io.evento.protocol.Message.Enable;
import io.evento.protocol.RecordedEvent;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Effects whose handlers emit updates: tells them once they are known to have taken effect. */
final class TellingEffects implements Effects {
  private final Effects effects;
  private final Emissions emissions;

  /** By segment: what was emitted under a commit that may or may not have taken place. */
  private final Map<Integer, Emissions.Emitted> unsettled = new ConcurrentHashMap<>();

  TellingEffects(Effects effects, Emissions emissions) {
    this.effects = effects;
    this.emissions = emissions;
  }

  @Override
  public Optional<Checkpoint> claim(Enable segment) throws SQLException {
    unsettled.remove(segment.segment());
    return effects.claim(segment);
  }

  @Override
  public boolean keepsCheckpoint() {
    return effects.keepsCheckpoint();
  }

  @Override
  public Progress apply(
      Enable segment,
      UUID epoch,
      long from,
      long to,
      List<RecordedEvent> events,
      @Nullable Rewound rewound) {
    var progress = effects.apply(segment, epoch, from, to, events, rewound);
    var emitted = emissions.take(events);
    if (progress.kind() == Kind.DATABASE_FAILED) {
      if (!emitted.isEmpty()) {
        unsettled.put(segment.segment(), emitted);
      }
      return progress;
    }
    var before = unsettled.remove(segment.segment());
    // Nobody was called: the commit whose answer was lost took place after all.
    var told = emitted.isEmpty() && before != null ? before : emitted;
    emissions.publish(segment, epoch, told, progress.position());
    return progress;
  }

  /** Its place among later updates is not known, so those concerned are told to ask again. */
  @Override
  public Progress retry(Enable segment, UUID letter, RecordedEvent event) {
    var progress = effects.retry(segment, letter, event);
    var emitted = emissions.take(List.of(event));
    if (progress.kind() == Kind.DONE || progress.kind() == Kind.DATABASE_FAILED) {
      emissions.publishOutOfOrder(segment, segment.epoch(), emitted);
    }
    return progress;
  }
}
