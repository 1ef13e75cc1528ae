package io.evento.server.aggregate;

import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Tip;
import io.evento.server.aggregate.HistoryReader.Told;
import io.evento.server.routing.command.CommandHandlers.Host;

/**
 * Tells a handler what leads to the state that its command is to be decided on, within one {@link
 * Decision} and as its steps: from a snapshot if there is one that the handler can use, and in legs
 * if it is long. At the end of a leg the handler tells its state, and the next leg goes on from
 * there.
 *
 * <p>Only at the end of the last leg is anything decided, and a leg counts only if the handler says
 * that it stands where that leg ends.
 */
final class HistoryTelling {
  private final Decision decision;
  private final DecisionContext room;
  private final StreamQueue streamQueue;
  private final String stream;
  private final StreamSnapshots snapshots;
  private boolean mayUseSnapshots = true;

  HistoryTelling(
      Decision decision,
      DecisionContext room,
      StreamQueue streamQueue,
      String stream,
      StreamSnapshots snapshots) {
    this.decision = decision;
    this.room = room;
    this.streamQueue = streamQueue;
    this.stream = stream;
    this.snapshots = snapshots;
  }

  /**
   * The handler does not hold the state.
   *
   * @param wasTold whether it was told the history, and could not use it
   */
  void stale(Host host, boolean wasTold) {
    if (wasTold && !mayUseSnapshots) {
      decision.again(decision::begin);
    } else {
      // One that cannot use the snapshot after all is told everything.
      mayUseSnapshots = !wasTold;
      tell(host);
    }
  }

  private void tell(Host host) {
    room.stale.increment();
    decision.readInTime(
        () -> {
          var schema = snapshots.schema(host);
          if (schema != null && !mayUseSnapshots) {
            // Or it would be in the way of those that are kept while the history is told.
            room.snapshots.forget(stream, schema);
          }
          tell(host, room.historyReader.read(stream, schema, perPart()), false);
        });
  }

  /** What each part of a history has of the command, in characters. */
  private int perPart() {
    var meta = decision.request.meta();
    return 500
        + decision.request.payload().text().length()
        + (meta == null ? 0 : meta.text().length());
  }

  /**
   * @param goesOn whether it begins with the state that the handler told on the way
   */
  private void tell(Host host, Told history, boolean goesOn) {
    if (!history.isPartial() && !goesOn) {
      streamQueue.tip(history.tip());
      var isLong = snapshots.takeTurn(host, history);
      decision.ask(
          host, decision.question(decision.turn(), history.tip(), history.parts(), isLong));
      return;
    }
    // Whoever is asked meanwhile must not take a state on the way for the present one.
    streamQueue.tip(history.isPartial() ? room.reader.tip(stream) : history.tip());
    decision.ask(host, (to, attempt) -> tellLeg(to, attempt, history, goesOn));
  }

  private void tellLeg(Host host, long attempt, Told leg, boolean goesOn) {
    var turn = decision.turn();
    decision.answered(
        host,
        attempt,
        turn,
        decision.send(host, attempt, leg.tip(), leg.parts(), leg.isPartial()),
        said -> legTold(new Decision.Asked(host, attempt, turn, leg.tip()), leg, goesOn, said));
  }

  private void legTold(Decision.Asked asked, Told leg, boolean goesOn, Decided said) {
    if (said.stale() && goesOn) {
      tellAtOnce(asked.host());
    } else if (leg.isPartial() && !said.stale()) {
      goOn(asked.host(), leg.tip(), said);
    } else {
      decision.go(asked, said, true);
    }
  }

  /**
   * The handler stands at a state on the way, and told it: the history goes on from there. It is
   * kept as a snapshot too, so that a history that takes longer than its command may is told to its
   * end by those that come after.
   */
  private void goOn(Host host, Tip tip, Decided said) {
    var state = said.state();
    if (said.failure() != null || state == null || !tip.equals(said.tip())) {
      tellAtOnce(host);
      return;
    }
    snapshots.answered(said);
    snapshots.keep(said);
    decision.readInTime(
        () ->
            room.historyReader
                .readOn(stream, tip, state, perPart())
                .ifPresentOrElse(
                    history -> tell(host, history, true), () -> decision.again(decision::begin)));
  }

  /**
   * The handler told no state on the way that the history could go on from: it is of a release that
   * does not know such histories, its state cannot be kept, or an event cannot be applied. Told all
   * at once it decides, or says why it cannot.
   */
  private void tellAtOnce(Host host) {
    mayUseSnapshots = false;
    decision.read(
        () -> {
          var history = room.historyReader.readAll(stream, perPart());
          if (decision.outcome.failIfExpired()) {
            return;
          }
          if (history.isPartial()) {
            decision.outcome.fail(
                new EventoException(
                    ErrorCode.HANDLER_FAILED,
                    "the history of "
                        + stream
                        + " is too long to be applied at once, and the handler told no state"
                        + " on the way that could be kept"));
          } else {
            tell(host, history, false);
          }
        });
  }
}
