package io.evento.server.eventstore;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequest.Basis;
import io.evento.server.eventstore.AppendRequest.ProposedEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Requests as a handler would make them, with a new id and a new decision unless said. */
public final class AppendRequests {
  private UUID id = UUID.randomUUID();
  private long hash = 7;
  private long decision = randomDecision();
  private @Nullable String body;
  private @Nullable AppendCondition appendCondition;
  private final List<Basis> bases = new ArrayList<>();
  private final List<ProposedEvent> events = new ArrayList<>();

  private AppendRequests() {}

  public static AppendRequests on(String stream, Tip tip) {
    return new AppendRequests().and(stream, tip);
  }

  public static AppendRequests ofService() {
    return new AppendRequests();
  }

  static long randomDecision() {
    return ThreadLocalRandom.current().nextLong(Long.MIN_VALUE, 0);
  }

  public AppendRequests and(String stream, Tip tip) {
    bases.add(new Basis(stream, tip));
    return this;
  }

  public AppendRequests id(UUID other) {
    id = other;
    return this;
  }

  public AppendRequests hash(long other) {
    hash = other;
    return this;
  }

  public AppendRequests body(@Nullable String text) {
    body = text;
    return this;
  }

  public AppendRequests when(AppendCondition holds) {
    appendCondition = holds;
    return this;
  }

  public AppendRequests event(String type, String... tags) {
    return eventOf(0, type, tags);
  }

  public AppendRequests eventOf(int basis, String type, String... tags) {
    return event(basis, type, "{\"n\":" + events.size() + "}", tags);
  }

  public AppendRequests event(int basis, String type, String payload, String... tags) {
    events.add(new ProposedEvent(basis, "bank", type, List.of(tags), null, payload));
    return this;
  }

  /** An event whose payload is not of the first version. */
  public AppendRequests eventOfVersion(int payloadVersion, String type) {
    var meta = EventMeta.withPayloadVersion(null, payloadVersion);
    events.add(new ProposedEvent(0, "bank", type, List.of(), meta, "{}"));
    return this;
  }

  public AppendRequest events() {
    return build(OutcomeKind.EVENTS);
  }

  public AppendRequest rejected() {
    return build(OutcomeKind.REJECTED);
  }

  AppendRequest nothing() {
    return build(OutcomeKind.NOTHING);
  }

  public AppendRequest answer() {
    return build(OutcomeKind.ANSWER);
  }

  private AppendRequest build(OutcomeKind kind) {
    return new AppendRequest(id, hash, decision, kind, body, bases, events, appendCondition);
  }
}
