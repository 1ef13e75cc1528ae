package io.evento.testkit;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.Boundary;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.payload.PayloadType;
import io.evento.bundle.personal.SubjectErased;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Events as a store would have recorded them, and what else happened, for reports. */
final class Journal {
  static final Instant FIRST_TIME = Instant.parse("2026-01-01T00:00:00Z");

  private final Payloads payloads;
  private final Map<String, Long> versions = new HashMap<>();
  private final List<String> told = new ArrayList<>();
  private long position;

  Journal(Payloads payloads) {
    this.payloads = payloads;
  }

  /**
   * @param aggregate whose stream the event belongs to: its class, or that of a boundary
   * @throws IllegalArgumentException if that is neither
   */
  RecordedEvent record(Class<? extends Record> aggregate, String id, Object event, Instant time) {
    var stream = new RecordedEvent.Stream(PayloadType.nameOf(aggregate), id);
    var named = payloads.write(event);
    tell(stream.type() + " " + id + ": " + Payloads.show(named.type(), named.json()));
    position++;
    var command = new UUID(0, position);
    return new RecordedEvent(
        position,
        stream,
        versions.merge(stream.type() + ":" + id, 1L, Long::sum),
        named.type(),
        named.version(),
        contextOf(aggregate),
        time.toString(),
        command,
        command.toString(),
        null,
        payloads.tags(event),
        Json.EMPTY_OBJECT,
        payloads.stored(named, id));
  }

  /** The event that tells a projector of an erasure, as the cluster stores it. */
  RecordedEvent recordErased(String subject, Instant time) {
    payloads.erase(subject);
    var named = payloads.write(new SubjectErased(subject));
    tell(Payloads.show(named.type(), named.json()));
    position++;
    var command = new UUID(0, position);
    return new RecordedEvent(
        position,
        new RecordedEvent.Stream("Events", command.toString()),
        1,
        named.type(),
        SubjectErased.CONTEXT,
        time.toString(),
        command,
        command.toString(),
        null,
        Json.EMPTY_OBJECT,
        named.json());
  }

  private static String contextOf(Class<?> type) {
    var aggregate = type.getAnnotation(Aggregate.class);
    if (aggregate != null) {
      return aggregate.context();
    }
    var boundary = type.getAnnotation(Boundary.class);
    if (boundary == null) {
      throw new IllegalArgumentException(type.getName() + " is no @Aggregate and no @Boundary");
    }
    return boundary.context();
  }

  void tell(String happened) {
    told.add(happened);
  }

  List<String> told() {
    return told;
  }

  static EventMetadata metadata(RecordedEvent event) {
    return new EventMetadata(
        event.position(),
        event.version(),
        event.aggregate().type(),
        event.aggregate().id(),
        event.type(),
        event.context(),
        event.instant(),
        event.commandId(),
        event.correlationId(),
        event.causationId(),
        Map.of());
  }
}
