package io.evento.server.aggregate;

import io.evento.protocol.Tip;
import io.evento.server.routing.command.CommandHandlers;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What this node knows of one stream: the commands that wait, and the state that it was last seen
 * in. The tip and the host are hints, the append has the last word.
 */
final class StreamQueue {
  /** One more is refused with {@code overloaded}. */
  private static final int WAITING_MAX = 2_000;

  private final ArrayDeque<PendingCommand> waiting = new ArrayDeque<>();
  private boolean busy;
  private boolean closed;
  private @Nullable Tip tip;
  private CommandHandlers.@Nullable Host host;
  private long touchedAt = System.nanoTime();

  /** The tip's version divided by the distance of snapshots, when one was last asked for. */
  private long snapshotsDue;

  private boolean rebuildIsDear;

  /** How a command was taken. */
  enum Entry {
    /** The queue was idle: the caller starts it now. */
    START,
    WAIT,
    FULL,
    /** The queue was given up meanwhile; look for another one. */
    CLOSED
  }

  synchronized Entry enter(PendingCommand pendingCommand) {
    if (closed) {
      return Entry.CLOSED;
    }
    touchedAt = System.nanoTime();
    if (!busy) {
      busy = true;
      return Entry.START;
    }
    if (waiting.size() >= WAITING_MAX) {
      return Entry.FULL;
    }
    waiting.add(pendingCommand);
    return Entry.WAIT;
  }

  /** The next command now that the one before has its outcome; null leaves the queue idle. */
  synchronized @Nullable PendingCommand next() {
    var next = waiting.poll();
    if (next == null) {
      busy = false;
    }
    return next;
  }

  synchronized @Nullable Tip tip() {
    return tip;
  }

  synchronized void tip(@Nullable Tip seen) {
    tip = seen;
  }

  synchronized CommandHandlers.@Nullable Host host() {
    return host;
  }

  synchronized void host(CommandHandlers.@Nullable Host chosen) {
    host = chosen;
  }

  /** Whether it is time for a snapshot, once at every so many events or after a dear rebuild. */
  synchronized boolean takeSnapshotTurn(int every) {
    var known = tip;
    if (known == null || known.version() == 0) {
      return false;
    }
    var due = known.version() / every;
    var isTurn = due > snapshotsDue || rebuildIsDear;
    if (isTurn) {
      snapshotsDue = due;
      rebuildIsDear = false;
    }
    return isTurn;
  }

  /** The handler took long to rebuild the state: the next one should not have to. */
  synchronized void rebuiltDearly() {
    rebuildIsDear = true;
  }

  /** Gives the queue up if nothing happened in it for so long. */
  synchronized boolean closeIfIdle(long seconds) {
    closed = closed || (!busy && System.nanoTime() - touchedAt > TimeUnit.SECONDS.toNanos(seconds));
    return closed;
  }
}
