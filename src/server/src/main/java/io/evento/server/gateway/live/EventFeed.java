package io.evento.server.gateway.live;

import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.EventBatch;
import io.evento.server.eventstore.follow.Subscription;
import io.evento.server.eventstore.read.EventPage;
import io.evento.server.persistence.UncheckedSqlException;
import io.evento.server.security.Caller;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One live reader: a place in the total order that moves as fast as its sink takes events.
 *
 * <p>It pulls: nothing is taken before the sink has room, and what is taken is handed over at once.
 * So a slow reader holds one chunk at most, whatever comes in meanwhile; it falls out of the ring
 * and goes on from the store. Every event after its start that passes the filter is given once and
 * in order, because a {@link Subscription} gives each once and a page read from the store moves the
 * subscription exactly to where it was read. Its turns run one at a time, on the feeds' threads.
 */
public final class EventFeed {
  private static final Logger LOG = System.getLogger(EventFeed.class.getName());

  private static final int CHUNK_EVENTS = 200;
  private static final int CHUNK_BYTES = 64 << 10;

  private final EventFeeds feeds;
  private final Caller caller;
  private final EventFilter filter;
  private final FeedSink sink;
  private final AtomicInteger asked = new AtomicInteger();

  private volatile boolean closed;
  private volatile FeedSink.@Nullable End ending;
  private volatile boolean isBeatDue;
  private volatile boolean isBlocked;
  private volatile long blockedSince;
  private volatile long saidAt = System.nanoTime();

  // Written by its turns alone, which wait while a page is read.
  private volatile @Nullable Subscription subscription;
  private volatile StorePosition at;
  private volatile boolean isReading;
  private volatile @Nullable EventPage page;

  EventFeed(
      EventFeeds feeds, Caller caller, EventFilter filter, StorePosition from, FeedSink sink) {
    this.feeds = feeds;
    this.caller = caller;
    this.filter = filter;
    this.at = from;
    this.sink = sink;
  }

  Caller caller() {
    return caller;
  }

  /** There may be something to do: events, room, or an end. Never blocks. */
  public void ring() {
    if (asked.getAndIncrement() == 0) {
      feeds.run(this::turn);
    }
  }

  private void turn() {
    var seen = asked.get();
    try {
      advance();
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, "live reader failed", failure);
      close();
    }
    // Others have their turn before this one goes on.
    if (asked.addAndGet(-seen) != 0) {
      feeds.run(this::turn);
    }
  }

  private void advance() {
    while (!closed && !isReading) {
      var room = Math.min(CHUNK_EVENTS, sink.room());
      // Looked at for each piece: who is told of a revocation may be told a moment late.
      var why = feeds.isValid(caller) ? ending : FeedSink.End.REVOKED;
      if (why != null) {
        end(why, "");
        return;
      }
      if (room <= 0) {
        isBlocked = true;
        return;
      }
      isBlocked = false;
      if (!give(room)) {
        return;
      }
    }
  }

  /** Gives what is next; false if there is nothing now. */
  private boolean give(int room) {
    var read = page;
    if (read != null) {
      page = null;
      goTo(at.at(read.upTo()));
      said();
      sink.events(read.events(), at);
      return true;
    }
    if (subscription == null) {
      goTo(at);
    }
    var open = subscription;
    if (open == null) {
      end(FeedSink.End.UNAVAILABLE, "this node does not know the epoch " + at.epoch());
      return false;
    }
    var eventBatch = open.take(room, CHUNK_BYTES);
    if (eventBatch instanceof EventBatch.Events found) {
      return give(found);
    }
    if (eventBatch instanceof EventBatch.Behind) {
      read(room);
      return false;
    }
    var rewound = (EventBatch.Rewound) eventBatch;
    at = rewound.to();
    end(
        FeedSink.End.EPOCH,
        "the store has a new epoch; what was given after position "
            + rewound.to().position()
            + " is void");
    return false;
  }

  private boolean give(EventBatch.Events found) {
    at = found.upTo();
    var wanted = found.events().stream().filter(filter::accepts).toList();
    if (!wanted.isEmpty()) {
      said();
      sink.events(wanted, at);
    }
    if (found.events().isEmpty()) {
      if (isBeatDue) {
        said();
        sink.beat(at);
      }
      return false;
    }
    return true;
  }

  private void goTo(StorePosition place) {
    at = place;
    var before = subscription;
    if (before != null) {
      before.close();
    }
    var next = feeds.follower().subscribe(place, this::ring).orElse(null);
    subscription = next;
    if (closed && next != null) {
      next.close();
    }
  }

  private void said() {
    blockedSince = 0;
    isBeatDue = false;
    saidAt = System.nanoTime();
  }

  /** Reads what left the memory, with the filter where the data is. */
  private void read(int room) {
    isReading = true;
    feeds.read(
        () -> {
          try {
            page = feeds.search().after(at.position(), room, CHUNK_BYTES, filter);
            isReading = false;
            ring();
          } catch (UncheckedSqlException failure) {
            LOG.log(Level.WARNING, () -> "live reader waits cause=" + failure.getMessage());
            readLater();
          }
        },
        this::readLater);
  }

  private void readLater() {
    feeds.later(
        () -> {
          isReading = false;
          ring();
        });
  }

  private void end(FeedSink.End why, String detail) {
    sink.end(why, detail, at);
    close();
  }

  /** Says why, and ends; at its next turn. */
  void end(FeedSink.End why) {
    ending = why;
    ring();
  }

  /** Gives nothing more and is forgotten. Any thread. */
  public void close() {
    closed = true;
    var open = subscription;
    if (open != null) {
      open.close();
    }
    feeds.forget(this);
  }

  /**
   * Looks after it, every second.
   *
   * @return whether it is cut off now
   */
  boolean tick(long now, long stallNanos, long beatNanos) {
    if (!isBlocked || !feeds.hasMoreThan(at)) {
      blockedSince = 0;
    } else if (blockedSince == 0) {
      blockedSince = now;
    } else if (now - blockedSince > stallNanos && ending == null) {
      LOG.log(Level.INFO, () -> "live reader too slow, cut off at=" + at.position());
      end(FeedSink.End.SLOW);
      return true;
    }
    if (now - saidAt > beatNanos) {
      isBeatDue = true;
      ring();
    }
    return false;
  }
}
