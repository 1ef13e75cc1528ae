package io.evento.server.consumer.segment;

import io.evento.server.eventstore.StorePosition;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The right of this node to deliver a segment, from one claim to the next. Thread-safe.
 *
 * <p>It also knows how far the segment's row is behind what was acknowledged.
 */
public final class Lease {
  /**
   * A checkpoint to be written.
   *
   * @param before epoch that the row is in now
   * @param known position that the row is known to have there, at least
   * @param command that wrote the event at {@code to}; null if that is not known
   * @param rewinds whether it may move backwards
   */
  public record Step(
      SegmentId segment,
      long fence,
      UUID before,
      long known,
      StorePosition to,
      @Nullable UUID command,
      boolean rewinds) {}

  /**
   * A segment as it was claimed.
   *
   * @param command that wrote the event at the checkpoint; null if none was looked at yet
   * @param resetFence from which on an operator has put the checkpoint there; 0 for never
   * @param stopAt nothing is sent beyond this position, as another segment is waited for there
   * @param effectsAfter commands of events up to this position were sent before a reset, and are
   *     not sent again; 0 for none
   * @param role under which steps are stored; whatever changes it raises the fence
   * @param doubts about what was with sessions that ended
   */
  public record Claimed(
      SegmentId segment,
      int firstSlot,
      int lastSlot,
      long fence,
      StorePosition checkpoint,
      @Nullable UUID command,
      long resetFence,
      long stopAt,
      long effectsAfter,
      Role role,
      PoisonCandidates doubts) {

    /** A segment of a live consumer that just goes on. */
    public Claimed(
        SegmentId segment,
        int firstSlot,
        int lastSlot,
        long fence,
        StorePosition checkpoint,
        @Nullable UUID command) {
      this(
          segment,
          firstSlot,
          lastSlot,
          fence,
          checkpoint,
          command,
          0,
          Long.MAX_VALUE,
          0,
          Role.LIVE,
          PoisonCandidates.NONE);
    }
  }

  private static final long DOUBT_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** What is proven may have to wait for room among the dead letters. */
  private static final long PROVEN_NANOS = 10 * DOUBT_NANOS;

  private final Claimed claimed;
  private volatile long trustedUntil;
  private StorePosition written;
  private StorePosition reached;
  private @Nullable UUID command;
  private boolean rewinds;
  private volatile PoisonCandidates poisonCandidates;
  private long doubtsSince = System.nanoTime();
  private PoisonCandidates writtenDoubts;
  private String note = "";
  private String writtenNote = "unknown: an owner before may have left one";

  /**
   * @param trustedUntil by {@link System#nanoTime}, counted from before the claim was sent
   */
  public Lease(Claimed claimed, long trustedUntil) {
    this.claimed = claimed;
    this.trustedUntil = trustedUntil;
    this.written = claimed.checkpoint();
    this.reached = claimed.checkpoint();
    this.command = claimed.command();
    this.poisonCandidates = claimed.doubts();
    this.writtenDoubts = claimed.doubts();
  }

  public SegmentId segment() {
    return claimed.segment();
  }

  public long fence() {
    return claimed.fence();
  }

  public Claimed claimed() {
    return claimed;
  }

  /** Whether nobody else can have the segment yet, by this process' own clock. */
  public boolean isTrusted(long now) {
    return now - trustedUntil < 0;
  }

  public long trustedUntil() {
    return trustedUntil;
  }

  public void renewed(long until) {
    trustedUntil = until;
  }

  /** Where the row is, or will be with the next write. */
  public synchronized StorePosition reached() {
    return reached;
  }

  /** Epoch of the row, as every guarded write has to name it. */
  synchronized UUID writtenEpoch() {
    return written.epoch();
  }

  /** Everything up to a position is done. What is not further than what was reached is ignored. */
  public synchronized void reach(long position, @Nullable UUID commandThere) {
    if (position > reached.position()) {
      reached = reached.at(position);
      command = commandThere;
    }
  }

  /**
   * The segment goes on from elsewhere: another epoch, or what stood at its checkpoint is gone.
   * What stands at the doubted positions may be another event now.
   */
  public synchronized void rewind(StorePosition to) {
    reached = to;
    command = null;
    rewinds = true;
    doubts(poisonCandidates.beyond(Long.MAX_VALUE));
  }

  /** What the row does not know yet. */
  public synchronized Optional<Step> unwritten() {
    return reached.equals(written) ? Optional.empty() : Optional.of(step());
  }

  /**
   * Whether the row is in this epoch and goes forward only, so that a write that names the epoch
   * finds it.
   */
  public synchronized boolean isWrittenIn(UUID epoch) {
    return written.epoch().equals(epoch) && !rewinds;
  }

  /** A transaction of its own has brought the row here. */
  public synchronized void committed(long position, @Nullable UUID commandThere) {
    if (position >= reached.position()) {
      reached = reached.at(position);
      command = commandThere;
      written = reached;
    }
  }

  /** Where the segment stands, whether or not the row knows it: what a guarded write names. */
  public synchronized Step step() {
    return new Step(
        segment(), fence(), written.epoch(), written.position(), reached, command, rewinds);
  }

  /** What the row says for sure. */
  public synchronized StorePosition written() {
    return written;
  }

  public synchronized void wrote(Step step) {
    written = step.to();
    rewinds = rewinds && !reached.equals(step.to());
  }

  /** Why the segment does not get on; null once it does again. */
  public synchronized void failing(@Nullable String why) {
    note = why == null ? "" : why;
  }

  /** The note for the row if that does not have it yet; empty text for none. */
  public synchronized Optional<String> unwrittenNote() {
    return note.equals(writtenNote) ? Optional.empty() : Optional.of(note);
  }

  public synchronized void wroteNote(String text) {
    writtenNote = text;
  }

  /** What of the segment may have ended sessions. */
  public PoisonCandidates doubts() {
    return poisonCandidates;
  }

  public synchronized void doubts(PoisonCandidates now) {
    if (!now.equals(poisonCandidates)) {
      poisonCandidates = now;
      doubtsSince = System.nanoTime();
    }
  }

  /**
   * Drops doubts about what does not come any more, as something before it took it away: what is
   * doubted comes first, and its session has lived for a minute since. What is proven is parked
   * when it comes: if it does not come either, it is gone, as a letter that was dropped or an
   * outcome for a saga that ended.
   *
   * @param now by {@link System#nanoTime}
   */
  public synchronized void forgetOldDoubts(long now) {
    var keep = poisonCandidates.areProven() ? PROVEN_NANOS : DOUBT_NANOS;
    if (!poisonCandidates.isNone() && now - doubtsSince > keep) {
      poisonCandidates = PoisonCandidates.NONE;
    }
  }

  /** The doubts if the row does not have them yet. */
  public synchronized Optional<PoisonCandidates> unwrittenDoubts() {
    return poisonCandidates.equals(writtenDoubts)
        ? Optional.empty()
        : Optional.of(poisonCandidates);
  }

  public synchronized void wroteDoubts(PoisonCandidates now) {
    writtenDoubts = now;
  }

  @Override
  public String toString() {
    return "consumer="
        + segment().consumer()
        + " segment="
        + segment().number()
        + " fence="
        + fence();
  }
}
