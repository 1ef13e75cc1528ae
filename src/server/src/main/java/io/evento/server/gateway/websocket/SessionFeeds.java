package io.evento.server.gateway.websocket;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.ReplyMessage;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.SeenPosition;
import io.evento.server.gateway.http.EventQuery;
import io.evento.server.gateway.live.EventFeed;
import io.evento.server.gateway.live.EventFeeds;
import io.evento.server.gateway.live.FeedSink;
import io.evento.server.routing.Failures;
import io.evento.server.security.Caller;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The live events that one session follows. Over WebSocket nothing but credit holds a sender back,
 * so events are sent only for credit that the session gave.
 */
final class SessionFeeds {
  private static final int FEEDS_MAX = 100;

  private final EventFeeds feeds;
  private final Caller caller;
  private final SessionWriter writer;
  private final Map<UUID, Sink> sinks = new ConcurrentHashMap<>();
  private volatile boolean closed;

  SessionFeeds(EventFeeds feeds, Caller caller, SessionWriter writer) {
    this.feeds = feeds;
    this.caller = caller;
    this.writer = writer;
  }

  void follow(LiveMessage.Follow asked) {
    var filter =
        EventQuery.filter(
                asked.context(),
                asked.type(),
                asked.aggregateType(),
                asked.aggregateId(),
                asked.tag())
            .readBy(caller);
    if (sinks.size() >= FEEDS_MAX) {
      throw new EventoException(
          ErrorCode.OVERLOADED, "this session follows " + FEEDS_MAX + " times already");
    }
    var sink = new Sink(asked.id(), asked.events());
    if (sinks.putIfAbsent(asked.id(), sink) != null) {
      throw EventoException.invalid("/id", "is in use on this session");
    }
    feeds
        .place(new SeenPosition(asked.after(), asked.epoch()))
        .thenAccept(
            from -> {
              sink.begin(feeds.open(caller, filter, from, sink));
              if (closed) {
                close();
              }
            })
        .exceptionally(
            failure -> {
              sinks.remove(asked.id());
              writer.send(
                  ReplyMessage.Fault.of(asked.id(), Failures.told(failure, asked.id().toString())),
                  Lane.ANSWER);
              return null;
            });
  }

  /** Whether the id is of a feed here. */
  boolean more(LiveMessage.More more) {
    var sink = sinks.get(more.id());
    if (sink == null) {
      return false;
    }
    sink.credit.addAndGet(more.events());
    sink.ring();
    return true;
  }

  void cancel(UUID id) {
    var sink = sinks.remove(id);
    if (sink != null) {
      sink.close();
    }
  }

  void close() {
    closed = true;
    List.copyOf(sinks.keySet()).forEach(this::cancel);
  }

  private final class Sink implements FeedSink {
    private final UUID id;
    private final AtomicInteger credit;
    private volatile @Nullable EventFeed feed;
    private boolean over;

    Sink(UUID id, int credit) {
      this.id = id;
      this.credit = new AtomicInteger(credit);
    }

    /** One that was closed while its place was looked for closes what comes of it. */
    synchronized void begin(EventFeed opened) {
      feed = opened;
      if (over) {
        opened.close();
      } else {
        opened.ring();
      }
    }

    void ring() {
      var open = feed;
      if (open != null) {
        open.ring();
      }
    }

    synchronized void close() {
      over = true;
      var open = feed;
      if (open != null) {
        open.close();
      }
    }

    @Override
    public int room() {
      return credit.get();
    }

    @Override
    public void events(List<RecordedEvent> events, StorePosition upTo) {
      credit.addAndGet(-events.size());
      send(events, upTo);
    }

    @Override
    public void beat(StorePosition upTo) {
      send(List.of(), upTo);
    }

    private void send(List<RecordedEvent> events, StorePosition upTo) {
      writer.send(new LiveMessage.Feed(id, upTo.epoch(), upTo.position(), events), Lane.REQUEST);
    }

    @Override
    public void end(End why, String detail, StorePosition resume) {
      sinks.remove(id, this);
      // After the events before it: an answer would overtake them.
      writer.send(
          new LiveMessage.Ended(id, why.wire(), detail, resume.epoch(), resume.position()),
          Lane.REQUEST);
    }
  }
}
