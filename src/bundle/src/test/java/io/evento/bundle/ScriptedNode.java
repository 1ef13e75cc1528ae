package io.evento.bundle;

import io.evento.protocol.Codec;
import io.evento.protocol.DeclareMessage.Declare;
import io.evento.protocol.Message;
import io.evento.protocol.ReplyMessage.Result;
import io.evento.protocol.SessionMessage.Hello;
import io.evento.protocol.SessionMessage.Member;
import io.evento.protocol.SessionMessage.Ping;
import io.evento.protocol.SessionMessage.Welcome;
import io.evento.testing.ApiDocument;
import io.undertow.Undertow;
import io.undertow.server.handlers.PathHandler;
import io.undertow.websockets.WebSocketConnectionCallback;
import io.undertow.websockets.WebSocketProtocolHandshakeHandler;
import io.undertow.websockets.core.AbstractReceiveListener;
import io.undertow.websockets.core.BufferedTextMessage;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;
import io.undertow.websockets.core.protocol.version13.Hybi13Handshake;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** A node over a real WebSocket that greets as nodes do and beyond that does what a test says. */
final class ScriptedNode implements AutoCloseable {
  private static final ApiDocument DOCUMENT = ApiDocument.asyncApi();

  private final Undertow server;
  private final ScheduledExecutorService pings = Executors.newSingleThreadScheduledExecutor();
  private final List<WebSocketChannel> channels = new CopyOnWriteArrayList<>();

  /** What came in, but for pings. */
  final List<Message> received = new CopyOnWriteArrayList<>();

  /** What bundles said otherwise than the document of the socket says. */
  final List<String> undocumented = new CopyOnWriteArrayList<>();

  volatile String id;
  volatile List<Member> members;
  volatile boolean isSilent;
  volatile @Nullable Message declarationAnswer;
  volatile BiConsumer<ScriptedNode, Message> script = (node, message) -> {};

  ScriptedNode(String id) {
    this.id = id;
    this.members = List.of(member(id));
    WebSocketConnectionCallback opened = (exchange, channel) -> open(channel);
    var socket =
        new WebSocketProtocolHandshakeHandler(
            Set.of(new Hybi13Handshake(Set.of("evento.v1"), false)), opened);
    server =
        Undertow.builder()
            .addHttpListener(0, "127.0.0.1")
            .setIoThreads(1)
            .setWorkerThreads(2)
            .setHandler(new PathHandler().addExactPath("/evento/bundle", socket))
            .build();
    server.start();
    pings.scheduleAtFixedRate(() -> tell(new Ping()), 500, 500, TimeUnit.MILLISECONDS);
  }

  static Member member(String id) {
    return new Member(id, "ws://" + id + "/evento", "up", null);
  }

  String url() {
    var address = (InetSocketAddress) server.getListenerInfo().get(0).getAddress();
    return "ws://127.0.0.1:" + address.getPort() + "/evento";
  }

  private void open(WebSocketChannel channel) {
    channels.add(channel);
    channel.addCloseTask(channels::remove);
    channel
        .getReceiveSetter()
        .set(
            new AbstractReceiveListener() {
              @Override
              protected void onFullTextMessage(WebSocketChannel from, BufferedTextMessage text) {
                text.getData().lines().forEach(line -> hear(from, line));
              }
            });
    channel.resumeReceives();
  }

  private void hear(WebSocketChannel from, String line) {
    DOCUMENT.message(line).ifPresent(undocumented::add);
    var message = Codec.read(line);
    if (message instanceof Ping) {
      return;
    }
    received.add(message);
    if (message instanceof Hello) {
      send(from, new Welcome(id, "test", 1_000, members));
    } else if (message instanceof Declare declare) {
      var answer = declarationAnswer;
      send(from, answer == null ? new Result(declare.id(), null, null) : answer);
    } else {
      script.accept(this, message);
    }
  }

  /** Sends over every session. */
  void tell(Message message) {
    channels.forEach(channel -> send(channel, message));
  }

  private void send(WebSocketChannel to, Message message) {
    if (!isSilent) {
      WebSockets.sendText(Codec.write(message), to, null);
    }
  }

  int sessions() {
    return channels.size();
  }

  <T extends Message> List<T> received(Class<T> kind) {
    return received.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  /** Cuts every session, as a killed process does. */
  void cut() {
    channels.forEach(
        channel -> {
          try {
            channel.getIoThread().execute(() -> org.xnio.IoUtils.safeClose(channel));
          } catch (RuntimeException closed) {
            channels.remove(channel);
          }
        });
  }

  @Override
  public void close() {
    pings.shutdownNow();
    server.stop();
    if (!undocumented.isEmpty()) {
      throw new AssertionError("a bundle said what is not documented: " + undocumented);
    }
  }
}
