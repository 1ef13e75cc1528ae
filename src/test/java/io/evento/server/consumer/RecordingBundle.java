package io.evento.server.consumer;

import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Message;
import io.evento.protocol.Message.Component;
import io.evento.protocol.Message.Consumption;
import io.evento.protocol.RecordedEvent;
import io.evento.server.routing.BundleSession;
import io.evento.server.routing.Sessions;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One session of a bundle that remembers what it was sent, and answers when a test says so. */
class RecordingBundle implements BundleSession.Door {
  private static final AtomicLong NUMBER = new AtomicLong();

  final BundleSession session;
  private final CopyOnWriteArrayList<Message> heard = new CopyOnWriteArrayList<>();

  RecordingBundle(UUID instance) {
    session = new BundleSession(NUMBER.incrementAndGet(), "bank", instance, this);
  }

  /** Opens the session and declares one projector. */
  RecordingBundle connect(Sessions sessions, Component projector) {
    sessions.add(session);
    sessions.declared(session, List.of(projector));
    return this;
  }

  static Component projector(String name, Consumption consumes) {
    return new Component(
        "projector", name, 1, "bank", List.of(), List.of(), List.of(), consumes, null);
  }

  static Component projector(String name) {
    return projector(name, new Consumption(List.of(), List.of(), "beginning", 0));
  }

  @Override
  public boolean send(Message message, Lane lane) {
    heard.add(message);
    return true;
  }

  List<Message> heard() {
    return List.copyOf(heard);
  }

  <T extends Message> List<T> heard(Class<T> kind) {
    return heard.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  <T extends Message> Optional<T> last(Class<T> kind) {
    var all = heard(kind);
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
  }

  List<RecordedEvent> events() {
    return heard(Message.Events.class).stream().flatMap(e -> e.events().stream()).toList();
  }

  List<Long> positions() {
    return events().stream().map(RecordedEvent::position).toList();
  }

  void forget() {
    heard.clear();
  }

  static Message.Credit credit(Message.Enable enabled, int events) {
    return credit(enabled, events, null, null);
  }

  static Message.Credit credit(
      Message.Enable enabled, int events, @Nullable UUID epoch, @Nullable Long position) {
    return new Message.Credit(
        enabled.consumer(), enabled.segment(), enabled.fence(), events, epoch, position);
  }

  static Message.Ack ack(Message.Events events) {
    return new Message.Ack(
        events.consumer(), events.segment(), events.fence(), events.epoch(), events.upTo());
  }
}
