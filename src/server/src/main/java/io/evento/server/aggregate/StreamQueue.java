package io.evento.server.aggregate;

import io.evento.protocol.Tip;
import io.evento.server.DrainRate;
import io.evento.server.routing.command.CommandHandlers;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What this node knows of one stream: the commands that wait, the one that is being decided, the
 * <em>links</em> that were decided and are on their way to the store, and the state that the stream
 * has after them. The tip and the host are hints, the append has the last word.
 *
 * <p>One command is decided at a time. It need not wait for the commit of the one before: as soon
 * as a decision is proposed it is a link, the tip is the one after it, and the next command is
 * decided on that. Such links are a chain. Rules, each for something that went wrong without it:
 *
 * <ol>
 *   <li><b>A link is on its predecessor's state or it is none</b> ({@link #propose}). Why: the
 *       store compares the first link's state only and takes the rest as it stands.
 *   <li><b>A link that is refused, for whatever reason, breaks the chain.</b> All behind it rest on
 *       what is not there. It, they, and the command that is being decided wait again, in the order
 *       of their arrival and before all others. The tip is what the store said, else the one that
 *       was named to the refused link, never what came of it, nor what a handler that was told none
 *       took: that may be of a chain that came to nothing.
 *   <li><b>A break raises the chain's number; what was decided under an older one is thrown
 *       away.</b> Why: a handler may still answer on a state that never was, and its failures are
 *       told without a look at the store.
 *   <li><b>After a break nothing is started before the last link behind it has its own verdict</b>,
 *       so that no link of the new chain waits beside those of the old one, and the first goes
 *       alone: the length falls to 1 and grows by 1 with each link that is stored, so it doubles
 *       with each chain that holds. Why: if all were decided again at once, each refusal would cost
 *       the store as many calls as the chain is long. A queue that starts cold, its handler on an
 *       old state and 64 commands waiting, would be slower than without chains.
 *   <li><b>What is told without the store waits until the links before it are stored</b> ({@link
 *       #whenProven}): a handler's failure, and also that it holds another state, as what leads to
 *       this one cannot be read yet. If they are not stored, the command is decided again.
 *   <li><b>The stream changes its host only while there is no link</b>: no other holds that state,
 *       and it cannot be told.
 *   <li><b>A command that wants a version is alone</b>: its version must be the store's.
 *   <li><b>The next command is started once the link before it was handed to the append</b> ({@link
 *       #sent}), or it could overtake that one.
 * </ol>
 *
 * <p>None of this is needed for what is stored to be right: a tip has the random number of its
 * decision, so a decision on what is not there is refused by the append. It is needed for what is
 * told, for the order of commands, and for speed.
 */
final class StreamQueue {
  /** One more is refused with {@code overloaded}. */
  private static final int WAITING_MAX = 2_000;

  /** Links that may be on their way at once: half of what a batch takes, to leave room in it. */
  private static final int LENGTH_MAX = 128;

  /** What they may take: as much as a batch, or one aggregate would fill the append's room. */
  private static final long BYTES_MAX = 1 << 20;

  private final BiConsumer<StreamQueue, PendingCommand> starter;
  private final ArrayDeque<PendingCommand> waiting = new ArrayDeque<>();

  /** Proposed and without a verdict, in order, each on the state after the one before. */
  private final ArrayList<Link> links = new ArrayList<>();

  /** Links behind one that was refused, which have no verdict of their own yet. */
  private final Set<PendingCommand> broken = new HashSet<>();

  private @Nullable PendingCommand current;
  private @Nullable Runnable onceProven; // of the current one
  private long number;
  private int length = 1;
  private long bytes; // of the links
  private boolean isStarting;
  private boolean closed;
  private long arrivals;
  private @Nullable Tip tip;
  private CommandHandlers.@Nullable Host host;
  private long touchedAt = System.nanoTime();

  /** The tip's version divided by the distance of snapshots, when one was last asked for. */
  private long snapshotsDue;

  private long snapshotsTold;

  private boolean rebuildIsDear;
  private boolean isSnapshotAsked;

  /**
   * @param after the state that it leads to
   */
  private record Link(PendingCommand command, Tip after, int bytes) {}

  /**
   * @param starter decides a command; may be called on whatever thread brought the reason for it,
   *     for one command after the other
   */
  StreamQueue(BiConsumer<StreamQueue, PendingCommand> starter) {
    this.starter = starter;
  }

  /** How a command was taken. */
  enum Entry {
    TAKEN,
    FULL,
    /** The queue was given up meanwhile; look for another one. */
    CLOSED
  }

  /** What became of a proposal. */
  enum Place {
    /** It is a link now. */
    LINK,
    /** It is on another state than that after the links: it has to wait for these. */
    NOT_YET,
    /** The chain was broken, and its command waits again. */
    BROKEN
  }

  synchronized Entry enter(PendingCommand pendingCommand) {
    if (closed) {
      return Entry.CLOSED;
    }
    touchedAt = System.nanoTime();
    if (waiting.size() >= WAITING_MAX) {
      return Entry.FULL;
    }
    pendingCommand.arrived(arrivals++);
    waiting.add(pendingCommand);
    return Entry.TAKEN;
  }

  /** When it is worth it for a command to come again that there was no room for. */
  synchronized Duration untilRoom() {
    var first = waiting.peek();
    var waited = first == null ? 0 : System.nanoTime() - first.since();
    return DrainRate.untilRoom(Duration.ofNanos(waited));
  }

  /**
   * Starts what may be started. One thread does at a time, and looks again for the others: so
   * commands that end at once, such as many that are expired, never recurse.
   */
  void startNext() {
    for (var next = firstToStart(); next != null; next = nextToStart()) {
      try {
        starter.accept(this, next);
      } catch (RuntimeException | Error failure) {
        // Or nobody would start anything here again.
        ended(next);
        next.outcome().completeExceptionally(failure);
      }
    }
  }

  private synchronized @Nullable PendingCommand firstToStart() {
    if (isStarting) {
      return null;
    }
    isStarting = true;
    return nextToStart();
  }

  private synchronized @Nullable PendingCommand nextToStart() {
    var next = waiting.peek();
    if (next == null || current != null || !broken.isEmpty() || !mayFollow(next)) {
      isStarting = false;
      return null;
    }
    waiting.remove();
    decides(next);
    return next;
  }

  private boolean mayFollow(PendingCommand next) {
    return links.isEmpty()
        || (links.size() < length
            && bytes < BYTES_MAX
            && !next.isAlone()
            && !links.get(links.size() - 1).command.isAlone());
  }

  private void decides(PendingCommand pendingCommand) {
    current = pendingCommand;
    pendingCommand.chain(number);
  }

  /** Whether the command is being decided, and the chain is the one that it was begun under. */
  synchronized boolean isDecided(PendingCommand pendingCommand, long chain) {
    return current == pendingCommand && chain == number;
  }

  /** Whether another host may be asked as well. */
  synchronized boolean mayAskAnother(PendingCommand pendingCommand) {
    return current == pendingCommand && links.isEmpty();
  }

  /**
   * The command that is being decided is given to another host, unless that may not be any more.
   */
  synchronized boolean handOver(PendingCommand pendingCommand, CommandHandlers.Host other) {
    var may = mayAskAnother(pendingCommand);
    if (may) {
      host = other;
    }
    return may;
  }

  /** Whether something was decided here that is not known to be stored. */
  synchronized boolean hasLinks() {
    return !links.isEmpty();
  }

  /**
   * Runs a step of the command that is being decided once all links before it are stored; never if
   * they are not, as it is decided again then.
   *
   * @param chain under which it was asked
   */
  void whenProven(PendingCommand pendingCommand, long chain, Runnable step) {
    synchronized (this) {
      if (!isDecided(pendingCommand, chain)) {
        return;
      }
      if (!links.isEmpty()) {
        onceProven = step;
        return;
      }
    }
    step.run();
  }

  /**
   * A decision goes to the store, as the last link.
   *
   * @param chain under which it was asked
   * @param on what it was decided on
   * @param after the state that it leads to
   * @param size roughly what it takes, in bytes
   */
  synchronized Place propose(
      PendingCommand pendingCommand, long chain, Tip on, Tip after, int size) {
    if (!isDecided(pendingCommand, chain)) {
      return Place.BROKEN;
    }
    if (!links.isEmpty() && !on.equals(tip)) {
      return Place.NOT_YET;
    }
    links.add(new Link(pendingCommand, after, size));
    bytes += size;
    tip = after;
    return Place.LINK;
  }

  /** The append has the link, so the next command may follow. */
  synchronized void sent(PendingCommand pendingCommand, long chain) {
    if (isDecided(pendingCommand, chain)) {
      current = null;
    }
  }

  private int indexOf(PendingCommand pendingCommand) {
    for (var i = 0; i < links.size(); i++) {
      if (links.get(i).command == pendingCommand) {
        return i;
      }
    }
    return -1;
  }

  /**
   * A link is stored.
   *
   * @param now the stream's state then; null if it wrote nothing
   * @return the step that waited for this, to be run once the link's own outcome is told
   */
  synchronized Runnable stored(PendingCommand pendingCommand, @Nullable Tip now) {
    var at = indexOf(pendingCommand);
    if (at >= 0) {
      bytes -= links.remove(at).bytes;
      length = Math.min(LENGTH_MAX, length + 1);
    } else if (broken.remove(pendingCommand) && now != null) {
      // After one before it whose outcome nobody knew.
      tip = now;
    }
    var step = links.isEmpty() ? onceProven : null;
    if (step == null) {
      return () -> {};
    }
    onceProven = null;
    return step;
  }

  /**
   * A link was refused because of the state that it is on: it waits again.
   *
   * @param now the stream's state, as far as it is known; null if not at all
   * @return whether it is the first, so that none before it was refused
   */
  synchronized boolean refused(PendingCommand pendingCommand, @Nullable Tip now) {
    var isFirst = breakAt(pendingCommand, now);
    if (isFirst || broken.remove(pendingCommand)) {
      putBack(pendingCommand);
    }
    return isFirst;
  }

  /**
   * A link came to nothing, and is not decided again.
   *
   * @param on the state that was named to it; null if none was
   */
  synchronized void failed(PendingCommand pendingCommand, @Nullable Tip on) {
    if (!breakAt(pendingCommand, on)) {
      broken.remove(pendingCommand);
    }
  }

  private boolean breakAt(PendingCommand refused, @Nullable Tip now) {
    var at = indexOf(refused);
    if (at < 0) {
      return false;
    }
    var behind = links.subList(at, links.size());
    for (var link : behind) {
      bytes -= link.bytes;
      broken.add(link.command);
    }
    broken.remove(refused);
    behind.clear();
    number++;
    length = 1;
    // Where one found no room behind others, those are on their way still.
    tip = links.isEmpty() ? now : links.get(links.size() - 1).after;
    onceProven = null;
    var decided = current;
    current = null;
    // One that is just being sent is a link too, and has its verdict or will have.
    if (decided != null && decided != refused && !broken.contains(decided)) {
      putBack(decided);
    }
    if (isSnapshotAsked) {
      wantSnapshot();
    }
    return true;
  }

  /** Where it was: those that are put back are older than all that were never started. */
  private void putBack(PendingCommand pendingCommand) {
    var older = new ArrayList<PendingCommand>();
    while (!waiting.isEmpty() && waiting.element().arrival() < pendingCommand.arrival()) {
      older.add(waiting.remove());
    }
    waiting.addFirst(pendingCommand);
    for (var i = older.size() - 1; i >= 0; i--) {
      waiting.addFirst(older.get(i));
    }
  }

  /** A command has its outcome. */
  synchronized void ended(PendingCommand pendingCommand) {
    if (current == pendingCommand) {
      current = null;
      onceProven = null;
    }
  }

  synchronized @Nullable Tip tip() {
    return tip;
  }

  synchronized void tip(@Nullable Tip seen) {
    tip = seen;
  }

  /** Forgets the tip, unless there are links: their verdicts will tell. */
  synchronized void forgetTip() {
    if (links.isEmpty()) {
      tip = null;
    }
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
      askSnapshot();
    }
    return isTurn;
  }

  /** Likewise, for who is told a long history: one that is not kept is not asked for each time. */
  synchronized boolean takeToldTurn(int every) {
    var due = tip == null ? 0 : tip.version() / every;
    var isTurn = due > snapshotsTold;
    if (isTurn) {
      snapshotsTold = due;
      askSnapshot();
    }
    return isTurn;
  }

  private void askSnapshot() {
    rebuildIsDear = false;
    isSnapshotAsked = true;
  }

  /** One came, of a state that is stored. */
  synchronized void hasSnapshot() {
    isSnapshotAsked = false;
  }

  /**
   * The next one should bring a snapshot: the handler took long to rebuild the state, or the one
   * that was asked for is of a state that was not stored.
   */
  synchronized void wantSnapshot() {
    rebuildIsDear = true;
    isSnapshotAsked = false;
  }

  /** Gives the queue up if nothing happened in it for so long. */
  synchronized boolean closeIfIdle(long seconds) {
    var isBusy = current != null || !waiting.isEmpty() || !links.isEmpty() || !broken.isEmpty();
    closed =
        closed || (!isBusy && System.nanoTime() - touchedAt > TimeUnit.SECONDS.toNanos(seconds));
    return closed;
  }
}
