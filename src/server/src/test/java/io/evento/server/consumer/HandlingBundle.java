package io.evento.server.consumer;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Message;
import io.evento.protocol.RecordedEvent;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BiConsumer;

/**
 * A session of a bundle that handles what it is sent, on a thread of its own: gives credit when it
 * gets a segment, drops what an older fence sent, and acknowledges each message.
 */
public final class HandlingBundle extends RecordingBundle implements AutoCloseable {
  private static final int WINDOW = 256;

  private final ConsumerNode node;
  private final BiConsumer<ConsumerMessage.Events, RecordedEvent> handler;
  private final ExecutorService worker = Executors.newSingleThreadExecutor();

  public HandlingBundle(
      ConsumerNode node, UUID instance, BiConsumer<ConsumerMessage.Events, RecordedEvent> handler) {
    super(instance);
    this.node = node;
    this.handler = handler;
  }

  @Override
  public boolean send(Message message, Lane lane) {
    super.send(message, lane);
    if (!worker.isShutdown()) {
      worker.execute(() -> take(message));
    }
    return true;
  }

  private void take(Message message) {
    if (message instanceof ConsumerMessage.Enable enabled) {
      node.consumers.credit(session, credit(enabled, WINDOW));
    } else if (message instanceof ConsumerMessage.Retry retry) {
      retry(retry);
    } else if (message instanceof ConsumerMessage.Events events) {
      events.events().forEach(event -> handler.accept(events, event));
      if (session.endedUnasked()) {
        return;
      }
      node.consumers.ack(session, ack(events));
      if (!events.events().isEmpty()) {
        node.consumers.credit(
            session,
            new ConsumerMessage.Credit(
                events.consumer(),
                events.segment(),
                events.fence(),
                events.events().size(),
                null,
                null));
      }
    }
  }

  private void retry(ConsumerMessage.Retry retry) {
    handler.accept(
        new ConsumerMessage.Events(
            retry.consumer(), retry.segment(), retry.fence(), UUID.randomUUID(), 0, 0, List.of()),
        retry.event());
    if (!session.endedUnasked()) {
      node.consumers.retried(
          session,
          new ConsumerMessage.Retried(
              retry.consumer(), retry.segment(), retry.fence(), retry.letter(), null, false));
    }
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }
}
