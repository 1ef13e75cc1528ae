package io.evento.server.consumer;

import io.evento.bundle.consumer.Consumers;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.Codec;
import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Message;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.security.Caller;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One instance of a bundle with the SDK's own consumers, and a session to each node that it was
 * connected to. Messages go through the codec, each session's in order and on a thread of its own,
 * as over a socket.
 */
public final class SdkBundle implements AutoCloseable {
  private static final AtomicLong NUMBER = new AtomicLong();

  private final UUID instance = UUID.randomUUID();
  private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(1);
  private final List<Connection> connections = new ArrayList<>();
  private final Components components;
  private final Consumers consumers;

  public SdkBundle(Object projector) {
    var mapper = new PayloadMapper();
    components = Components.of(List.of(projector), mapper, false);
    consumers = new Consumers(components.projectors(), mapper, null, clock, Threads.own());
  }

  /** Opens a session to a node. */
  public void connect(ConsumerNode node) {
    var connection = new Connection(node);
    connections.add(connection);
    node.sessions.add(connection.session);
    node.sessions.declared(connection.session, components.declared());
  }

  /** The session is lost, at the node first and then here, as when a socket breaks. */
  public void disconnect(ConsumerNode node) {
    for (var connection : List.copyOf(connections)) {
      if (connection.node == node) {
        connections.remove(connection);
        node.sessions.remove(connection.session);
        connection.inbound.execute(() -> consumers.lost(connection));
      }
    }
  }

  @Override
  public void close() {
    connections.forEach(connection -> connection.inbound.shutdownNow());
    consumers.close();
    clock.shutdownNow();
  }

  private final class Connection implements BundleSession.Door {
    private final ConsumerNode node;
    private final BundleSession session;
    private final ExecutorService inbound = Executors.newSingleThreadExecutor();
    private final ExecutorService outbound = Executors.newSingleThreadExecutor();

    Connection(ConsumerNode node) {
      this.node = node;
      this.session =
          new BundleSession(
              NUMBER.incrementAndGet(), "bank", instance, Caller.developer("test"), this);
    }

    @Override
    public boolean send(Message message, Lane lane) {
      var line = Codec.write(message);
      if (!inbound.isShutdown()) {
        inbound.execute(() -> receive(Codec.read(line)));
      }
      return true;
    }

    private void receive(Message message) {
      if (message instanceof ConsumerMessage.Enable enabled) {
        consumers.enable(enabled, this::answer, this);
      } else if (message instanceof ConsumerMessage.Events events) {
        consumers.events(events);
      } else if (message instanceof ConsumerMessage.Disable disabled) {
        consumers.disable(disabled, this);
      }
    }

    private void answer(Message message) {
      var line = Codec.write(message);
      outbound.execute(() -> said(Codec.read(line)));
    }

    private void said(Message message) {
      if (message instanceof ConsumerMessage.Ack ack) {
        node.consumers.ack(session, ack);
      } else if (message instanceof ConsumerMessage.Credit credit) {
        node.consumers.credit(session, credit);
      } else if (message instanceof ConsumerMessage.Nack nack) {
        node.consumers.nack(session, nack);
      } else if (message instanceof ConsumerMessage.Disable disable) {
        node.consumers.disable(session, disable);
      }
    }
  }
}
