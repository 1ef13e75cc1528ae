package io.evento.server.aggregate;

import io.evento.protocol.Codec;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.Rejection;
import io.evento.protocol.Tip;
import io.evento.server.catalog.Catalog;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.EventMeta;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.PayloadLimits;
import io.evento.server.routing.command.CommandOutcomes;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a handler decided, on its way to the store.
 *
 * @param request the command
 * @param attempt random number of the decision, which names the new state
 * @param aggregate whose stream the events go to
 * @param tip the state of that stream that the decision rests on
 * @param events in order; empty if there was nothing to do, without meaning with a rejection
 * @param value for the caller, beside the events; or null
 * @param rejection by a business rule, or null
 * @param context in which the deciding session declared its component; null where an older node has
 *     that session
 */
record Proposal(
    CommandRequest request,
    long attempt,
    DecideMessage.Aggregate aggregate,
    Tip tip,
    List<NewEvent> events,
    @Nullable Json value,
    @Nullable Rejection rejection,
    @Nullable String context) {
  private static final int EVENTS_MAX = 1_000;

  /**
   * @throws EventoException {@code handler-failed} if there are too many events, or if one has
   *     something personal in the clear; {@code payload-too-large} if one is too large
   */
  void check(int payloadBytesMax, Catalog catalog) {
    if (events.size() > EVENTS_MAX) {
      throw new EventoException(
          ErrorCode.HANDLER_FAILED,
          "a command has at most " + EVENTS_MAX + " events, is " + events.size());
    }
    for (var event : events) {
      PayloadLimits.checkSize(event.payload(), payloadBytesMax);
      try {
        catalog.refusePlainEvent(decidedIn(), event.type(), event.payload());
      } catch (EventoException plain) {
        throw new EventoException(ErrorCode.HANDLER_FAILED, "of an event, " + plain.detail());
      }
    }
  }

  /**
   * As the store takes it: only on the state that it was decided on.
   *
   * @param condition what must not have happened meanwhile either; or null
   */
  AppendRequest toAppend(@Nullable AppendCondition condition) {
    return new AppendRequest(
        request.id(),
        request.hash(),
        attempt,
        kind(),
        body(),
        List.of(new AppendRequest.Basis(aggregate.stream(), tip)),
        rejection == null ? proposed() : List.of(),
        condition);
  }

  /** The context that its events have. */
  private String decidedIn() {
    return context == null ? request.context() : context;
  }

  private List<AppendRequest.ProposedEvent> proposed() {
    var given = request.meta();
    var meta =
        new EventMeta(
                request.correlation(),
                request.cause(),
                request.trace(),
                given == null ? Json.EMPTY_OBJECT : given)
            .text(request.id());
    return events.stream()
        .map(
            event ->
                new AppendRequest.ProposedEvent(
                    0,
                    decidedIn(),
                    event.type(),
                    event.tags(),
                    EventMeta.withPayloadVersion(meta, event.payloadVersion()),
                    event.payload().text()))
        .toList();
  }

  private OutcomeKind kind() {
    if (rejection != null) {
      return OutcomeKind.REJECTED;
    }
    return events.isEmpty() ? OutcomeKind.NOTHING : OutcomeKind.EVENTS;
  }

  private @Nullable String body() {
    if (rejection != null) {
      return Codec.text(rejection);
    }
    if (events.isEmpty()) {
      return Codec.text(new CommandOutcomes.Nothing(tip.version(), value));
    }
    return value == null ? null : value.text();
  }

  /**
   * What the caller is told once the events are stored.
   *
   * @param at position of the first event
   */
  Receipt receipt(StorePosition at) {
    var first = at.position();
    var stored = new ArrayList<Receipt.Stored>();
    for (var event : events) {
      var ordinal = stored.size();
      stored.add(new Receipt.Stored(first + ordinal, tip.version() + ordinal + 1, event.type()));
    }
    return new Receipt(
        request.id(),
        CommandOutcomes.stream(aggregate, tip.version() + stored.size()),
        first + stored.size() - 1,
        at.epoch(),
        stored,
        value,
        false);
  }
}
