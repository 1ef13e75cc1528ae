package io.evento.server.aggregate;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.routing.CommandRequest;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was read for a decision of a boundary.
 *
 * @param criteria that the events were read by
 * @param aggregate whose stream the decision's own events go to
 * @param tip of that stream
 * @param at all events up to here were looked at
 * @param events that meet a criterion, in order of their positions
 */
record DecisionModel(
    List<Criterion> criteria,
    DecideMessage.Aggregate aggregate,
    Tip tip,
    StorePosition at,
    List<HistoryEvent> events) {
  private static final int PART_EVENTS = 500;
  private static final int PART_CHARS = 256 << 10;

  /** The criteria as the store reads and guards by them. */
  static List<Alternative> alternatives(List<Criterion> criteria) {
    return criteria.stream()
        .map(
            criterion ->
                new Alternative(
                    criterion.types().isEmpty() ? null : criterion.types(), criterion.tags()))
        .toList();
  }

  /**
   * That no event came since, which would have been read too.
   *
   * @param named the criteria that the handler named with its decision
   */
  AppendCondition condition(List<Criterion> named) {
    return new AppendCondition(at, alternatives(named));
  }

  /**
   * A command and what was read for it, as a handler is asked: in parts that fit into a frame.
   *
   * @param model null if nothing was read yet
   */
  static List<DecideBoundary> messages(
      CommandRequest request,
      CommandRequest.Boundary boundary,
      long attempt,
      @Nullable DecisionModel model) {
    var common = new Common(request, boundary, attempt, model == null ? List.of() : model.criteria);
    if (model == null || model.events.isEmpty()) {
      return List.of(common.part(0, List.of(), false));
    }
    var events = model.events;
    var parts = new ArrayList<DecideBoundary>();
    var from = 0;
    while (from < events.size()) {
      var to = from;
      var chars = 0;
      while (to < events.size() && to - from < PART_EVENTS && chars < PART_CHARS) {
        chars += events.get(to++).payload().text().length();
      }
      parts.add(common.part(from, events.subList(from, to), to < events.size()));
      from = to;
    }
    return parts;
  }

  /** What all parts of a question have in common. */
  private record Common(
      CommandRequest request,
      CommandRequest.Boundary boundary,
      long attempt,
      List<Criterion> criteria) {
    DecideBoundary part(int from, List<HistoryEvent> events, boolean more) {
      return new DecideBoundary(
          request.id(),
          request.type(),
          attempt,
          boundary.name(),
          boundary.key(),
          criteria,
          from,
          events,
          more,
          Math.max(1, request.deadline().millisLeft()),
          request.trace(),
          request.meta(),
          request.payload());
    }
  }
}
