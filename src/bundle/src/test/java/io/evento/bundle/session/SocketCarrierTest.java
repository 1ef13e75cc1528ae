package io.evento.bundle.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.FrameWriter;
import io.evento.protocol.FrameWriterContract;
import java.lang.reflect.Proxy;
import java.net.http.WebSocket;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

/** A bundle's writer over the WebSocket of the JDK. */
class SocketCarrierTest extends FrameWriterContract {
  SocketCarrierTest() {
    super(link -> new CarrierPort(() -> new SocketCarrier(socket(link)), link::broken));
  }

  /** One that sends text and nothing else. */
  private static WebSocket socket(Link link) {
    return (WebSocket)
        Proxy.newProxyInstance(
            WebSocket.class.getClassLoader(),
            new Class<?>[] {WebSocket.class},
            (self, method, given) -> {
              assertThat(method.getName()).isEqualTo("sendText");
              assertThat(given[1]).as("a frame is one whole message").isEqualTo(true);
              return link.send(given[0].toString()).thenApply(sent -> self);
            });
  }

  @Test
  void nothing_is_sent_before_the_socket_is_there() {
    var failures = new ArrayList<Throwable>();
    var writer = new FrameWriter(new CarrierPort(() -> null, failures::add), 100);
    writer.request("a");
    assertThat(failures)
        .singleElement()
        .isInstanceOfSatisfying(
            IllegalStateException.class, it -> assertThat(it).hasMessage("not connected"));
  }
}
