package io.evento.server.gateway.live;

import io.evento.protocol.Codec;
import io.evento.protocol.RecordedEvent;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.SeenPosition;
import io.evento.server.gateway.http.Bodies;
import io.evento.server.routing.Failures;
import io.evento.server.security.Caller;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Live events as server-sent events: each event's id is its position and epoch. A reader that is
 * too slow is cut off by {@link EventFeed#tick}.
 */
final class SseFeed implements FeedSink, SseResponse.Reader {
  private static final int CHARS_PER_EVENT = 400;

  /**
   * What the first and the last event say.
   *
   * @param reason of the end; null at the beginning
   */
  private record Notice(
      @Nullable String reason, @Nullable String detail, long position, UUID epoch) {}

  private final SseResponse response;
  private volatile @Nullable EventFeed feed;

  private SseFeed(SseResponse response) {
    this.response = response;
  }

  static void open(
      EventFeeds feeds, Caller caller, EventFilter filter, SeenPosition after, SseResponse to) {
    feeds
        .place(after)
        .thenAccept(
            from -> {
              var sink = new SseFeed(to);
              var feed = feeds.open(caller, filter, from, sink);
              sink.feed = feed;
              to.begin(
                  from.epoch().toString(),
                  new SseResponse.Reader() {
                    private boolean isBegun;

                    @Override
                    public void ready() {
                      if (!isBegun) {
                        isBegun = true;
                        sink.begin(from);
                      }
                      sink.ready();
                    }

                    @Override
                    public void gone() {
                      sink.gone();
                    }
                  });
            })
        .exceptionally(
            failure -> {
              to.refuse(Failures.told(failure));
              return null;
            });
  }

  private void begin(StorePosition from) {
    var notice = Codec.text(new Notice(null, null, from.position(), from.epoch()));
    response.write(
        Bodies.bytes(
            SseResponse.event(new StringBuilder("retry: 1000\n\n"), "", "begin", notice)
                .toString()));
  }

  @Override
  public void ready() {
    var told = feed;
    if (told != null) {
      told.ring();
    }
  }

  @Override
  public void gone() {
    var told = feed;
    if (told != null) {
      told.close();
    }
  }

  @Override
  public int room() {
    return response.isReady() ? Integer.MAX_VALUE : 0;
  }

  @Override
  public void events(List<RecordedEvent> events, StorePosition upTo) {
    var text = new StringBuilder(events.size() * CHARS_PER_EVENT + 32);
    var last = 0L;
    for (var event : events) {
      last = event.position();
      SseResponse.event(text, upTo.at(last).text(), "", Codec.text(event));
    }
    if (last < upTo.position()) {
      progress(text, upTo);
    }
    response.write(Bodies.bytes(text.toString()));
  }

  @Override
  public void beat(StorePosition upTo) {
    response.write(Bodies.bytes(progress(new StringBuilder(":\n"), upTo).toString()));
  }

  /** An id without data moves where a reader resumes, and is no event to it. */
  private static StringBuilder progress(StringBuilder text, StorePosition upTo) {
    return text.append("id: ").append(upTo.text()).append("\n\n");
  }

  @Override
  public void end(End why, String detail, StorePosition resume) {
    var notice = Codec.text(new Notice(why.wire(), detail, resume.position(), resume.epoch()));
    var text = SseResponse.event(new StringBuilder(), resume.text(), "end", notice);
    if (response.write(Bodies.bytes(text.toString()))) {
      response.end();
    } else {
      response.abort();
    }
  }
}
