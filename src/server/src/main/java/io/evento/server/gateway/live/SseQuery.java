package io.evento.server.gateway.live;

import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.QueryMessage;
import io.evento.server.consumer.live.LiveQueries;
import io.evento.server.consumer.live.LiveQuery;
import io.evento.server.consumer.live.SubscriptionSink;
import io.evento.server.gateway.http.Bodies;
import io.evento.server.security.Caller;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A subscription query as server-sent events: {@code answer}, then {@code update}s, and another
 * {@code answer} whenever it starts over. The stream begins with the first answer, so that until
 * then a failure is a problem with its status.
 */
final class SseQuery implements SubscriptionSink {
  private record End(String reason, String detail) {}

  private final SseResponse response;
  private final Consumer<EventoException> failures;
  private volatile boolean isBegun;
  private volatile boolean isGone;
  private volatile @Nullable LiveQuery live;

  private SseQuery(SseResponse response, Consumer<EventoException> failures) {
    this.response = response;
    this.failures = failures;
  }

  /**
   * @param failures hears what the subscriber is told of
   */
  static void open(
      LiveQueries queries,
      Caller caller,
      QueryMessage.Query query,
      SseResponse to,
      Consumer<EventoException> failures) {
    var sink = new SseQuery(to, failures);
    try {
      var live = queries.subscribe(caller, query, sink);
      sink.live = live;
      if (sink.isGone) {
        live.close();
      }
      live.ring();
    } catch (EventoException refused) {
      to.refuse(refused);
    }
  }

  private void ring() {
    var query = live;
    if (query != null) {
      query.ring();
    }
  }

  private void gone() {
    isGone = true;
    var query = live;
    if (query != null) {
      query.close();
    }
  }

  /** Before the stream has begun there is room for what begins it. */
  @Override
  public int room() {
    if (!isBegun) {
      begin();
    }
    return response.isReady() ? 1 : 0;
  }

  private void begin() {
    isBegun = true;
    response.begin(
        null,
        new SseResponse.Reader() {
          @Override
          public void ready() {
            ring();
          }

          @Override
          public void gone() {
            SseQuery.this.gone();
          }
        });
  }

  @Override
  public void answer(int attempt, Json view) {
    write(SseResponse.event(new StringBuilder(), "", "answer", view.text()));
  }

  @Override
  public void update(LiveMessage.Update update) {
    var payload = update.payload();
    if (payload != null) {
      write(SseResponse.event(new StringBuilder(), "", "update", payload.text()));
    }
  }

  @Override
  public void beat() {
    write(new StringBuilder(":\n\n"));
  }

  @Override
  public void fail(EventoException told) {
    failures.accept(told);
    if (!isBegun) {
      response.refuse(told);
    } else if (write(new StringBuilder(SseResponse.problem(told)))) {
      response.end();
    } else {
      response.abort();
    }
  }

  @Override
  public void end(String reason, String detail) {
    var notice = Codec.text(new End(reason, detail));
    if (isBegun && write(SseResponse.event(new StringBuilder(), "", "end", notice))) {
      response.end();
    } else {
      response.abort();
    }
  }

  private boolean write(StringBuilder text) {
    return response.write(Bodies.bytes(text.toString()));
  }
}
