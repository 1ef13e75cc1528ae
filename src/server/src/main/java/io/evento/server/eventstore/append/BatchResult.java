package io.evento.server.eventstore.append;

import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequest.Basis;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.RecordedEvents;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.append.AppendFunction.Answer;
import io.evento.server.eventstore.append.AppendFunction.Refusal;
import io.evento.server.eventstore.follow.AppendedEvents;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an answer of the store means for each command of its batch.
 *
 * <p>The store numbers accepted events in the order of the batch, those with a condition last, and
 * says only who was refused: the rest is counted here.
 *
 * @param results in the order of the batch
 * @param written the events that were written by this very call
 */
record BatchResult(List<AppendResult> results, AppendedEvents written) {

  /**
   * @param batch in the order of the call, those with a condition last
   * @param settling whether an earlier call of the same batch may have been the one that wrote
   */
  static BatchResult of(Answer answer, List<AppendRequest> batch, boolean settling) {
    var refused = new HashMap<Integer, List<Refusal>>();
    for (var refusal : answer.refused()) {
      refused.computeIfAbsent(refusal.command(), command -> new ArrayList<>()).add(refusal);
    }
    var results = new ArrayList<AppendResult>(batch.size());
    var events = new ArrayList<RecordedEvent>(answer.count());
    var time = RecordedEvents.text(answer.recordedAt());
    for (var i = 0; i < batch.size(); i++) {
      var appendRequest = batch.get(i);
      var refusals = refused.get(i + 1);
      if (refusals != null) {
        results.add(refusal(answer, appendRequest, refusals, settling));
        continue;
      }
      var top = answer.base() + events.size();
      if (appendRequest.kind() == OutcomeKind.EVENTS) {
        results.add(appended(answer, appendRequest, top + 1));
        addEvents(appendRequest, top, time, events);
      } else {
        results.add(
            new AppendResult.Kept(new StorePosition(answer.epoch(), top), answer.recordedAt()));
      }
    }
    return new BatchResult(
        results,
        new AppendedEvents(answer.epoch(), answer.base(), answer.head().position(), events));
  }

  /**
   * The streams of which a link was not stored, though others may have been decided on it already.
   *
   * @param settling as in {@link #of}
   */
  static Set<String> brokenChains(Answer answer, List<AppendRequest> batch, boolean settling) {
    var broken = new HashSet<String>();
    for (var refusal : answer.refused()) {
      var appendRequest = batch.get(refusal.command() - 1);
      if (appendRequest.isLink()
          && !isStored(refusal(answer, appendRequest, List.of(refusal), settling))) {
        broken.add(appendRequest.bases().get(0).stream());
      }
    }
    return broken;
  }

  private static boolean isStored(AppendResult result) {
    return result instanceof AppendResult.Appended || result instanceof AppendResult.Kept;
  }

  private static AppendResult appended(Answer answer, AppendRequest appendRequest, long first) {
    return new AppendResult.Appended(
        new StorePosition(answer.epoch(), first), answer.recordedAt(), tipsAfter(appendRequest));
  }

  private static List<Tip> tipsAfter(AppendRequest appendRequest) {
    var tips = new ArrayList<Tip>(appendRequest.bases().size());
    for (var i = 0; i < appendRequest.bases().size(); i++) {
      tips.add(appendRequest.tipAfter(i));
    }
    return tips;
  }

  private static void addEvents(
      AppendRequest appendRequest, long top, String time, List<RecordedEvent> events) {
    var versions = new long[appendRequest.bases().size()];
    for (var i = 0; i < versions.length; i++) {
      versions[i] = appendRequest.bases().get(i).tip().version();
    }
    var position = top;
    for (var event : appendRequest.events()) {
      position++;
      versions[event.basis()]++;
      events.add(
          RecordedEvents.event(appendRequest, event, position, versions[event.basis()], time));
    }
  }

  private static AppendResult refusal(
      Answer answer, AppendRequest appendRequest, List<Refusal> refusals, boolean settling) {
    var first = refusals.get(0);
    return switch (first.reason()) {
      case "duplicate" -> duplicate(answer, appendRequest, first, settling);
      case "id-reused" -> new AppendResult.IdReused();
      case "version" -> new AppendResult.Stale(refusals.stream().map(BatchResult::now).toList());
      case "condition" ->
          new AppendResult.ConditionBroken(
              new StorePosition(answer.epoch(), required(first.position())));
      case "behind" ->
          new AppendResult.Behind(new StorePosition(answer.epoch(), required(first.position())));
      case "epoch" -> new AppendResult.EpochChanged(answer.epoch());
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
   * the result is what that answer would have said.
   */
  private static AppendResult duplicate(
      Answer answer, AppendRequest appendRequest, Refusal refusal, boolean settling) {
    var kind = OutcomeKind.of(Objects.requireNonNull(refusal.kind()));
    var at = new StorePosition(answer.epoch(), required(refusal.position()));
    if (kind != OutcomeKind.EVENTS) {
      var own =
          settling
              && kind == appendRequest.kind()
              && Objects.equals(refusal.body(), appendRequest.body());
      return own
          ? new AppendResult.Kept(at, refusal.at())
          : new AppendResult.Duplicate(
              kind, refusal.stream(), at, null, refusal.body(), refusal.at());
    }
    var tip = new Tip(required(refusal.version()), required(refusal.tip()));
    // The number is random and this attempt's alone.
    return tip.decision() == appendRequest.decision()
        ? new AppendResult.Appended(at, refusal.at(), tipsAfter(appendRequest))
        : new AppendResult.Duplicate(kind, refusal.stream(), at, tip, refusal.body(), refusal.at());
  }

  private static long required(@Nullable Long value) {
    return Objects.requireNonNull(value);
  }
}
