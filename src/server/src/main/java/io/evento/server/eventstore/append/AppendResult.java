package io.evento.server.eventstore.append;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.StorePosition;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What the store said of a {@link AppendRequest}. Everything in it is durable. */
public sealed interface AppendResult {
  /**
   * The events are stored, at dense positions.
   *
   * @param first position of the first event
   * @param recordedAt by the database's clock, with microseconds
   * @param tips the state of each basis now, in the order of the request's bases
   */
  record Appended(StorePosition first, Instant recordedAt, List<Tip> tips)
      implements AppendResult {}

  /**
   * An outcome without events is kept under the command's id.
   *
   * @param seen head of the store when it became final
   */
  record Kept(StorePosition seen, Instant recordedAt) implements AppendResult {}

  /**
   * The command had an outcome already, which wins over what was proposed now.
   *
   * @param kind of the first outcome
   * @param stream of its first event, or that a kept outcome was decided on; null for a service
   * @param position of its first event, or the head of the store when a kept outcome became final
   * @param first version and decision of its first event; null for a kept outcome
   * @param body as first proposed
   */
  record Duplicate(
      OutcomeKind kind,
      @Nullable String stream,
      StorePosition position,
      @Nullable Tip first,
      @Nullable String body,
      Instant recordedAt)
      implements AppendResult {}

  /** The id belongs to another command, of which nothing is told. Nothing was done. */
  record IdReused() implements AppendResult {}

  /**
   * Somebody else wrote meanwhile. Nothing was done.
   *
   * @param now the stale streams as they are; empty if the store refused by an index alone
   */
  record Stale(List<AppendRequest.Basis> now) implements AppendResult {}

  /** An event broke the condition. Nothing was done. */
  record ConditionBroken(StorePosition by) implements AppendResult {}

  /**
   * The condition begins too far back to be checked while others wait: {@link AppendConditions}
   * checks it before. Nothing was done.
   */
  record Behind(StorePosition head) implements AppendResult {}

  /** The condition speaks of another epoch than the present one. Nothing was done. */
  record EpochChanged(UUID epoch) implements AppendResult {}
}
