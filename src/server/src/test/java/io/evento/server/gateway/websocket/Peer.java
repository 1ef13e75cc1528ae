package io.evento.server.gateway.websocket;

import static org.awaitility.Awaitility.await;

import io.evento.protocol.Codec;
import io.evento.protocol.Message;
import io.evento.protocol.ReplyMessage;
import io.evento.protocol.SessionMessage;
import io.evento.server.gateway.WholeNode;
import io.evento.server.security.Caller;
import io.evento.testing.ApiDocument;
import jakarta.websocket.CloseReason;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.SendHandler;
import jakarta.websocket.SendResult;
import jakarta.websocket.Session;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Whoever is at the other end of a node's door for bundles: what it says goes through the codec.
 */
final class Peer {
  private static final ApiDocument DOCUMENT = ApiDocument.asyncApi();
  private static final AtomicInteger NUMBER = new AtomicInteger();

  final List<Message> heard = new CopyOnWriteArrayList<>();
  private final BundleEndpoint endpoint;
  private final Caller caller;
  private final Session session = session();
  private final Map<String, Object> properties = new HashMap<>();
  private final String id = "session-" + NUMBER.incrementAndGet();
  private volatile @Nullable CloseReason closed;

  /** What it does with what it hears. */
  volatile Consumer<Message> script = message -> {};

  private Peer(WholeNode node, Caller caller) {
    this.caller = caller;
    endpoint = node.filled(new BundleEndpoint());
  }

  /** Connects and says nothing. */
  static Peer connect(WholeNode node, Caller caller) {
    var peer = new Peer(node, caller);
    peer.endpoint.open(peer.session);
    return peer;
  }

  /** Connects and introduces itself by the name of its caller. */
  static Peer greet(WholeNode node, Caller caller) {
    var peer = connect(node, caller);
    peer.say(new SessionMessage.Hello(caller.name(), UUID.randomUUID(), "test"));
    await().until(() -> !peer.heard.isEmpty() || peer.closed != null);
    if (!(peer.heard.get(0) instanceof SessionMessage.Welcome)) {
      throw new AssertionError("not welcome: " + peer.heard + " " + peer.closed);
    }
    return peer;
  }

  void say(Message message) {
    say(Codec.write(message));
  }

  void say(String line) {
    if (closed == null) {
      endpoint.receive(line, true, session);
    }
  }

  /** Says it, and waits for what is answered under an id. */
  Message ask(UUID request, Message message) {
    say(message);
    return answer(request);
  }

  Message answer(UUID request) {
    await("an answer to " + request)
        .atMost(Duration.ofSeconds(15))
        .until(() -> heard.stream().anyMatch(told -> isAbout(request, told)));
    return heard.stream().filter(told -> isAbout(request, told)).findFirst().orElseThrow();
  }

  private static boolean isAbout(UUID request, Message told) {
    return (told instanceof ReplyMessage.Result result && result.id().equals(request))
        || (told instanceof ReplyMessage.Fault fault && request.equals(fault.id()));
  }

  <T extends Message> List<T> heard(Class<T> kind) {
    return heard.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  /** How the node ended the session; null while it has not. */
  @Nullable CloseReason closed() {
    return closed;
  }

  /** Leaves, with a reason of its own. */
  void leave(CloseReason reason) {
    endpoint.close(session, reason);
  }

  private Session session() {
    return (Session)
        Proxy.newProxyInstance(
            Session.class.getClassLoader(),
            new Class<?>[] {Session.class},
            (self, method, given) ->
                switch (method.getName()) {
                  case "getUserPrincipal" -> caller();
                  case "getId" -> id();
                  case "getUserProperties" -> properties();
                  case "getAsyncRemote" -> remote();
                  case "close" -> {
                    closed = (CloseReason) given[0];
                    yield null;
                  }
                  case "setMaxTextMessageBufferSize", "setMaxIdleTimeout" -> null;
                  case "hashCode" -> System.identityHashCode(self);
                  case "equals" -> self == given[0];
                  case "toString" -> id();
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  private Caller caller() {
    return caller;
  }

  private String id() {
    return id;
  }

  private Map<String, Object> properties() {
    return properties;
  }

  private RemoteEndpoint.Async remote() {
    return (RemoteEndpoint.Async)
        Proxy.newProxyInstance(
            RemoteEndpoint.Async.class.getClassLoader(),
            new Class<?>[] {RemoteEndpoint.Async.class},
            (self, method, given) -> {
              if (method.getName().equals("sendText")) {
                given[0].toString().lines().forEach(this::hear);
                ((SendHandler) given[1]).onResult(new SendResult());
              }
              return null;
            });
  }

  private void hear(String line) {
    DOCUMENT
        .message(line)
        .ifPresent(
            undocumented -> {
              throw new AssertionError(undocumented + ": " + line);
            });
    var message = Codec.read(line);
    if (message instanceof SessionMessage.Ping ping) {
      say(ping);
      return;
    }
    heard.add(message);
    script.accept(message);
  }
}
