package io.evento.server.aggregate;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.eventstore.read.CriteriaReader;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.command.CommandHandlers.Host;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One command of a boundary on its way: the handler says what the decision rests on, that is read
 * up to a head, the handler decides, and the outcome is appended on the condition that nothing
 * further came after that head.
 *
 * <p>Invariant: an outcome is stored only if it was decided on all events that its criteria match.
 * Why: those up to the head were read; the gate refuses if one came after it. The criteria of the
 * condition are those that the handler itself named with its decision, and they are compared with
 * those that were read: neither a record that rewrites its fields nor another release of the bundle
 * can decide on one set of events and be guarded by another.
 *
 * <p>The order in which commands of one key run here only keeps refusals rare. A refusal is never
 * told: what came between is read, and the command decided again, until its deadline. Rejections
 * are kept under the same condition, as they rest on the same events.
 */
final class BoundaryDecision extends DecisionLoop {
  /** Two releases of a bundle that name other criteria each would send it to and fro. */
  private static final int REREADS_MAX = 10;

  private final BoundaryContext room;
  private final CommandRequest.Boundary boundary;
  private volatile @Nullable DecisionModel asked;
  private int rereads;

  BoundaryDecision(BoundaryContext room, CommandRequest request, CommandRequest.Boundary boundary) {
    super(room.loop, request, boundary.key());
    this.room = room;
    this.boundary = boundary;
  }

  /** Nothing else is decided under its key meanwhile. */
  @Override
  long turn() {
    return 0;
  }

  @Override
  boolean isStillOn(long turn) {
    return true;
  }

  @Override
  boolean mayAskAnother() {
    return true;
  }

  @Override
  public void restart() {
    begin();
  }

  @Override
  Receipt.@Nullable Stream unchanged(Proposal proposal) {
    return null;
  }

  @Override
  void askFirst(Host host) {
    askOn(host, null);
  }

  private void askOn(Host host, @Nullable DecisionModel model) {
    asked = model;
    ask(host, question(model));
  }

  @Override
  Question questionForAnother() {
    return question(asked);
  }

  private Question question(@Nullable DecisionModel model) {
    return (host, attempt) ->
        answered(
            host,
            attempt,
            turn(),
            room.loop
                .commandHandlers()
                .decideBoundary(host, DecisionModel.messages(request, boundary, attempt, model)),
            said -> go(host, attempt, model, said));
  }

  private void go(
      Host host, long attempt, @Nullable DecisionModel model, BoundaryDecided boundaryDecided) {
    if (boundaryDecided.failure() != null) {
      failed(host, boundaryDecided.failure());
    } else if (boundaryDecided.unread()
        || model == null
        || !boundaryDecided.criteria().equals(model.criteria())) {
      if (model != null && rereads++ > REREADS_MAX) {
        outcome.fail(
            new IllegalStateException(request.type() + " rests on other events at each question"));
        return;
      }
      var stream = String.valueOf(boundaryDecided.stream());
      readModel(boundaryDecided.criteria(), new DecideMessage.Aggregate(boundary.name(), stream));
    } else {
      propose(attempt, model, boundaryDecided);
    }
  }

  private void readModel(List<Criterion> criteria, DecideMessage.Aggregate aggregate) {
    if (criteria.isEmpty()) {
      throw new IllegalStateException("a decision that rests on nothing");
    }
    readInTime(
        () -> {
          var found = room.criteria.read(DecisionModel.alternatives(criteria)).orElse(null);
          if (found == null) {
            outcome.fail(
                new EventoException(
                    ErrorCode.HANDLER_FAILED,
                    "a decision of the boundary "
                        + boundary.name()
                        + " rests on at most "
                        + CriteriaReader.EVENTS_MAX
                        + " events of 8 MiB in all; its tags have to be narrower"));
            return;
          }
          // Later than the head, so perhaps newer: then the condition or the tip refuses.
          var tip = room.events.tip(aggregate.stream());
          var events =
              found.events().stream().map(event -> event.readIn(request.context())).toList();
          var model = new DecisionModel(criteria, aggregate, tip, found.at(), events);
          askAHost(host -> askOn(host, model));
        });
  }

  private void propose(long attempt, DecisionModel model, BoundaryDecided boundaryDecided) {
    var proposal =
        new Proposal(
            request,
            attempt,
            model.aggregate(),
            model.tip(),
            boundaryDecided.events(),
            boundaryDecided.value(),
            boundaryDecided.rejection(),
            boundaryDecided.context());
    check(proposal);
    judged(
        proposal,
        room.appendConditions.append(
            proposal.toAppend(model.condition(boundaryDecided.criteria())),
            Duration.ofMillis(request.deadline().millisLeft())),
        new Verdict() {
          /** A queue of boundaries' commands is of a key, and knows no streams. */
          @Override
          public Runnable stored(@Nullable Tip now) {
            return () -> {};
          }

          @Override
          public void notStored() {}

          /** Stale, broken or of another epoch: something came between. */
          @Override
          public void refused(AppendResult result) {
            room.refused.increment();
            again(() -> readModel(model.criteria(), model.aggregate()));
          }
        });
  }
}
