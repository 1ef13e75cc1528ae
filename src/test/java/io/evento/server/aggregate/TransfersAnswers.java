package io.evento.server.aggregate;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.Message.CommandType;
import io.evento.protocol.Message.Component;
import io.evento.protocol.Message.Consider;
import io.evento.protocol.Message.Considered;
import io.evento.protocol.Message.Criterion;
import io.evento.protocol.Message.Failure;
import io.evento.protocol.Message.NewEvent;
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
        "boundary",
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
  Considered honest(Consider ask, NewEvent... events) {
    return ask.criteria().equals(criteria()) ? decided(ask, events) : unread(ask, criteria());
  }

  Considered decided(Consider ask, NewEvent... events) {
    return answer(ask, criteria(), false, List.of(events), null, null);
  }

  Considered rejected(Consider ask) {
    return answer(
        ask, criteria(), false, List.of(), new Rejection("too-poor", "not enough", null), null);
  }

  Considered unread(Consider ask, List<Criterion> restsOn) {
    return answer(ask, restsOn, true, List.of(), null, null);
  }

  Considered failed(Consider ask, ErrorCode code) {
    return answer(
        ask, List.of(), false, List.of(), null, new Failure(code, "as scripted", List.of()));
  }

  Considered answer(
      Consider ask,
      List<Criterion> restsOn,
      boolean unread,
      List<NewEvent> events,
      Rejection rejection,
      Failure why) {
    return new Considered(
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
