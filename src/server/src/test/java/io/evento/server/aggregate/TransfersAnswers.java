package io.evento.server.aggregate;

import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.Rejection;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;

/**
 * What scripted handlers of the boundary {@code Transfers} declare and say.
 *
 * @param id of the stream that their events go to
 * @param tag of the events that they rest on, and of their own
 */
@NullUnmarked
record TransfersAnswers(String id, String tag) {
  static Component component() {
    return new Component(
        DeclareMessage.ComponentKind.BOUNDARY,
        "Transfers",
        0,
        "bank",
        List.of(new CommandType("Transfer", "transfer", null)),
        List.of(),
        List.of(),
        null,
        null);
  }

  List<Criterion> criteria() {
    return List.of(new Criterion(List.of("Opened", "Transferred"), List.of(tag)));
  }

  NewEvent transferred() {
    return new NewEvent("Transferred", List.of(tag), Json.EMPTY_OBJECT);
  }

  /** Says first what the decision rests on, and decides once that was read. */
  BoundaryDecided honest(DecideBoundary ask, NewEvent... events) {
    return ask.criteria().equals(criteria()) ? decided(ask, events) : unread(ask, criteria());
  }

  BoundaryDecided decided(DecideBoundary ask, NewEvent... events) {
    return answer(ask, criteria(), false, List.of(events), null, null);
  }

  BoundaryDecided rejected(DecideBoundary ask) {
    return answer(
        ask, criteria(), false, List.of(), new Rejection("too-poor", "not enough", null), null);
  }

  BoundaryDecided unread(DecideBoundary ask, List<Criterion> restsOn) {
    return answer(ask, restsOn, true, List.of(), null, null);
  }

  BoundaryDecided failed(DecideBoundary ask, ErrorCode code) {
    return answer(
        ask, List.of(), false, List.of(), null, new Failure(code, "as scripted", List.of()));
  }

  BoundaryDecided answer(
      DecideBoundary ask,
      List<Criterion> restsOn,
      boolean unread,
      List<NewEvent> events,
      Rejection rejection,
      Failure why) {
    return new BoundaryDecided(
        ask.id(),
        ask.attempt(),
        restsOn,
        why == null ? id : null,
        unread,
        events,
        null,
        rejection,
        why);
  }
}
