package io.evento.server.eventstore;

import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendCall.Answer;
import io.evento.server.eventstore.AppendCall.Refusal;
import io.evento.server.eventstore.Proposal.Basis;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What an answer of the store means for each command of its batch.
 *
 * <p>The store numbers accepted events in the order of the batch, those with a condition last, and
 * says only who was refused: the rest is counted here.
 *
 * @param verdicts in the order of the batch
 * @param fresh what was written by this very call
 */
record Judgement(List<Verdict> verdicts, Fresh fresh) {

  /**
   * @param batch in the order of the call, those with a condition last
   * @param settling whether an earlier call of the same batch may have been the one that wrote
   */
  static Judgement of(Answer answer, List<Proposal> batch, boolean settling) {
    var refused = new HashMap<Integer, List<Refusal>>();
    for (var refusal : answer.refused()) {
      refused.computeIfAbsent(refusal.command(), command -> new ArrayList<>()).add(refusal);
    }
    var verdicts = new ArrayList<Verdict>(batch.size());
    var events = new ArrayList<RecordedEvent>(answer.count());
    var time = RecordedEvents.text(answer.recordedAt());
    for (var i = 0; i < batch.size(); i++) {
      var proposal = batch.get(i);
      var refusals = refused.get(i + 1);
      if (refusals != null) {
        verdicts.add(refusal(answer, proposal, refusals, settling));
        continue;
      }
      // Outcomes without a condition were all written before the first event was counted.
      var top = answer.base() + events.size();
      if (proposal.kind() == OutcomeKind.EVENTS) {
        verdicts.add(appended(answer, proposal, top + 1));
        addEvents(proposal, top, time, events);
      } else {
        var seen = proposal.condition() == null ? answer.base() : top;
        verdicts.add(
            new Verdict.Kept(new StorePosition(answer.epoch(), seen), answer.recordedAt()));
      }
    }
    return new Judgement(
        verdicts, new Fresh(answer.epoch(), answer.base(), answer.head().position(), events));
  }

  private static Verdict appended(Answer answer, Proposal proposal, long first) {
    return new Verdict.Appended(
        new StorePosition(answer.epoch(), first), answer.recordedAt(), tipsAfter(proposal));
  }

  private static List<Tip> tipsAfter(Proposal proposal) {
    var tips = new ArrayList<Tip>(proposal.bases().size());
    for (var i = 0; i < proposal.bases().size(); i++) {
      tips.add(proposal.tipAfter(i));
    }
    return tips;
  }

  private static void addEvents(
      Proposal proposal, long top, String time, List<RecordedEvent> events) {
    var versions = new long[proposal.bases().size()];
    for (var i = 0; i < versions.length; i++) {
      versions[i] = proposal.bases().get(i).tip().version();
    }
    var position = top;
    for (var event : proposal.events()) {
      position++;
      versions[event.basis()]++;
      events.add(RecordedEvents.event(proposal, event, position, versions[event.basis()], time));
    }
  }

  private static Verdict refusal(
      Answer answer, Proposal proposal, List<Refusal> refusals, boolean settling) {
    var first = refusals.get(0);
    return switch (first.reason()) {
      case "duplicate" -> duplicate(answer, proposal, first, settling);
      case "id-reused" -> new Verdict.IdReused();
      case "version" -> new Verdict.Stale(refusals.stream().map(Judgement::now).toList());
      case "condition" ->
          new Verdict.ConditionBroken(
              new StorePosition(answer.epoch(), required(first.position())));
      case "behind" ->
          new Verdict.Behind(new StorePosition(answer.epoch(), required(first.position())));
      case "epoch" -> new Verdict.EpochChanged(answer.epoch());
      default -> throw new IllegalStateException("unknown refusal " + first.reason());
    };
  }

  private static Basis now(Refusal refusal) {
    return new Basis(
        Objects.requireNonNull(refusal.stream()),
        new Tip(required(refusal.version()), required(refusal.tip())));
  }

  /**
   * The first outcome of the id; where it turns out to be this very attempt, whose answer got lost,
   * the verdict is what that answer would have said.
   */
  private static Verdict duplicate(
      Answer answer, Proposal proposal, Refusal refusal, boolean settling) {
    var kind = OutcomeKind.of(Objects.requireNonNull(refusal.kind()));
    var at = new StorePosition(answer.epoch(), required(refusal.position()));
    if (kind != OutcomeKind.EVENTS) {
      var own =
          settling && kind == proposal.kind() && Objects.equals(refusal.body(), proposal.body());
      return own
          ? new Verdict.Kept(at, refusal.at())
          : new Verdict.Duplicate(kind, refusal.stream(), at, null, refusal.body(), refusal.at());
    }
    var tip = new Tip(required(refusal.version()), required(refusal.tip()));
    // The number is random and this attempt's alone.
    return tip.decision() == proposal.decision()
        ? new Verdict.Appended(at, refusal.at(), tipsAfter(proposal))
        : new Verdict.Duplicate(kind, refusal.stream(), at, tip, refusal.body(), refusal.at());
  }

  private static long required(@Nullable Long value) {
    return Objects.requireNonNull(value);
  }
}
