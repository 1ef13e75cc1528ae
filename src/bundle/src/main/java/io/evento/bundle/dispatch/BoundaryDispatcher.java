package io.evento.bundle.dispatch;

import io.evento.bundle.dispatch.AggregateType.Decider;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.personal.WithheldFailure;
import io.evento.protocol.Correlation;
import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Rejection;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Answers {@link DecideBoundary}: says what the command's decision rests on, and decides once
 * exactly that was read.
 *
 * <p>The criteria are made here, of the record, and not where the command's JSON is read: a record
 * may change what it is given, such as the case of a name, and the events that it leads to carry
 * what the record says. What was read is compared with them at every question.
 */
final class BoundaryDispatcher {
  private static final Logger LOG = System.getLogger(BoundaryDispatcher.class.getName());

  private final Components components;
  private final PayloadMapper mapper;
  private final Foldings foldings = new Foldings();

  BoundaryDispatcher(Components components) {
    this.components = components;
    this.mapper = components.mapper();
  }

  /** What was folded of the parts so far. */
  private record Folding(int events, @Nullable Object state) {}

  /** Unfinished ones by attempt; one that is forgotten is read again. */
  private static final class Foldings {
    private static final int MAX = 1_000;

    private final Map<Long, Folding> unfinished =
        new LinkedHashMap<>() {
          private static final long serialVersionUID = 1L;

          @Override
          protected boolean removeEldestEntry(Map.Entry<Long, Folding> eldest) {
            return size() > MAX;
          }
        };

    synchronized @Nullable Folding take(long attempt) {
      return unfinished.remove(attempt);
    }

    synchronized void keep(long attempt, Folding folding) {
      unfinished.put(attempt, folding);
    }
  }

  /** Called in order for each key. Every part but the last goes without an answer. */
  void decideBoundary(DecideBoundary ask, Consumer<Message> answer) {
    var type = components.boundary(ask.boundary());
    var decider = type == null ? null : type.decider(ask.type());
    if (type == null || decider == null) {
      var told = "no boundary " + ask.boundary() + " decides " + ask.type() + " here";
      answer.accept(failed(ask, new Failure(ErrorCode.NO_HANDLER, told, List.of())));
      return;
    }
    try {
      var command = decider.payload().readRequest(ask.payload(), null);
      var criteria = type.criteria(decider, command);
      var stream = type.stream(decider, command, criteria, ask.id().toString());
      var work = new Work(ask, type, decider, command, criteria, stream);
      if (!criteria.equals(ask.criteria())) {
        if (!ask.more()) {
          answer.accept(unread(work));
        }
        return;
      }
      var folded = fold(work);
      if (ask.more()) {
        return;
      }
      if (folded == null) {
        answer.accept(unread(work));
      } else {
        work.run(work.command, folded.state(), answer);
      }
    } catch (EventoException refused) {
      answer.accept(
          failed(ask, new Failure(refused.code(), refused.detail(), refused.violations())));
    } catch (Throwable failure) {
      var told = WithheldFailure.tellable(failure, type.rules().isPersonal());
      LOG.log(
          Level.ERROR,
          () ->
              "state not folded boundary="
                  + ask.boundary()
                  + " correlation="
                  + Correlation.of(ask.trace(), ask.id()),
          told);
      answer.accept(failed(ask, Outcome.failure(told)));
    }
  }

  /** Null if a part is missing. */
  private @Nullable Folding fold(Work work) throws Throwable {
    var ask = work.ask;
    var before =
        ask.from() == 0
            ? new Folding(0, work.type.initial(work.decider, work.command))
            : foldings.take(ask.attempt());
    if (before == null || before.events != ask.from()) {
      return null;
    }
    var rules = work.type.rules();
    var state = before.state;
    mapper.prepare(ask.events().stream().map(HistoryEvent::payload).toList());
    for (var event : ask.events()) {
      var applier = rules.eventsByName().get(event.type());
      if (applier == null) {
        throw new EventoException(
            ErrorCode.NO_HANDLER,
            "no @EventSourcingHandler of " + rules.name() + " applies " + event.type());
      }
      state =
          rules.apply(
              applier, state, applier.payload().read(event.payload(), event.payloadVersion()));
    }
    var folding = new Folding(before.events + ask.events().size(), state);
    if (ask.more()) {
      foldings.keep(ask.attempt(), folding);
    }
    return folding;
  }

  private static BoundaryDecided unread(Work work) {
    var ask = work.ask;
    return new BoundaryDecided(
        ask.id(), ask.attempt(), work.criteria, work.stream, true, List.of(), null, null, null);
  }

  static BoundaryDecided failed(DecideBoundary ask, Failure failure) {
    return new BoundaryDecided(
        ask.id(), ask.attempt(), List.of(), null, false, List.of(), null, null, failure);
  }

  /** One command, what it rests on, and the stream that its events go to. */
  private final class Work extends CommandRun<BoundaryDecided> {
    private final DecideBoundary ask;
    private final BoundaryType type;
    private final Decider decider;
    private final Object command;
    private final List<Criterion> criteria;
    private final String stream;

    Work(
        DecideBoundary ask,
        BoundaryType type,
        Decider decider,
        Object command,
        List<Criterion> criteria,
        String stream) {
      super(mapper, type.rules(), decider, new Request(ask.id(), ask.meta(), ask.trace()));
      this.ask = ask;
      this.type = type;
      this.decider = decider;
      this.command = command;
      this.criteria = criteria;
      this.stream = stream;
    }

    @Override
    String aggregateId() {
      return stream;
    }

    @Override
    String absent() {
      return "there is no " + type.name() + " yet";
    }

    @Override
    String present() {
      return "there is a " + type.name() + " already";
    }

    @Override
    BoundaryDecided failed(Failure failure) {
      return BoundaryDispatcher.failed(ask, failure);
    }

    @Override
    BoundaryDecided decided(
        List<NewEvent> events, @Nullable Json value, @Nullable Rejection rejection) {
      return new BoundaryDecided(
          ask.id(), ask.attempt(), criteria, stream, false, events, value, rejection, null);
    }
  }
}
