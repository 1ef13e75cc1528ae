package io.evento.server.eventstore.follow;

import io.evento.protocol.RecordedEvent;
import java.util.List;
import java.util.TreeMap;

/**
 * What this node knows of the end of the store in one epoch: the newest events, in a ring; pushes
 * that came before the ones they follow; and how far others say that the store goes.
 *
 * <p>The ring is extended only by events that follow its head without a hole. Of a push that
 * repeats something, only the rest is taken. Not thread-safe; {@link Follower} guards it.
 */
final class KnownTail {
  private static final int EVENTS_MAX = 16_384;
  private static final long BYTES_MAX = 32L << 20;
  private static final int EARLY_MAX = 64;

  private final RecentEvents recentEvents = new RecentEvents(EVENTS_MAX, BYTES_MAX);
  // By the position that each of them follows.
  private final TreeMap<Long, Early> early = new TreeMap<>();
  // Highest position that a push told of; above the head while something is missing. A reason to
  // read the store, and no more: it may be a peer's invention, and is forgotten where the store
  // has less.
  private long told;
  // Highest position that a subscriber says to have seen. His word opens a new epoch if the store
  // has less, and is no proof that the store is another.
  private long claimed;
  // Highest position that a push told of without its events, which no push will bring.
  private long announced;
  private long alarmedAt;

  /**
   * @param at when it came, by {@link System#nanoTime}
   */
  private record Early(AppendedEvents push, long at) {}

  /** What a push led to. */
  enum Offered {
    /** Everything in it was known. */
    KNOWN,
    /** Something before it is missing. */
    EARLY,
    /** The head moved. */
    ADDED
  }

  /** Begins anew, in another epoch; the next event is the one after {@code position}. */
  void restart(long position) {
    recentEvents.restart(position);
    early.clear();
    told = 0;
    announced = 0;
    claimed = 0;
    alarmedAt = 0;
  }

  /**
   * Takes a push of this epoch, whoever sent it.
   *
   * @param now by {@link System#nanoTime}
   */
  Offered offer(AppendedEvents push, long now) {
    if (push.head() <= head()) {
      return Offered.KNOWN;
    }
    told = Math.max(told, push.head());
    if (push.base() > head() || push.events().isEmpty()) {
      if (push.events().isEmpty()) {
        announced = Math.max(announced, push.head());
      } else if (early.size() < EARLY_MAX) {
        var before = early.get(push.base());
        early.put(push.base(), new Early(push, before == null ? now : before.at));
      }
      return Offered.EARLY;
    }
    extend(push.base(), push.events());
    return Offered.ADDED;
  }

  /** Adds what is new of events that begin right after {@code base}, and what waited for them. */
  void extend(long base, List<RecordedEvent> events) {
    add(base, events);
    while (!early.isEmpty() && early.firstKey() <= head()) {
      var next = early.pollFirstEntry();
      add(next.getKey(), next.getValue().push.events());
    }
  }

  private void add(long base, List<RecordedEvent> events) {
    for (var i = (int) (head() - base); i < events.size(); i++) {
      recentEvents.add(events.get(i));
    }
  }

  /** Last position whose event this node has seen. */
  long head() {
    return recentEvents.head();
  }

  /** Last position that this node has seen, or a subscriber says to have seen. */
  long seen() {
    return Math.max(head(), claimed);
  }

  /** The same, or what a peer told of, if that is more. */
  long heard() {
    return Math.max(seen(), told);
  }

  /**
   * The store was read after all this was told, and ends here: what peers told of beyond it is not
   * so.
   *
   * @return whether there was such a thing
   */
  boolean disbelieve(long end) {
    if (told <= end) {
      return false;
    }
    told = end;
    announced = Math.min(announced, end);
    early.tailMap(end, true).clear();
    return true;
  }

  /** What a subscriber says to have seen beyond the head; 0 for nothing. */
  long claimed() {
    return claimed > head() ? claimed : 0;
  }

  /**
   * Takes the word of a subscriber for what it has seen, whatever peers tell of.
   *
   * @return whether neither this node nor a subscriber saw as much before
   */
  boolean claim(long position) {
    if (position <= Math.max(head(), claimed)) {
      return false;
    }
    claimed = position;
    return true;
  }

  /** Whether the store should have more than this node, as far as no alarm was given for it. */
  boolean isMissing() {
    var most = Math.max(told, claimed);
    return most > head() && most != alarmedAt;
  }

  /**
   * Since when something is missing before a push that came, by {@link System#nanoTime}.
   *
   * @param otherwise the answer where no push waits
   */
  long missingSince(long otherwise) {
    return early.values().stream()
        .map(Early::at)
        .reduce((one, other) -> one - other < 0 ? one : other)
        .orElse(otherwise);
  }

  /** Whether a push may still bring all that is missing: what follows it came by pushes. */
  boolean isMissingPush() {
    return !early.isEmpty() && early.size() < EARLY_MAX && announced <= head() && claimed <= head();
  }

  /** The store was read, and has less than the position that was heard of. */
  void alarmed(long heard) {
    alarmedAt = heard;
  }

  /** Whether all events after the position, up to the head, are in the ring. */
  boolean holdsAfter(long position) {
    return recentEvents.holdsAfter(position);
  }

  /** As {@link RecentEvents#after}. */
  List<RecordedEvent> after(long position, int eventsMax, long bytesMax) {
    return recentEvents.after(position, eventsMax, bytesMax);
  }
}
