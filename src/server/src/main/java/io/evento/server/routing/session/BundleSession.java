package io.evento.server.routing.session;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Message;
import io.evento.protocol.ReplyMessage;
import io.evento.server.routing.NotSentException;
import io.evento.server.routing.SessionEndedException;
import io.evento.server.routing.SessionLostException;
import io.evento.server.security.Caller;
import io.evento.server.security.Right;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One open session of a bundle's instance with this node. Thread-safe. */
public final class BundleSession {
  /** The session's way out, held by the gateway. */
  public interface Door {
    /**
     * @return false if the queue is full, upon which the gateway closes the session
     */
    boolean send(Message message, Lane lane);

    /**
     * A request that may as well go elsewhere or later.
     *
     * @return false if there is no room for it now; nothing happens then
     */
    default boolean offer(Message request) {
      return send(request, Lane.REQUEST);
    }
  }

  private final long id;
  private final String bundle;
  private final UUID instance;
  private final Caller caller;
  private final Door door;
  private final Instant since = Instant.now();
  private final Map<Object, CompletableFuture<Message>> calls = new ConcurrentHashMap<>();
  private volatile List<DeclareMessage.Component> components = List.of();
  private volatile Set<String> commands = Set.of();
  private volatile Map<String, String> contexts = Map.of();
  private volatile Set<String> queries = Set.of();
  private volatile Set<String> consumers = Set.of();
  private volatile Map<String, SnapshotRule> snapshots = Map.of();
  private volatile Map<String, String> models = Map.of();
  private final SessionInFlight sessionInFlight = new SessionInFlight(calls.keySet());
  private volatile boolean draining;
  private volatile boolean closed;
  private volatile boolean endedUnasked;
  private volatile @Nullable Object sole;

  /**
   * @param id unique on this node
   * @param caller whose rights it has
   */
  public BundleSession(long id, String bundle, UUID instance, Caller caller, Door door) {
    this.id = id;
    this.bundle = bundle;
    this.instance = instance;
    this.caller = caller;
    this.door = door;
  }

  public long id() {
    return id;
  }

  /** When it was opened. */
  public Instant since() {
    return since;
  }

  public String bundle() {
    return bundle;
  }

  public UUID instance() {
    return instance;
  }

  /** Who speaks here, with the rights that it had when it connected. */
  public Caller caller() {
    return caller;
  }

  /** What it declared; empty before that. */
  public List<DeclareMessage.Component> components() {
    return components;
  }

  public Set<String> commands() {
    return commands;
  }

  public Set<String> queries() {
    return queries;
  }

  /** By type of aggregate, for those that keep snapshots. */
  public Map<String, SnapshotRule> snapshots() {
    return snapshots;
  }

  /** The consumers that it can be given segments of, by name and version: {@code accounts:1}. */
  public Set<String> consumers() {
    return consumers;
  }

  /**
   * By type of query: the projector whose read model it is answered from, with its version ({@code
   * accounts:1}) if that projector is hosted here, else its name alone.
   */
  public Map<String, String> models() {
    return models;
  }

  /** Requests to it that have no answer yet. */
  public int outstanding() {
    return calls.size();
  }

  /** Whether it may be given something new. */
  public boolean isOpen() {
    return !closed && !draining;
  }

  public void hosts(List<DeclareMessage.Component> declared) {
    commands =
        declared.stream()
            .flatMap(c -> c.commands().stream())
            .map(DeclareMessage.CommandType::type)
            .collect(Collectors.toUnmodifiableSet());
    contexts =
        declared.stream()
            .flatMap(c -> c.commands().stream().map(type -> Map.entry(type.type(), c.context())))
            .collect(
                Collectors.toUnmodifiableMap(
                    Map.Entry::getKey, Map.Entry::getValue, (one, other) -> other));
    queries =
        declared.stream()
            .flatMap(c -> c.queries().stream())
            .map(DeclareMessage.QueryType::type)
            .collect(Collectors.toUnmodifiableSet());
    consumers =
        declared.stream()
            .filter(c -> c.consumes() != null)
            .map(c -> c.name() + ':' + c.version())
            .collect(Collectors.toUnmodifiableSet());
    snapshots = rules(declared);
    models = models(declared);
    components = List.copyOf(declared);
  }

  private static Map<String, SnapshotRule> rules(List<DeclareMessage.Component> declared) {
    var rules = new HashMap<String, SnapshotRule>();
    for (var component : declared) {
      var schema = component.stateSchema();
      if (schema != null) {
        rules.put(component.name(), new SnapshotRule(schema, component.snapshotEvery()));
      }
    }
    return Map.copyOf(rules);
  }

  private static Map<String, String> models(List<DeclareMessage.Component> declared) {
    var models = new HashMap<String, String>();
    for (var component : declared) {
      var model =
          component.projector() == null
              ? component.name() + ':' + component.version()
              : modelOf(component.projector(), declared);
      component.queries().forEach(query -> models.put(query.type(), model));
    }
    return Map.copyOf(models);
  }

  private static String modelOf(String projector, List<DeclareMessage.Component> declared) {
    return declared.stream()
        .filter(c -> c.consumes() != null && c.name().equals(projector))
        .max(Comparator.comparingInt(DeclareMessage.Component::version))
        .map(c -> projector + ':' + c.version())
        .orElse(projector);
  }

  void drain() {
    draining = true;
  }

  /** Sends what needs no answer. */
  public boolean send(Message message, Lane lane) {
    return !closed && door.send(message, lane);
  }

  /** What it was handed and has not answered. */
  public SessionInFlight inFlight() {
    return sessionInFlight;
  }

  /** Whether it is over, and neither side had announced that. */
  public boolean endedUnasked() {
    return endedUnasked;
  }

  /** Whether it had nothing but this when it ended so. */
  public boolean endedAloneWith(Object what) {
    return endedUnasked && what.equals(sole);
  }

  /**
   * Asks the handler for a decision. What it answers has the context in which this session declared
   * the component: the catalog knows only what was declared last, by whomever.
   *
   * @param parts one message, or the parts of a long history
   * @param alone whether the session must have nothing else meanwhile
   * @return fails with {@link SessionLostException}, or with a timeout at the deadline
   */
  public CompletionStage<DecideMessage.Decided> decide(
      List<DecideMessage.Decide> parts, boolean alone) {
    var last = parts.get(parts.size() - 1);
    return call(last.attempt(), parts, last.deadline(), alone)
        .thenApply(answer -> ((DecideMessage.Decided) answer).in(contexts.get(last.type())));
  }

  /**
   * The same over several streams; all parts are of one attempt.
   *
   * @return fails with {@code forbidden} besides, if its bundle may not read one of the events of
   *     another context
   */
  public CompletionStage<DecideMessage.BoundaryDecided> decideBoundary(
      List<DecideMessage.DecideBoundary> parts, boolean alone) {
    var last = parts.get(parts.size() - 1);
    try {
      for (var part : parts) {
        for (var event : part.events()) {
          if (event.context() != null) {
            caller.require(Right.READ, event.context(), event.type());
          }
        }
      }
    } catch (EventoException forbidden) {
      return CompletableFuture.failedStage(forbidden);
    }
    return call(last.attempt(), parts, last.deadline(), alone)
        .thenApply(
            answer -> ((DecideMessage.BoundaryDecided) answer).in(contexts.get(last.type())));
  }

  /**
   * Asks a service or a projection.
   *
   * @return {@link ReplyMessage.Result} or {@link ReplyMessage.Fault}; fails as {@link #decide}
   *     does
   */
  public CompletionStage<Message> ask(UUID request, Message message, int millis, boolean alone) {
    return call(request, List.of(message), millis, alone);
  }

  private CompletionStage<Message> call(
      Object key, List<? extends Message> messages, int millis, boolean alone) {
    var answer = new CompletableFuture<Message>();
    answer.orTimeout(millis, TimeUnit.MILLISECONDS);
    if (alone) {
      if (!sessionInFlight.alone(key, () -> hand(key, messages, answer))) {
        answer.completeExceptionally(overloaded());
      } else if (closed) {
        sessionInFlight.end();
      }
    } else if (!sessionInFlight.isClosedTo(key)) {
      hand(key, messages, answer);
    } else if (!sessionInFlight.whenOpen(() -> hand(key, messages, answer))) {
      answer.completeExceptionally(overloaded());
    }
    return answer;
  }

  private void hand(
      Object key, List<? extends Message> messages, CompletableFuture<Message> answer) {
    if (answer.isDone()) {
      sessionInFlight.left(key);
      return;
    }
    if (closed) {
      answer.completeExceptionally(new NotSentException("the session is closed"));
      return;
    }
    if (calls.putIfAbsent(key, answer) != null) {
      answer.completeExceptionally(
          new SessionLostException("the same request is under way on this session"));
      return;
    }
    answer.whenComplete(
        (told, failure) -> {
          calls.remove(key, answer);
          sessionInFlight.left(key);
        });
    for (var message : messages) {
      if (!closed && !door.offer(message)) {
        answer.completeExceptionally(overloaded());
        break;
      }
    }
    if (closed) {
      answer.completeExceptionally(new SessionLostException("the session is closed"));
    }
  }

  private static EventoException overloaded() {
    return new EventoException(ErrorCode.OVERLOADED, "too much waits for the handler's session");
  }

  /** The gateway heard an answer. One that nobody waits for any more is dropped. */
  public void answered(Object key, Message answer) {
    var call = calls.get(key);
    if (call != null) {
      call.complete(answer);
    }
  }

  /**
   * It is over. Who has something with it hears so: that it ended with it, unless the end was
   * announced by {@link #drain}.
   */
  void close() {
    var only = sessionInFlight.sole().orElse(null);
    closed = true;
    if (!draining) {
      sole = only;
      endedUnasked = true;
    }
    calls.forEach(
        (key, call) ->
            call.completeExceptionally(
                endedUnasked
                    ? new SessionEndedException(key.equals(only))
                    : new SessionLostException("the session ended")));
    sessionInFlight.end();
  }
}
