package io.evento.protocol;

import static io.evento.protocol.Checks.listOf;
import static io.evento.protocol.Checks.require;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The question what a domain command leads to, with the history that its decision rests on, and the
 * answer.
 */
public sealed interface DecideMessage extends Message {
  /**
   * N→B: decide a domain command.
   *
   * @param id of the command
   * @param attempt random number of this attempt, as a string; a state that results from it is the
   *     tip {@code version:attempt}
   * @param aggregate type and id
   * @param tip the state to decide on: that of the stream, or the one that your own answer before
   *     led to, which is not stored yet and may never be, so that nothing but the answer may rest
   *     on it; null if the node does not know: decide on what you hold, or answer stale
   * @param history what leads to tip, if the handler was found not to hold it; then tip is not null
   * @param snapshot whether the state decided on is asked for with the answer
   */
  record Decide(
      UUID id,
      String type,
      @JsonFormat(shape = JsonFormat.Shape.STRING) @JsonDeserialize(using = Digits.class)
          long attempt,
      @JsonProperty("agg") Aggregate aggregate,
      @Nullable Tip tip,
      @Nullable History history,
      boolean snapshot,
      int deadline,
      @Nullable String trace,
      @Nullable Json meta,
      @JsonProperty("p") Json payload)
      implements DecideMessage {}

  /** An aggregate's type and id. */
  record Aggregate(String type, String id) {
    public Aggregate {
      Names.checkType("/agg/type", type);
      Names.checkAggregateId("/agg/id", id);
    }

    /** Name of its stream, unique in the store: {@code Account:a-1}. */
    public String stream() {
      return type + ':' + id;
    }
  }

  /**
   * Events that lead to a state. A long history comes in parts, in order, each in a Decide of its
   * own of the same attempt; the handler decides at the last part.
   *
   * @param from version before the first event of this part, 0 for an empty stream
   * @param snapshot state at {@code from}, with the schema it was written in; first part only
   * @param more whether another part follows
   * @param partial whether it ends before the present state, as the rest would be too much at once:
   *     the handler decides nothing, and answers with the state at the last part's end
   */
  record History(
      long from,
      @Nullable Snapshot snapshot,
      List<HistoryEvent> events,
      boolean more,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) boolean partial) {
    public History {
      events = listOf(events);
    }

    /** A part of a history that reaches the present state. */
    public History(
        long from, @Nullable Snapshot snapshot, List<HistoryEvent> events, boolean more) {
      this(from, snapshot, events, more, false);
    }
  }

  /**
   * An event of a history; versions count up from the history's {@code from}.
   *
   * @param payloadVersion of the payload's shape, 1 and up; 1 where it is not said
   * @param context of an event that a boundary reads from another context than its own; else null
   */
  record HistoryEvent(
      String type,
      @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = PayloadVersions.First.class)
          int payloadVersion,
      @Nullable String context,
      @JsonProperty("p") Json payload) {
    public HistoryEvent {
      payloadVersion = PayloadVersions.orFirst("/history/events/payloadVersion", payloadVersion);
    }

    /** Of a stream, or of the boundary's own context. */
    public HistoryEvent(String type, int payloadVersion, Json payload) {
      this(type, payloadVersion, null, payload);
    }

    /** With a payload of the first version. */
    public HistoryEvent(String type, Json payload) {
      this(type, 1, payload);
    }

    /** The same for a boundary of a context, to which events of that one need not name it. */
    public HistoryEvent readIn(String own) {
      return own.equals(context) ? new HistoryEvent(type, payloadVersion, payload) : this;
    }
  }

  /**
   * A state of an aggregate.
   *
   * @param schema of the state; a handler whose own differs cannot use it and is told the whole
   *     history
   */
  record Snapshot(String schema, @JsonProperty("p") Json state) {}

  /**
   * B→N: the answer to {@link Decide}; exactly one of events (perhaps empty: nothing to do),
   * rejection, stale and failure.
   *
   * @param attempt as asked
   * @param tip state that it was decided on; null with stale and failure
   * @param events in order; at most 1,000
   * @param value for the caller, beside the events; or null
   * @param stale the handler does not hold the state: send the history
   * @param state if a snapshot was asked for: the state at {@code tip}
   * @param micros what a rebuild from the history took, 0 if there was none
   * @param context that the deciding session declared for its component; said by the node that has
   *     the session, whatever the bundle says; null where an older node has it
   */
  record Decided(
      UUID id,
      @JsonFormat(shape = JsonFormat.Shape.STRING) @JsonDeserialize(using = Digits.class)
          long attempt,
      @Nullable Tip tip,
      List<NewEvent> events,
      @Nullable Json value,
      @Nullable Rejection rejection,
      boolean stale,
      @Nullable Failure failure,
      @Nullable Snapshot state,
      long micros,
      @Nullable String context)
      implements DecideMessage {
    public Decided {
      require("/id", id);
      events = listOf(events);
      if (!stale && failure == null) {
        require("/tip", tip);
      }
    }

    /** As a bundle answers, which says nothing of the context. */
    public Decided(
        UUID id,
        long attempt,
        @Nullable Tip tip,
        List<NewEvent> events,
        @Nullable Json value,
        @Nullable Rejection rejection,
        boolean stale,
        @Nullable Failure failure,
        @Nullable Snapshot state,
        long micros) {
      this(id, attempt, tip, events, value, rejection, stale, failure, state, micros, null);
    }

    /** The same, decided in a context; null where that is not known. */
    public Decided in(@Nullable String declared) {
      return Objects.equals(context, declared)
          ? this
          : new Decided(
              id, attempt, tip, events, value, rejection, stale, failure, state, micros, declared);
    }
  }

  /**
   * An event as decided; the server gives version, position and time.
   *
   * @param payloadVersion of the payload's shape, 1 and up; 1 where it is not said
   * @param tags by which it can be found, such as {@code course:c-1}; perhaps none
   */
  record NewEvent(
      String type,
      @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = PayloadVersions.First.class)
          int payloadVersion,
      List<String> tags,
      @JsonProperty("p") Json payload) {
    public NewEvent {
      Names.checkType("/events/type", type);
      require("/events/p", payload);
      payloadVersion = PayloadVersions.orFirst("/events/payloadVersion", payloadVersion);
      tags = listOf(tags);
    }

    /** With a payload of the first version. */
    public NewEvent(String type, List<String> tags, Json payload) {
      this(type, 1, tags, payload);
    }
  }

  /**
   * N→B: decide a command of a boundary. Asked first without criteria, upon which the bundle says
   * which events the decision rests on; then with those events, perhaps in parts, in order, each in
   * a message of its own of the same attempt.
   *
   * @param id of the command
   * @param attempt random number of this attempt, as a string
   * @param key commands with the same one are asked one after the other where it can be helped
   * @param criteria that the events were read by; empty if nothing was read yet
   * @param from how many events the parts before this one had
   * @param events in order of their positions
   * @param more whether another part follows
   */
  record DecideBoundary(
      UUID id,
      String type,
      @JsonFormat(shape = JsonFormat.Shape.STRING) @JsonDeserialize(using = Digits.class)
          long attempt,
      String boundary,
      String key,
      List<Criterion> criteria,
      int from,
      List<HistoryEvent> events,
      boolean more,
      int deadline,
      @Nullable String trace,
      @Nullable Json meta,
      @JsonProperty("p") Json payload)
      implements DecideMessage {
    public DecideBoundary {
      require("/id", id);
      criteria = listOf(criteria);
      events = listOf(events);
    }
  }

  /**
   * Events with all these tags and one of these types.
   *
   * @param types empty for any
   * @param tags one or more
   */
  record Criterion(List<String> types, List<String> tags) {
    public Criterion {
      types = listOf(types);
      tags = listOf(tags);
      types.forEach(type -> Names.checkType("/criteria/types", type));
      if (tags.isEmpty()) {
        throw EventoException.invalid("/criteria/tags", "must have one or more");
      }
      tags.forEach(tag -> Names.checkTag("/criteria/tags", tag));
    }
  }

  /**
   * B→N: the answer to {@link DecideBoundary}; exactly one of events (perhaps empty: nothing to
   * do), rejection, unread and failure.
   *
   * @param attempt as asked
   * @param criteria of the events that the decision rests on; at least one, but with failure
   * @param stream id of the stream of this boundary that the events go to; null with failure
   * @param unread the events of these criteria were not given: read them, and ask again
   * @param events in order; at most 1,000
   * @param value for the caller, beside the events; or null
   */
  record BoundaryDecided(
      UUID id,
      @JsonFormat(shape = JsonFormat.Shape.STRING) @JsonDeserialize(using = Digits.class)
          long attempt,
      List<Criterion> criteria,
      @Nullable String stream,
      boolean unread,
      List<NewEvent> events,
      @Nullable Json value,
      @Nullable Rejection rejection,
      @Nullable Failure failure,
      @Nullable String context)
      implements DecideMessage {
    public BoundaryDecided {
      require("/id", id);
      criteria = listOf(criteria);
      events = listOf(events);
      if (failure == null) {
        Names.checkAggregateId("/stream", stream == null ? "" : stream);
        if (criteria.isEmpty() || criteria.size() > 100) {
          throw EventoException.invalid("/criteria", "must be 1 to 100");
        }
      }
    }

    /** As a bundle answers, which says nothing of the context. */
    public BoundaryDecided(
        UUID id,
        long attempt,
        List<Criterion> criteria,
        @Nullable String stream,
        boolean unread,
        List<NewEvent> events,
        @Nullable Json value,
        @Nullable Rejection rejection,
        @Nullable Failure failure) {
      this(id, attempt, criteria, stream, unread, events, value, rejection, failure, null);
    }

    /** The same, decided in a context; null where that is not known. */
    public BoundaryDecided in(@Nullable String declared) {
      return Objects.equals(context, declared)
          ? this
          : new BoundaryDecided(
              id, attempt, criteria, stream, unread, events, value, rejection, failure, declared);
    }
  }

  /** Why a handler had no outcome; nothing is stored, the command may be repeated. */
  record Failure(ErrorCode code, String detail, List<Violation> errors) {
    public Failure {
      require("/failure/code", code);
      detail = detail == null ? "" : Unicode.toWellFormed(detail);
      errors = listOf(errors);
    }
  }
}
