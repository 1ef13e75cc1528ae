package io.evento.server.consumer;

import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Message;
import io.evento.protocol.RecordedEvent;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.Sessions;
import io.evento.server.security.Caller;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One session of a bundle that remembers what it was sent, and answers when a test says so. */
public class RecordingBundle implements BundleSession.Door {
  private static final AtomicLong NUMBER = new AtomicLong();

  public final BundleSession session;
  private final CopyOnWriteArrayList<Message> heard = new CopyOnWriteArrayList<>();

  public RecordingBundle(UUID instance) {
    session =
        new BundleSession(
            NUMBER.incrementAndGet(), "bank", instance, Caller.developer("test"), this);
  }

  /** Opens the session and declares one projector. */
  public RecordingBundle connect(Sessions sessions, Component projector) {
    sessions.add(session);
    sessions.declared(session, List.of(projector));
    return this;
  }

  public static Component projector(String name, Consumption consumes) {
    return new Component(
        ComponentKind.PROJECTOR, name, 1, "bank", List.of(), List.of(), List.of(), consumes, null);
  }

  public static Component projector(String name) {
    return projector(name, new Consumption(List.of(), List.of(), "beginning", 0));
  }

  @Override
  public boolean send(Message message, Lane lane) {
    heard.add(message);
    return true;
  }

  public List<Message> heard() {
    return List.copyOf(heard);
  }

  public <T extends Message> List<T> heard(Class<T> kind) {
    return heard.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  public <T extends Message> Optional<T> last(Class<T> kind) {
    var all = heard(kind);
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
  }

  /** Waits until it was given a segment. */
  public ConsumerMessage.Enable awaitEnabled() {
    await().until(() -> !heard(ConsumerMessage.Enable.class).isEmpty());
    return last(ConsumerMessage.Enable.class).orElseThrow();
  }

  public List<RecordedEvent> events() {
    return heard(ConsumerMessage.Events.class).stream().flatMap(e -> e.events().stream()).toList();
  }

  public List<Long> positions() {
    return events().stream().map(RecordedEvent::position).toList();
  }

  public void forget() {
    heard.clear();
  }

  public static ConsumerMessage.Credit credit(ConsumerMessage.Enable enabled, int events) {
    return credit(enabled, events, null, null);
  }

  public static ConsumerMessage.Credit credit(
      ConsumerMessage.Enable enabled, int events, @Nullable UUID epoch, @Nullable Long position) {
    return new ConsumerMessage.Credit(
        enabled.consumer(), enabled.segment(), enabled.fence(), events, epoch, position);
  }

  public static ConsumerMessage.Ack ack(ConsumerMessage.Events events) {
    return new ConsumerMessage.Ack(
        events.consumer(), events.segment(), events.fence(), events.epoch(), events.upTo());
  }
}
