package io.evento.protocol;

import static io.evento.protocol.Checks.listOf;
import static io.evento.protocol.Checks.require;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a session hosts, and what of it the node has to know. */
public sealed interface DeclareMessage extends Message {
  /**
   * B→N: what this session hosts; answered by {@link ReplyMessage.Result} or {@link
   * ReplyMessage.Fault} of the same id.
   */
  record Declare(UUID id, List<Component> components) implements DeclareMessage {
    public Declare {
      require("/id", id);
      components = listOf(components);
    }
  }

  /**
   * A component as it is declared.
   *
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
      ComponentKind kind,
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
      if (kind == null) {
        throw ComponentKind.unknown();
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
        ComponentKind kind,
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

  /** What a component is. */
  enum ComponentKind {
    /** Decides commands on the state of one stream. */
    AGGREGATE,
    /** Decides commands on events that it chooses by tags. */
    BOUNDARY,
    /** Runs commands outside the store. */
    SERVICE,
    /** Turns events into a read model. */
    PROJECTOR,
    /** Answers queries from a read model. */
    PROJECTION,
    /** Sends commands upon events. */
    OBSERVER,
    /** Sends commands upon events, and keeps a state meanwhile. */
    SAGA,
    /** Sends commands and asks queries, and handles nothing. */
    INVOKER;

    private static final Map<String, ComponentKind> BY_WIRE =
        Arrays.stream(values()).collect(Collectors.toMap(ComponentKind::wire, kind -> kind));

    /** As it stands on the wire and in the catalog: {@code aggregate}. */
    @JsonValue
    public String wire() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** As on the wire, for sentences. */
    @Override
    public String toString() {
      return wire();
    }

    /**
     * The inverse of {@link #wire}.
     *
     * @throws EventoException {@code invalid-request} if there is no such kind
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static ComponentKind of(String wire) {
      var found = BY_WIRE.get(wire);
      if (found == null) {
        throw unknown();
      }
      return found;
    }

    private static EventoException unknown() {
      return EventoException.invalid("/components/kind", "must be a kind of component");
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
}
