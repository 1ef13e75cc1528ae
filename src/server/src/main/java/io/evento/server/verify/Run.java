package io.evento.server.verify;

import java.time.OffsetDateTime;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A run, as its row was read.
 *
 * @param state {@code running}, {@code finished}, {@code cancelled} or {@code failed}
 * @param by who asked for it, as the audit names him
 * @param epoch of {@code head}
 * @param head the last position that it looks at
 * @param floor up to here no event has to be: it was archived away before the chain came to it
 * @param anchor a block that was exported before; null if none is to be compared with
 * @param seconds how long it has gone on, or did
 * @param node that works on it, or did; null before one began
 */
public record Run(
    long id,
    String state,
    String by,
    @Nullable String reason,
    OffsetDateTime startedAt,
    @Nullable OffsetDateTime endedAt,
    UUID epoch,
    long head,
    long floor,
    @Nullable Anchor anchor,
    Place place,
    Counts counts,
    @Nullable String error,
    @Nullable String node,
    double seconds) {

  /** What an operator exported. */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them by this
  public record Anchor(long block, byte[] hash) {}

  /**
   * What comes next.
   *
   * @param cursor how far it has come with that part: a position, a page, a number
   */
  public record Place(Part part, long cursor) {}

  /**
   * What was done so far.
   *
   * @param replayed snapshots that a bundle made anew
   * @param unreplayed snapshots that no bundle could make anew
   */
  public record Counts(
      long events,
      long outcomes,
      long checkpoints,
      long snapshots,
      int replayed,
      int unreplayed,
      long findings) {}

  public boolean isRunning() {
    return state.equals("running");
  }
}
