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
public final class Proposals {
  private UUID id = UUID.randomUUID();
  private long hash = 7;
  private long decision = randomDecision();
  private @Nullable String body;
  private @Nullable AppendCondition appendCondition;
  private final List<Basis> bases = new ArrayList<>();
  private final List<ProposedEvent> events = new ArrayList<>();

  private Proposals() {}

  public static Proposals on(String stream, Tip tip) {
    return new Proposals().and(stream, tip);
  }

  public static Proposals ofService() {
    return new Proposals();
  }

  static long randomDecision() {
    return ThreadLocalRandom.current().nextLong(Long.MIN_VALUE, 0);
  }

  public Proposals and(String stream, Tip tip) {
    bases.add(new Basis(stream, tip));
    return this;
  }

  public Proposals id(UUID other) {
    id = other;
    return this;
  }

  public Proposals hash(long other) {
    hash = other;
    return this;
  }

  public Proposals body(@Nullable String text) {
    body = text;
    return this;
  }

  public Proposals when(AppendCondition holds) {
    appendCondition = holds;
    return this;
  }

  public Proposals event(String type, String... tags) {
    return eventOf(0, type, tags);
  }

  public Proposals eventOf(int basis, String type, String... tags) {
    return event(basis, type, "{\"n\":" + events.size() + "}", tags);
  }

  public Proposals event(int basis, String type, String payload, String... tags) {
    events.add(new ProposedEvent(basis, "bank", type, List.of(tags), null, payload));
    return this;
  }

  /** An event whose payload is not of the first version. */
  public Proposals eventOfVersion(int payloadVersion, String type) {
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
