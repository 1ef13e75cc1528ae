package io.evento.server.eventstore;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.Proposal.Basis;
import io.evento.server.eventstore.Proposal.ProposedEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Proposals as a handler would make them, with a new id and a new decision unless said. */
final class Proposals {
  private UUID id = UUID.randomUUID();
  private long hash = 7;
  private long decision = randomDecision();
  private @Nullable String body;
  private @Nullable Condition condition;
  private final List<Basis> bases = new ArrayList<>();
  private final List<ProposedEvent> events = new ArrayList<>();

  private Proposals() {}

  static Proposals on(String stream, Tip tip) {
    return new Proposals().and(stream, tip);
  }

  static Proposals ofService() {
    return new Proposals();
  }

  static long randomDecision() {
    return ThreadLocalRandom.current().nextLong(Long.MIN_VALUE, 0);
  }

  Proposals and(String stream, Tip tip) {
    bases.add(new Basis(stream, tip));
    return this;
  }

  Proposals id(UUID other) {
    id = other;
    return this;
  }

  Proposals hash(long other) {
    hash = other;
    return this;
  }

  Proposals body(@Nullable String text) {
    body = text;
    return this;
  }

  Proposals when(Condition holds) {
    condition = holds;
    return this;
  }

  Proposals event(String type, String... tags) {
    return eventOf(0, type, tags);
  }

  Proposals eventOf(int basis, String type, String... tags) {
    return event(basis, type, "{\"n\":" + events.size() + "}", tags);
  }

  Proposals event(int basis, String type, String payload, String... tags) {
    events.add(new ProposedEvent(basis, "bank", type, List.of(tags), null, payload));
    return this;
  }

  /** An event whose payload is not of the first version. */
  Proposals eventOfVersion(int payloadVersion, String type) {
    var meta = EventMeta.withPayloadVersion(null, payloadVersion);
    events.add(new ProposedEvent(0, "bank", type, List.of(), meta, "{}"));
    return this;
  }

  Proposal events() {
    return build(OutcomeKind.EVENTS);
  }

  Proposal rejected() {
    return build(OutcomeKind.REJECTED);
  }

  Proposal nothing() {
    return build(OutcomeKind.NOTHING);
  }

  Proposal answer() {
    return build(OutcomeKind.ANSWER);
  }

  private Proposal build(OutcomeKind kind) {
    return new Proposal(id, hash, decision, kind, body, bases, events, condition);
  }
}
