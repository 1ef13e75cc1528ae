package io.evento.server.gateway.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.FrameWriterContract;
import io.evento.protocol.SessionMessage;
import io.evento.server.telemetry.Metrics;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.SendHandler;
import jakarta.websocket.SendResult;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A node's writer over the WebSocket of its container. */
class SessionWriterTest extends FrameWriterContract {
  private final Link slow = new Link();
  private final List<String> closed = new ArrayList<>();
  private final Metrics metrics = new Metrics();
  private final SessionWriter session =
      new SessionWriter(
          SessionWriter.Remote.of(remote(slow)), closed::add, new SessionTraffic(metrics));

  SessionWriterTest() {
    super(
        link ->
            new SessionWriter.RemotePort(
                SessionWriter.Remote.of(remote(link)),
                link::broken,
                new SessionTraffic(new Metrics())));
  }

  /** One that sends text and nothing else. */
  private static RemoteEndpoint.Async remote(Link link) {
    return (RemoteEndpoint.Async)
        Proxy.newProxyInstance(
            RemoteEndpoint.Async.class.getClassLoader(),
            new Class<?>[] {RemoteEndpoint.Async.class},
            (self, method, given) -> {
              assertThat(method.getName()).isEqualTo("sendText");
              var handler = (SendHandler) given[1];
              var unused =
                  link.send(given[0].toString())
                      .whenComplete(
                          (sent, failure) ->
                              handler.onResult(
                                  failure == null ? new SendResult() : new SendResult(failure)));
              return null;
            });
  }

  @Test
  void a_session_that_does_not_read_is_closed_by_what_cannot_wait_and_by_no_request() {
    session.send(new SessionMessage.Ping(), Lane.REQUEST);
    while (session.offer(new SessionMessage.Ping())) {
      assertThat(closed).isEmpty();
    }
    assertThat(closed).as("a request is refused").isEmpty();
    while (session.send(new SessionMessage.Ping(), Lane.ANSWER)) {
      assertThat(closed).isEmpty();
    }
    assertThat(closed).containsExactly("reads too slowly");
    assertThat(session.send(new SessionMessage.Ping(), Lane.ANSWER)).isFalse();
    assertThat(metrics.scrape()).contains("evento_sessions_cut_total 1.0");
  }

  @Test
  void a_session_that_takes_no_frame_is_closed_once_and_keeps_what_comes_for_its_end() {
    var broken =
        new SessionWriter(
            frame -> {
              throw new IllegalStateException("the session is closed");
            },
            closed::add,
            new SessionTraffic(metrics));
    assertThat(broken.send(new SessionMessage.Ping(), Lane.ANSWER)).isTrue();
    assertThat(broken.offer(new SessionMessage.Ping())).isTrue();
    assertThat(closed).containsExactly("cannot be written to");
  }
}
