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

/**
 * A node over a real WebSocket, or over a link in this JVM, that greets as nodes do and beyond that
 * does what a test says.
 */
final class ScriptedNode implements AutoCloseable {
  /** One session. */
  private interface Connection {
    void send(String text);

    void cut();
  }

  private static final ApiDocument DOCUMENT = ApiDocument.asyncApi();

  private final @Nullable Undertow server;
  private final ScriptedDoor door;
  private final ScheduledExecutorService pings = Executors.newSingleThreadScheduledExecutor();
  private final List<Connection> connections = new CopyOnWriteArrayList<>();

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
    this(id, false);
  }

  /**
   * @param isInVm whether bundles come without a socket
   */
  ScriptedNode(String id, boolean isInVm) {
    this.id = id;
    this.members = List.of(member(id));
    door = new ScriptedDoor(id, this::open);
    server = isInVm ? null : server();
    if (isInVm) {
      door.show();
    }
    pings.scheduleAtFixedRate(() -> tell(new Ping()), 500, 500, TimeUnit.MILLISECONDS);
  }

  private Undertow server() {
    WebSocketConnectionCallback opened = (exchange, channel) -> open(channel);
    var socket =
        new WebSocketProtocolHandshakeHandler(
            Set.of(new Hybi13Handshake(Set.of("evento.v1"), false)), opened);
    var made =
        Undertow.builder()
            .addHttpListener(0, "127.0.0.1")
            .setIoThreads(1)
            .setWorkerThreads(2)
            .setHandler(new PathHandler().addExactPath("/evento/bundle", socket))
            .build();
    made.start();
    return made;
  }

  static Member member(String id) {
    return new Member(id, "ws://" + id + "/evento", "up", null);
  }

  String url() {
    if (server == null) {
      return "vm:" + id;
    }
    var address = (InetSocketAddress) server.getListenerInfo().get(0).getAddress();
    return "ws://127.0.0.1:" + address.getPort() + "/evento";
  }

  /** Its door in this JVM, beside the socket that it has. */
  ScriptedDoor door() {
    return door;
  }

  private void open(WebSocketChannel channel) {
    var connection =
        new Connection() {
          @Override
          public void send(String text) {
            WebSockets.sendText(text, channel, null);
          }

          @Override
          public void cut() {
            channel.getIoThread().execute(() -> org.xnio.IoUtils.safeClose(channel));
          }
        };
    connections.add(connection);
    channel.addCloseTask(closed -> connections.remove(connection));
    channel
        .getReceiveSetter()
        .set(
            new AbstractReceiveListener() {
              @Override
              protected void onFullTextMessage(WebSocketChannel from, BufferedTextMessage text) {
                text.getData().lines().forEach(line -> hear(connection, line));
              }
            });
    channel.resumeReceives();
  }

  private ScriptedDoor.Session open(ScriptedDoor.Link link) {
    var connection =
        new Connection() {
          @Override
          public void send(String text) {
            link.send(text);
          }

          @Override
          public void cut() {
            connections.remove(this);
            link.cut();
          }
        };
    connections.add(connection);
    return new ScriptedDoor.Session() {
      @Override
      public void frame(String frame) {
        frame.lines().forEach(line -> hear(connection, line));
      }

      @Override
      public void closed(int code, String reason) {
        connections.remove(connection);
      }
    };
  }

  private void hear(Connection from, String line) {
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
    connections.forEach(connection -> send(connection, message));
  }

  private void send(Connection to, Message message) {
    if (!isSilent) {
      to.send(Codec.write(message));
    }
  }

  int sessions() {
    return connections.size();
  }

  <T extends Message> List<T> received(Class<T> kind) {
    return received.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  /** Cuts every session, as a killed process does. */
  void cut() {
    connections.forEach(
        connection -> {
          try {
            connection.cut();
          } catch (RuntimeException closed) {
            connections.remove(connection);
          }
        });
  }

  @Override
  public void close() {
    pings.shutdownNow();
    door.hide();
    if (server != null) {
      server.stop();
    }
    if (!undocumented.isEmpty()) {
      throw new AssertionError("a bundle said what is not documented: " + undocumented);
    }
  }
}
