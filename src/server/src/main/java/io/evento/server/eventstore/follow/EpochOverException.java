package io.evento.server.eventstore.follow;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.eventstore.Epochs;
import io.evento.server.eventstore.StorePosition;
import java.util.UUID;

/** Whoever asks stands at a position that the store has lost: {@code conflict}. */
public final class EpochOverException extends EventoException {
  private static final long serialVersionUID = 1L;

  private final transient StorePosition resume;

  private EpochOverException(String detail, StorePosition resume) {
    super(ErrorCode.CONFLICT, detail + "; go on from " + resume.text());
    this.resume = resume;
  }

  static EpochOverException over(long position, UUID epoch, StorePosition resume) {
    return new EpochOverException(
        "position "
            + position
            + " of the epoch "
            + epoch
            + " names nothing any more: the store has a new epoch and lost what stood above "
            + resume.position(),
        resume);
  }

  static EpochOverException unknown(UUID epoch, Epochs lives) {
    return new EpochOverException(
        "this store never had the epoch " + epoch, new StorePosition(lives.present(), 0));
  }

  /** Up to there everything that was seen still stands; 0 where nothing is known of it. */
  public StorePosition resume() {
    return resume;
  }
}
