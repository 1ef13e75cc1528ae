package io.evento.server.gateway.live;

import io.evento.protocol.Codec;
import io.evento.server.gateway.http.Bodies;
import io.evento.server.security.Caller;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One page's live stream. It is told the newest state alone: a reader that takes little misses what
 * was in between and nothing waits for him; one that takes nothing is cut off.
 */
final class TopicFeed implements SseResponse.Reader {
  /** So often a page hears something, and knows by it how old what it shows is. */
  private static final long BEAT_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** Upon which nothing more is told. */
  static final String REVOKED = "revoked";

  private record End(String reason) {}

  private final TopicFeeds feeds;
  private final Caller caller;
  private final List<String> names;
  private final SseResponse response;
  private final long begunAt = System.nanoTime();

  // Guarded by this.
  private final Map<String, Long> told = new HashMap<>();
  private boolean isBegun;
  private long sequence;
  private long wroteAt = System.nanoTime();
  private boolean isBeatDue;
  private @Nullable String ending;

  TopicFeed(TopicFeeds feeds, Caller caller, List<String> names, SseResponse response) {
    this.feeds = feeds;
    this.caller = caller;
    this.names = List.copyOf(names);
    this.response = response;
  }

  Caller caller() {
    return caller;
  }

  boolean has(String name) {
    return names.contains(name);
  }

  void begin() {
    response.begin(null, this);
  }

  @Override
  public void ready() {
    ring();
  }

  @Override
  public void gone() {
    feeds.forget(this);
  }

  /** Ends the stream with a reason, or at once if its reader takes nothing. */
  void end(String reason) {
    synchronized (this) {
      if (ending == null) {
        ending = reason;
      }
    }
    ring();
  }

  /**
   * Looks whether there is something to do.
   *
   * @param stallNanos how long a reader may take nothing
   */
  void tick(long now, long stallNanos, long ageMaxNanos) {
    boolean isStalled;
    synchronized (this) {
      isBeatDue |= now - wroteAt >= BEAT_NANOS;
      isStalled = now - wroteAt >= stallNanos && !response.isReady();
      if (now - begunAt >= ageMaxNanos && ending == null) {
        ending = "age";
      }
    }
    if (isStalled) {
      response.abort();
    } else {
      ring();
    }
  }

  /** Tells what is new, if there is room to. */
  void ring() {
    String last;
    synchronized (this) {
      if (!response.isReady()) {
        return;
      }
      var text = new StringBuilder();
      if (!isBegun) {
        isBegun = true;
        text.append("retry: 1000\n\n");
      }
      // Looked at for each frame: who is told of a revocation may be told a moment late.
      if (!feeds.isValid(caller)) {
        ending = REVOKED;
      }
      last = ending;
      if (!REVOKED.equals(last)) {
        names.forEach(name -> tell(name, text));
      }
      if (last != null) {
        event(text, "end", Codec.text(new End(last)));
      } else if (isBeatDue && text.isEmpty()) {
        event(text, "beat", "{}");
      }
      if (text.isEmpty()) {
        return;
      }
      isBeatDue = false;
      wroteAt = System.nanoTime();
      if (!response.write(Bodies.bytes(text.toString()))) {
        return;
      }
    }
    if (last != null) {
      response.end();
    }
  }

  private void tell(String name, StringBuilder text) {
    var now = feeds.state(name);
    var before = told.getOrDefault(name, 0L);
    if (now.version() == before) {
      return;
    }
    told.put(name, now.version());
    var isNext = before > 0 && now.version() == before + 1;
    event(
        text,
        isNext ? "patch" : "snapshot",
        "{\"topic\":\"" + name + "\",\"data\":" + (isNext ? now.patch() : now.whole()) + "}");
  }

  private void event(StringBuilder text, String name, String data) {
    SseResponse.event(text, Long.toString(++sequence), name, data);
  }
}
