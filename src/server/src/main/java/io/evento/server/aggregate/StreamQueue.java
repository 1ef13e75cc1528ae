package io.evento.server.aggregate;

import io.evento.protocol.Tip;
import io.evento.server.routing.command.CommandHandlers;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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
 *       what is not there. They, and the command that is being decided, wait again, in the order of
 *       their arrival and before all others. The tip is what the store said, never that of a link.
 *   <li><b>A break raises the chain's number; what was decided under an older one is thrown
 *       away.</b> Why: a handler may still answer on a state that never was, and its failures are
 *       told without a look at the store.
 *   <li><b>After a break nothing is started before the last link behind it has its own verdict</b>,
 *       and the first goes alone: the length falls to 1 and grows by 1 with each link that is
 *       stored, so it doubles with each chain that holds. Why: if all were decided again at once,
 *       each refusal would cost the store as many calls as the chain is long. A queue that starts
 *       cold, its handler on an old state and 64 commands waiting, would be slower than without
 *       chains.
 *   <li><b>What is told without the store waits until the links before it are stored</b> ({@link
 *       #whenProven}): a handler's failure, and also that it holds another state, as what leads to
 *       this one cannot be read yet. If they are not stored, the command is decided again.
 *   <li><b>The stream changes its host only while there is no link</b>: no other holds that state,
 *       and it cannot be told.
 *   <li><b>A command that wants a version is alone</b>: its version must be the store's.
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

  private final Consumer<PendingCommand> starter;
  private final ArrayDeque<PendingCommand> waiting = new ArrayDeque<>();

  /** Proposed and without a verdict, in order, each on the state after the one before. */
  private final ArrayList<PendingCommand> links = new ArrayList<>();

  /** Links behind one that was refused, which have no verdict of their own yet. */
  private final Set<PendingCommand> broken = new HashSet<>();

  private @Nullable PendingCommand current;
  private @Nullable Runnable onceProven; // of the current one
  private long number;
  private int length = 1;
  private boolean isStarting;
  private boolean closed;
  private long arrivals;
  private @Nullable Tip tip;
  private CommandHandlers.@Nullable Host host;
  private long touchedAt = System.nanoTime();

  /** The tip's version divided by the distance of snapshots, when one was last asked for. */
  private long snapshotsDue;

  private boolean rebuildIsDear;

  /**
   * @param starter decides a command; may be called on whatever thread brought the reason for it,
   *     for one command after the other
   */
  StreamQueue(Consumer<PendingCommand> starter) {
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

  /**
   * Starts what may be started. One thread does at a time, and looks again for the others: so
   * commands that end at once, such as many that are expired, never recurse.
   */
  void startNext() {
    for (var next = firstToStart(); next != null; next = nextToStart()) {
      starter.accept(next);
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
        || (links.size() < length && !next.isAlone() && !links.get(links.size() - 1).isAlone());
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
   */
  synchronized Place propose(PendingCommand pendingCommand, long chain, Tip on, Tip after) {
    if (!isDecided(pendingCommand, chain)) {
      return Place.BROKEN;
    }
    if (!links.isEmpty() && !on.equals(tip)) {
      return Place.NOT_YET;
    }
    links.add(pendingCommand);
    current = null;
    tip = after;
    return Place.LINK;
  }

  /**
   * A link is stored.
   *
   * @param now the stream's state then
   */
  void stored(PendingCommand pendingCommand, Tip now) {
    Runnable step = null;
    synchronized (this) {
      if (links.remove(pendingCommand)) {
        length = Math.min(LENGTH_MAX, length + 1);
      } else if (broken.remove(pendingCommand)) {
        // After one before it whose outcome nobody knew.
        tip = now;
      }
      if (links.isEmpty()) {
        step = onceProven;
        onceProven = null;
      }
    }
    if (step != null) {
      step.run();
    }
  }

  /**
   * A link was refused because of the state that it is on, and has to be decided again.
   *
   * @param now the stream's state; null if the store did not say
   * @return whether it is to be decided now; else it waits, as one before it was refused too
   */
  synchronized boolean refused(PendingCommand pendingCommand, @Nullable Tip now) {
    if (breakAt(pendingCommand, now)) {
      decides(pendingCommand);
      return true;
    }
    if (broken.remove(pendingCommand)) {
      putBack(pendingCommand);
    }
    return false;
  }

  /**
   * A link came to nothing, and is not decided again.
   *
   * @param on what it was decided on
   */
  synchronized void failed(PendingCommand pendingCommand, Tip on) {
    if (!breakAt(pendingCommand, on)) {
      broken.remove(pendingCommand);
    }
  }

  private boolean breakAt(PendingCommand link, @Nullable Tip now) {
    var at = links.indexOf(link);
    if (at < 0) {
      return false;
    }
    var behind = links.subList(at, links.size());
    broken.addAll(behind);
    broken.remove(link);
    behind.clear();
    number++;
    length = 1;
    tip = now;
    onceProven = null;
    var decided = current;
    current = null;
    if (decided != null) {
      putBack(decided);
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
      rebuildIsDear = false;
    }
    return isTurn;
  }

  /**
   * The next one should bring a snapshot: the handler took long to rebuild the state, or the one
   * that was asked for is of a state that was not stored.
   */
  synchronized void wantSnapshot() {
    rebuildIsDear = true;
  }

  /** Gives the queue up if nothing happened in it for so long. */
  synchronized boolean closeIfIdle(long seconds) {
    var isBusy = current != null || !waiting.isEmpty() || !links.isEmpty() || !broken.isEmpty();
    closed =
        closed || (!isBusy && System.nanoTime() - touchedAt > TimeUnit.SECONDS.toNanos(seconds));
    return closed;
  }
}
