package io.evento.protocol;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One message between a bundle and a node. Its kind, the class name in lower case with a hyphen
 * between words, stands in the field {@code t}.
 *
 * <p>Unknown fields are ignored and absent lists are empty, so either side may be the newer one.
 * Deadlines are milliseconds left when the message was written. {@code B→N} says who may send it.
 */
public sealed interface Message {
  /** Characters of a command's metadata: they are stored with each of its events. */
  int META_CHARS_MAX = 8_192;

  // ---- the session

  /**
   * B→N, first message. One bundle instance may have many sessions, one or more per node.
   *
   * @param bundle name of the bundle
   * @param instance random, one per process, the same on all its sessions
   * @param release of the SDK or of whatever speaks here
   */
  record Hello(String bundle, UUID instance, String release, @Nullable String token)
      implements Message {
    public Hello {
      Names.checkType("/bundle", bundle);
      require("/instance", instance);
      release = release == null ? "" : release;
    }
  }

  /**
   * N→B, the answer to {@link Hello}.
   *
   * @param payloadMax largest payload of one command, query or event, in bytes of UTF-8
   */
  record Welcome(String node, String release, int payloadMax, List<Member> members)
      implements Message {
    public Welcome {
      require("/node", node);
      members = listOf(members);
    }
  }

  /** N→B: the nodes that are alive now; sent at each change. */
  record Members(List<Member> members) implements Message {
    public Members {
      members = listOf(members);
    }
  }

  /**
   * A node of the cluster.
   *
   * @param id its name, the basis of ownership
   * @param url WebSocket address, such as {@code ws://a:8081/evento}
   * @param state {@code joining}, {@code up}, {@code draining}
   */
  record Member(String id, String url, String state) {
    /** Whether this node may own streams. */
    public boolean owns() {
      return "up".equals(state);
    }
  }

  /** Either way: goes out where nothing else was said for a second. Never answered. */
  record Ping() implements Message {}

  /**
   * N→B: this node leaves; open a session elsewhere, send nothing new here. B→N: this instance
   * leaves; give it nothing new.
   */
  record Drain() implements Message {}

  // ---- declarations

  /** B→N: what this session hosts; answered by {@link Result} or {@link Fault} of the same id. */
  record Declare(UUID id, List<Component> components) implements Message {
    public Declare {
      require("/id", id);
      components = listOf(components);
    }
  }

  /**
   * A component as it is declared.
   *
   * @param kind {@code aggregate}, {@code boundary}, {@code service}, {@code projector}, {@code
   *     projection}, {@code observer}, {@code saga} or {@code invoker}
   * @param version of a consumer, 1 and up; 0 for the others
   * @param commands that it handles
   * @param events that an aggregate emits or a consumer handles
   * @param queries that it answers
   * @param consumes for a consumer: what it is given; else null
   * @param projector for a projection: whose read model it reads; else null
   * @param stateSchema for an aggregate: names the shape of its state; snapshots of another one are
   *     of no use to it; else null
   * @param snapshotEvery for an aggregate: how many events apart snapshots are wanted; 0 for the
   *     server's default
   */
  record Component(
      String kind,
      String name,
      int version,
      String context,
      List<CommandType> commands,
      List<EventType> events,
      List<QueryType> queries,
      @Nullable Consumption consumes,
      @Nullable String projector,
      @Nullable String stateSchema,
      int snapshotEvery) {
    public Component {
      if (kind == null
          || !List.of(
                  "aggregate",
                  "boundary",
                  "service",
                  "projector",
                  "projection",
                  "observer",
                  "saga",
                  "invoker")
              .contains(kind)) {
        throw EventoException.invalid("/components/kind", "must be a kind of component");
      }
      Names.checkType("/components/name", name);
      context = context == null ? "default" : Names.checkType("/components/context", context);
      commands = listOf(commands);
      events = listOf(events);
      queries = listOf(queries);
      if (snapshotEvery < 0) {
        throw EventoException.invalid("/components/snapshotEvery", "must be 0 or more");
      }
      if (consumes != null && version < 1) {
        throw EventoException.invalid("/components/version", "must be 1 or more for a consumer");
      }
    }

    /** A component without a state of its own to snapshot. */
    public Component(
        String kind,
        String name,
        int version,
        String context,
        List<CommandType> commands,
        List<EventType> events,
        List<QueryType> queries,
        @Nullable Consumption consumes,
        @Nullable String projector) {
      this(kind, name, version, context, commands, events, queries, consumes, projector, null, 0);
    }
  }

  /**
   * @param idProperty name of the property that holds the aggregate's id, or for a boundary what
   *     commands that may meet have in common; null for a service
   * @param schema JSON Schema of the payload, or null
   * @param retry of a service's command: false if it must not be run again after a run of which
   *     nobody knows how it ended; null for true
   */
  record CommandType(
      String type, @Nullable String idProperty, @Nullable Json schema, @Nullable Boolean retry) {
    public CommandType {
      Names.checkType("/components/commands/type", type);
    }

    public CommandType(String type, @Nullable String idProperty, @Nullable Json schema) {
      this(type, idProperty, schema, null);
    }

    /** Whether it may be run again. */
    public boolean mayRunAgain() {
      return retry == null || retry;
    }
  }

  /**
   * A type of event with its JSON Schema.
   *
   * @param payloadVersion of the schema, 1 and up
   */
  record EventType(
      String type,
      @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = PayloadVersions.First.class)
          int payloadVersion,
      @Nullable Json schema) {
    public EventType {
      Names.checkType("/components/events/type", type);
      payloadVersion = PayloadVersions.orFirst("/components/events/payloadVersion", payloadVersion);
    }

    /** In its first version. */
    public EventType(String type, @Nullable Json schema) {
      this(type, 1, schema);
    }
  }

  /**
   * A type of query with the JSON Schemas of question and answer.
   *
   * @param payloadVersion of the question's schema, 1 and up
   */
  record QueryType(
      String type,
      @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = PayloadVersions.First.class)
          int payloadVersion,
      @Nullable Json schema,
      @Nullable Json view) {
    public QueryType {
      Names.checkType("/components/queries/type", type);
      payloadVersion =
          PayloadVersions.orFirst("/components/queries/payloadVersion", payloadVersion);
    }

    /** In its first version. */
    public QueryType(String type, @Nullable Json schema, @Nullable Json view) {
      this(type, 1, schema, view);
    }
  }

  /**
   * What a consumer is given.
   *
   * @param contexts events of these; empty for all
   * @param types events of these; empty for all
   * @param start where a new consumer begins: {@code beginning} or {@code end}
   * @param segments how many, when the consumer is new; 0 for the server's default
   * @param associations for a saga: by type of event the JSON pointer (RFC 6901) to the value that
   *     is its sequence key, or an empty text for the aggregate's id; else empty
   */
  record Consumption(
      List<String> contexts,
      List<String> types,
      String start,
      int segments,
      Map<String, String> associations) {
    public Consumption {
      contexts = listOf(contexts);
      associations = associations == null ? Map.of() : Map.copyOf(associations);
      for (var pointer : associations.values()) {
        if (!pointer.isEmpty() && !pointer.startsWith("/")) {
          throw EventoException.invalid(
              "/components/consumes/associations", "must be JSON pointers, which begin with /");
        }
      }
      types = listOf(types);
      start = start == null ? "beginning" : start;
      if (!start.equals("beginning") && !start.equals("end")) {
        throw EventoException.invalid("/components/consumes/start", "must be beginning or end");
      }
      if (segments < 0 || segments > 128) {
        throw EventoException.invalid("/components/consumes/segments", "must be 0 to 128");
      }
    }

    /** Of a consumer whose sequence key is the stream. */
    public Consumption(List<String> contexts, List<String> types, String start, int segments) {
      this(contexts, types, start, segments, Map.of());
    }
  }

  // ---- requests and answers

  /**
   * B→N: send this command. N→B, for a service's command: run it; answered by {@link Result} or
   * {@link Fault} of the same id.
   *
   * @param id made by the caller, the same in every repeat
   * @param ifVersion only at this version of the aggregate, else {@code conflict}
   * @param deadline milliseconds left
   * @param trace a W3C traceparent
   * @param correlation of the flow that this belongs to; null for the trace's id, or without a
   *     trace for the command's own
   * @param cause id of the message that led to this one, or null
   * @param meta JSON object, stored with the events
   * @param payload a JSON object
   */
  record Command(
      UUID id,
      String type,
      @Nullable Long ifVersion,
      int deadline,
      @Nullable String trace,
      @Nullable String correlation,
      @Nullable String cause,
      @Nullable Json meta,
      @JsonProperty("p") Json payload)
      implements Message {
    public Command {
      require("/id", id);
      Names.checkType("/type", type);
      require("/p", payload);
      checkDeadline(deadline);
      if (ifVersion != null && ifVersion < 0) {
        throw EventoException.invalid("/ifVersion", "must be 0 or more");
      }
      checkFlow("/trace", trace);
      checkFlow("/correlation", correlation);
      checkFlow("/cause", cause);
      checkMeta(meta);
    }

    /** A command that starts a flow of its own. */
    public Command(
        UUID id,
        String type,
        @Nullable Long ifVersion,
        int deadline,
        @Nullable String trace,
        @Nullable Json meta,
        Json payload) {
      this(id, type, ifVersion, deadline, trace, null, null, meta, payload);
    }
  }

  /**
   * Either way: answer this query; answered by {@link Result} or {@link Fault} of the same id.
   *
   * @param id made by the asking side, once per question
   * @param payloadVersion of the payload's shape, 1 and up; 1 where it is not said
   * @param after the answer has to rest on everything up to here; null for what it rests on now
   * @param gather whom to ask, for one answer of several; null for one answerer
   * @param progress N→B: the consumer whose checkpoints the answer has to name, so that it is a
   *     {@link View}; else null
   */
  record Query(
      UUID id,
      String type,
      @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = PayloadVersions.First.class)
          int payloadVersion,
      int deadline,
      @Nullable String trace,
      @JsonProperty("p") Json payload,
      @Nullable After after,
      @Nullable Gather gather,
      @Nullable String progress)
      implements Message {
    public Query {
      require("/id", id);
      Names.checkType("/type", type);
      payloadVersion = PayloadVersions.orFirst("/payloadVersion", payloadVersion);
      require("/p", payload);
      checkFlow("/trace", trace);
      checkDeadline(deadline);
    }

    /** A question in its first version to whoever answers first, on what is known there. */
    public Query(UUID id, String type, int deadline, @Nullable String trace, Json payload) {
      this(id, type, 1, deadline, trace, payload, null, null, null);
    }

    /** The same for one answerer, who need not know what its node waited for. */
    public Query toOne(int millisLeft) {
      return new Query(id, type, payloadVersion, millisLeft, trace, payload, null, null, progress);
    }

    /** The same under an id of its own, for one of several answerers. */
    public Query copy(UUID ofCopy, int millisLeft) {
      return new Query(ofCopy, type, payloadVersion, millisLeft, trace, payload, null, null, null);
    }

    /** The same under an id of its own, whose answer names the consumer's checkpoints. */
    public Query withProgress(UUID ofCopy, String consumer, int millisLeft) {
      return new Query(
          ofCopy, type, payloadVersion, millisLeft, trace, payload, null, null, consumer);
    }
  }

  /**
   * What an answer has to rest on.
   *
   * @param epoch that the position was seen in; null for the present one
   * @param stream the only one that matters; null if all do
   */
  record After(
      long position, @Nullable UUID epoch, @Nullable @JsonProperty("agg") Aggregate stream) {
    public After {
      if (position < 0) {
        throw EventoException.invalid("/after/position", "must be 0 or more");
      }
    }

    /** A position of the present epoch. */
    public After(long position, @Nullable Aggregate stream) {
      this(position, null, stream);
    }
  }

  /** Whom to ask at once. */
  enum Gather {
    /** Every instance that answers the type. */
    @JsonProperty("instances")
    INSTANCES,
    /** One instance of each version of the projector. */
    @JsonProperty("versions")
    VERSIONS
  }

  /**
   * N→B: decide a domain command.
   *
   * @param id of the command
   * @param attempt random number of this attempt, as a string; a state that results from it is the
   *     tip {@code version:attempt}
   * @param aggregate type and id
   * @param tip the state that the stream is known to have; null if the node does not know: decide
   *     on what you hold, or answer stale
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
      implements Message {}

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
   */
  record HistoryEvent(
      String type,
      @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = PayloadVersions.First.class)
          int payloadVersion,
      @JsonProperty("p") Json payload) {
    public HistoryEvent {
      payloadVersion = PayloadVersions.orFirst("/history/events/payloadVersion", payloadVersion);
    }

    /** With a payload of the first version. */
    public HistoryEvent(String type, Json payload) {
      this(type, 1, payload);
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
      implements Message {
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
      implements Message {
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
      implements Message {
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

  /**
   * Either way: the answer to a command, query or declaration.
   *
   * @param receipt of a command; else null
   * @param payload view of a query or a service's value; else null
   */
  record Result(UUID id, @Nullable Receipt receipt, @JsonProperty("p") @Nullable Json payload)
      implements Message {
    public Result {
      require("/id", id);
    }
  }

  /**
   * Either way: a request failed, or a message could not be read. On the wire its kind is {@code
   * error}.
   *
   * @param id of the request, null if it could not be read
   * @param retryAfter milliseconds to wait before the next try, 0 if unsaid
   */
  record Fault(
      @Nullable UUID id,
      ErrorCode code,
      String detail,
      List<Violation> errors,
      @Nullable Rejection rejection,
      @Nullable String correlation,
      int retryAfter)
      implements Message {
    public Fault {
      require("/code", code);
      detail = detail == null ? "" : Unicode.toWellFormed(detail);
      errors = listOf(errors);
    }

    public static Fault of(@Nullable UUID id, EventoException told) {
      return new Fault(
          id,
          told.code(),
          told.detail(),
          told.violations(),
          told.rejection(),
          told.correlation(),
          0);
    }

    public EventoException toException(@Nullable UUID commandId) {
      return new EventoException(code, detail, errors, rejection, commandId, correlation);
    }
  }

  /** Either way: nobody waits for this request any more. */
  record Cancel(UUID id) implements Message {
    public Cancel {
      require("/id", id);
    }
  }

  // ---- commands for later

  /**
   * B→N: send this command later; answered by {@link Result} of the same id, with what is scheduled
   * as its payload, or by {@link Fault}. A repeat under the same id changes nothing.
   *
   * @param id of the command
   * @param after milliseconds from now by the database's clock; null if {@code at} is said
   * @param at RFC 3339 by the database's clock; null if {@code after} is said
   * @param trace a W3C traceparent
   * @param correlation of the flow that this belongs to; null for the command's own
   * @param cause id of the message that led to this one, or null
   * @param meta JSON object, stored with the events
   * @param payload a JSON object
   */
  record Schedule(
      UUID id,
      String type,
      @Nullable Long after,
      @Nullable String at,
      @Nullable String trace,
      @Nullable String correlation,
      @Nullable String cause,
      @Nullable Json meta,
      @JsonProperty("p") Json payload)
      implements Message {
    /** A hundred years. */
    private static final long AFTER_MAX = 3_155_760_000_000L;

    public Schedule {
      require("/id", id);
      Names.checkType("/type", type);
      require("/p", payload);
      if ((after == null) == (at == null)) {
        throw EventoException.invalid("/at", "or /after is required, and not both");
      }
      if (after != null && (after < 0 || after > AFTER_MAX)) {
        throw EventoException.invalid("/after", "must be 0 to " + AFTER_MAX + " ms, is " + after);
      }
      checkFlow("/correlation", correlation);
      checkFlow("/cause", cause);
      checkFlow("/trace", trace);
      checkMeta(meta);
    }
  }

  /**
   * B→N: take a scheduled command back; answered by {@link Result}, or by {@link Fault} of the same
   * id: {@code not-found} if none waits, {@code conflict} while it is being sent.
   */
  record Unschedule(UUID id, UUID command) implements Message {
    public Unschedule {
      require("/id", id);
      require("/command", command);
    }
  }

  /**
   * B→N: tell what is scheduled, the first due first; answered by {@link Result} with {@code
   * schedules} and {@code next} in its payload.
   *
   * @param type only commands of this one; null for all
   * @param after the last answer's {@code next}; null for the first page
   * @param limit 1 to 1,000
   */
  record Schedules(UUID id, @Nullable String type, @Nullable UUID after, int limit)
      implements Message {
    public Schedules {
      require("/id", id);
      if (limit < 1 || limit > 1_000) {
        throw EventoException.invalid("/limit", "must be 1 to 1,000, is " + limit);
      }
    }
  }

  // ---- consumers

  /**
   * N→B: you have this segment. The bundle answers with a {@link Credit}, which starts delivery.
   *
   * @param consumer its name and version: {@code accounts:1}
   * @param fence grows with every owner; what names a lower one than the last heard is void
   * @param position everything up to here was acknowledged to the server
   * @param epoch that position belongs to
   * @param resetFence the fence from which on an operator has put the segment there; 0 for never. A
   *     bundle's own checkpoint that was last claimed under a lower one has to follow, forwards or
   *     backwards
   */
  record Enable(
      String consumer,
      int segment,
      int firstSlot,
      int lastSlot,
      long fence,
      UUID epoch,
      long position,
      long resetFence)
      implements Message {

    /** A segment that goes on where it stands. */
    public Enable(
        String consumer,
        int segment,
        int firstSlot,
        int lastSlot,
        long fence,
        UUID epoch,
        long position) {
      this(consumer, segment, firstSlot, lastSlot, fence, epoch, position, 0);
    }
  }

  /** N→B: you no longer have this segment. B→N: this instance gives it up. */
  record Disable(String consumer, int segment, long fence) implements Message {}

  /**
   * B→N: send this many more events of the segment.
   *
   * @param position in the first credit after {@link Enable}: where the bundle's own checkpoint
   *     stands, in {@code epoch}, if it keeps one; else null
   */
  record Credit(
      String consumer,
      int segment,
      long fence,
      int events,
      @Nullable UUID epoch,
      @Nullable Long position)
      implements Message {
    public Credit {
      require("/consumer", consumer);
      if (events < 0) {
        throw EventoException.invalid("/events", "must be 0 or more");
      }
    }
  }

  /**
   * N→B: the next events of a segment, in order.
   *
   * @param from position after which they were looked for: that of the last message's {@code upTo}
   * @param upTo last position looked at; without events the segment just moves on
   */
  record Events(
      String consumer,
      int segment,
      long fence,
      UUID epoch,
      long from,
      long upTo,
      List<RecordedEvent> events)
      implements Message {
    public Events {
      events = listOf(events);
    }
  }

  /**
   * N→B, to a saga or observer: what happened, in order per key. The next of a segment comes only
   * after this one was answered by {@link Stepped}.
   *
   * @param batch number of this message under its fence
   * @param states of the sagas that live under the keys named here
   */
  record Steps(
      String consumer,
      int segment,
      long fence,
      long batch,
      List<Stepping.State> states,
      List<Stepping.Input> inputs)
      implements Message {
    public Steps {
      states = listOf(states);
      inputs = listOf(inputs);
    }
  }

  /**
   * B→N: what was decided about the first so many inputs, one result each, in their order. What is
   * left out comes again, until it has failed often enough to be a dead letter.
   *
   * @param failure why the next one could not be decided; null if it was not tried. With a code
   *     that passes by itself it is waited out however long it takes
   */
  record Stepped(
      String consumer,
      int segment,
      long fence,
      long batch,
      List<Stepping.Result> results,
      @Nullable Failure failure)
      implements Message {
    public Stepped {
      require("/consumer", consumer);
      results = listOf(results);
    }
  }

  /** B→N: everything up to this position of the segment is done. */
  record Ack(String consumer, int segment, long fence, UUID epoch, long position)
      implements Message {
    public Ack {
      require("/consumer", consumer);
      require("/epoch", epoch);
    }
  }

  /**
   * B→N: the event at this position failed; the segment waits.
   *
   * @param attempt how often it failed by now, 1 and up; 0 where its handler is not to blame
   * @param park whether the bundle gives it up: it waits for {@link Parked} and does not try it
   *     again. Else the bundle tries again by itself
   */
  record Nack(
      String consumer,
      int segment,
      long fence,
      long position,
      int attempt,
      String detail,
      boolean park)
      implements Message {
    public Nack {
      require("/consumer", consumer);
      detail = detail == null ? "" : Unicode.toWellFormed(detail);
    }

    /** An event that is tried again. */
    public Nack(
        String consumer, int segment, long fence, long position, int attempt, String detail) {
      this(consumer, segment, fence, position, attempt, detail, false);
    }
  }

  /**
   * N→B: the events at these positions are dead letters now, the one that failed and those of its
   * key that were sent after it. The bundle passes over them, in its own checkpoint too.
   */
  record Parked(String consumer, int segment, long fence, List<Long> positions) implements Message {
    public Parked {
      positions = listOf(positions);
    }
  }

  /**
   * N→B: handle this dead letter once more, without a move of the checkpoint; answered by {@link
   * Retried}.
   *
   * @param letter its id; whatever parked the same event again has another one
   */
  record Retry(String consumer, int segment, long fence, UUID letter, RecordedEvent event)
      implements Message {}

  /**
   * B→N: what became of a {@link Retry}.
   *
   * @param failure what the handler failed with; null if it succeeded, now or at an earlier retry
   *     whose answer was lost
   * @param passing whether the handler is not to blame, so that it should be tried again later
   */
  record Retried(
      String consumer,
      int segment,
      long fence,
      UUID letter,
      @Nullable String failure,
      boolean passing)
      implements Message {
    public Retried {
      require("/consumer", consumer);
      require("/letter", letter);
      failure = failure == null ? null : Unicode.toWellFormed(failure);
    }
  }

  // ---- live events

  /**
   * B→N: give me events as they are stored, from a position on. Answered by {@link Feed}s and at
   * last by {@link Ended}, or by {@link Fault} of the same id if it cannot be; ended by {@link
   * Cancel}. Filters: null for any.
   *
   * @param id made by whoever follows, unique on its session
   * @param after everything up to here was seen; 0 for nothing
   * @param epoch that {@code after} was seen in; null for the present one
   * @param aggregateId only together with {@code aggregateType}
   * @param events how many may be sent before the first {@link More}
   */
  record Follow(
      UUID id,
      long after,
      @Nullable UUID epoch,
      @Nullable String context,
      @Nullable String type,
      @Nullable String aggregateType,
      @Nullable String aggregateId,
      @Nullable String tag,
      int events)
      implements Message {
    public Follow {
      require("/id", id);
      if (after < 0) {
        throw EventoException.invalid("/after", "must be 0 or more");
      }
      if (aggregateId != null && aggregateType == null) {
        throw EventoException.invalid("/aggregateType", "is required with aggregateId");
      }
      checkCredit(events);
    }
  }

  /**
   * N→B: the next events for a {@link Follow}, in order.
   *
   * @param upTo last position looked at: where to go on from; without events that is all it says
   */
  record Feed(UUID id, UUID epoch, long upTo, List<RecordedEvent> events) implements Message {
    public Feed {
      require("/id", id);
      events = listOf(events);
    }
  }

  /** B→N: so many more may be sent, events or updates. */
  record More(UUID id, int events) implements Message {
    public More {
      require("/id", id);
      checkCredit(events);
    }
  }

  /**
   * N→B: nothing more comes.
   *
   * @param reason {@code epoch} (the store has a new one: what was given above {@code position} is
   *     void), {@code drain} (the node leaves: go on elsewhere), {@code slow} (too little was
   *     taken), {@code unavailable}
   * @param epoch of the position
   * @param position where to go on from
   */
  record Ended(UUID id, String reason, String detail, @Nullable UUID epoch, long position)
      implements Message {
    public Ended {
      require("/id", id);
      require("/reason", reason);
      detail = detail == null ? "" : detail;
    }
  }

  // ---- subscription queries

  /**
   * B→N: answer this query now and tell what changes. Answered by a {@link View}, then {@link
   * Update}s; by another {@link View} whenever an update could have been missed, which replaces all
   * that was told before; at last by {@link Ended}, or by {@link Fault} of the query's id if it
   * cannot be. Ended by {@link Cancel}.
   *
   * @param query its deadline is that of the first answer
   * @param events how many answers and updates may be sent before the first {@link More}
   */
  record Subscribe(Query query, int events) implements Message {
    public Subscribe {
      require("/query", query);
      checkCredit(events);
    }
  }

  /**
   * N→B: somebody subscribes to this query; from now on tell what the consumer's handlers change of
   * it. Answered by {@link Result} of the query's id, ended by {@link Cancel}.
   *
   * @param consumer whose segments this session may have, such as {@code accounts:1}
   */
  record Watch(String consumer, Query query) implements Message {
    public Watch {
      require("/consumer", consumer);
      require("/query", query);
    }
  }

  /**
   * An answer of a subscription. B→N: to a {@link Query} with {@code progress}; N→B: to {@link
   * Subscribe}.
   *
   * @param id of the query
   * @param attempt N→B: 1 for the first answer, more for those that start over
   * @param progress B→N: up to where each range of slots is in this very answer; empty if its
   *     projector keeps no checkpoint beside its rows
   */
  record View(
      UUID id, int attempt, @JsonProperty("p") @Nullable Json payload, List<RangeProgress> progress)
      implements Message {
    public View {
      require("/id", id);
      progress = listOf(progress);
    }
  }

  /** Where a range of a consumer's slots is. */
  record RangeProgress(int firstSlot, int lastSlot, UUID epoch, long position) {}

  /**
   * What a handled event changes of subscribed queries. B→N: sent once it is committed, in the
   * order of the segment. N→B: to the subscriber.
   *
   * @param ids of the queries concerned
   * @param ordinal of this among the updates of the event
   * @param payload null: what changed cannot be told, ask again
   */
  record Update(
      List<UUID> ids,
      String consumer,
      int segment,
      long fence,
      UUID epoch,
      long position,
      int ordinal,
      @JsonProperty("p") @Nullable Json payload)
      implements Message {
    public Update {
      ids = listOf(ids);
      require("/consumer", consumer);
      require("/epoch", epoch);
    }

    /** The same for one of those concerned. */
    public Update to(UUID id) {
      return new Update(List.of(id), consumer, segment, fence, epoch, position, ordinal, payload);
    }
  }

  private static void checkCredit(int events) {
    if (events < 0 || events > 10_000) {
      throw EventoException.invalid("/events", "must be 0 to 10000");
    }
  }

  private static <T> List<T> listOf(@Nullable List<T> given) {
    return given == null ? List.of() : List.copyOf(given);
  }

  private static void require(String pointer, @Nullable Object value) {
    if (value == null) {
      throw EventoException.invalid(pointer, "is required");
    }
  }

  private static void checkFlow(String pointer, @Nullable String id) {
    if (id != null && (id.isEmpty() || id.length() > 200)) {
      throw EventoException.invalid(pointer, "must have 1 to 200 characters");
    }
  }

  private static void checkMeta(@Nullable Json meta) {
    if (meta != null && (!meta.text().startsWith("{") || meta.text().length() > META_CHARS_MAX)) {
      throw EventoException.invalid(
          "/meta", "must be a JSON object of at most " + META_CHARS_MAX + " characters");
    }
  }

  private static void checkDeadline(int deadline) {
    if (deadline <= 0) {
      throw EventoException.invalid("/deadline", "must be above 0 ms, is " + deadline);
    }
  }
}
