package io.evento.bundle.dispatch;

import io.evento.bundle.payload.PayloadType;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An aggregate as its class defines it.
 *
 * @param name of its type
 * @param state the record that is its state
 * @param stateSchema names the shape of the state
 * @param commands by type name
 * @param events by class, in order of declaration
 * @param eventsByName the same by type name
 */
record AggregateType(
    String name,
    String context,
    int snapshotEvery,
    PayloadType state,
    String stateSchema,
    Map<String, Decider> commands,
    Map<Class<?>, Applier> events,
    Map<String, Applier> eventsByName) {

  /** Who decides a type of command. */
  record Decider(PayloadType payload, Handler handler) {}

  /** Who applies a type of event. */
  record Applier(PayloadType payload, Handler handler) {}

  /** The code of a command that needs a state and finds none. */
  String absentCode() {
    return "no-such-" + kebab();
  }

  /** The code of a command that creates and finds a state. */
  String presentCode() {
    return kebab() + "-exists";
  }

  private String kebab() {
    return name.replaceAll("([a-z0-9])([A-Z])", "$1-$2").toLowerCase(java.util.Locale.ROOT);
  }

  /** Whether something personal is in its state, its events or its commands. */
  boolean isPersonal() {
    return !state.personal().isEmpty()
        || events.values().stream().anyMatch(applier -> !applier.payload().personal().isEmpty())
        || commands.values().stream().anyMatch(decider -> !decider.payload().personal().isEmpty());
  }

  /** How an event of this aggregate travels. */
  PayloadType payloadOf(Object event) {
    return applier(event).payload();
  }

  private Applier applier(Object event) {
    var applier = events.get(event.getClass());
    if (applier == null) {
      throw new IllegalStateException(
          event.getClass().getName() + " is no event of " + name + ": nothing applies it");
    }
    return applier;
  }

  /**
   * The state after an event.
   *
   * @throws Throwable whatever the handler throws; also if the event is of no known type
   */
  @Nullable Object apply(@Nullable Object before, Object event) throws Throwable {
    return apply(applier(event), before, event);
  }

  @Nullable Object apply(Applier applier, @Nullable Object before, Object event) throws Throwable {
    if (before == null && applier.handler().isInstance()) {
      throw new IllegalStateException(
          applier.handler().name()
              + " is not static, but "
              + applier.payload().name()
              + " came while there was no state");
    }
    return applier.handler().call(before, event, null, null);
  }

  /**
   * The state after stored events.
   *
   * @param id of the aggregate; null where that is not known
   * @throws EventoException {@code no-handler} if nothing here applies a type of event, or its
   *     version
   * @throws Throwable whatever a handler throws
   */
  @Nullable Object replay(@Nullable Object before, List<HistoryEvent> events, @Nullable String id)
      throws Throwable {
    var state = before;
    for (var event : events) {
      var applier = eventsByName.get(event.type());
      if (applier == null) {
        throw new EventoException(
            ErrorCode.NO_HANDLER,
            "no @EventSourcingHandler of " + name + " applies the stored " + event.type());
      }
      var payload = applier.payload().read(event.payload(), event.payloadVersion(), id);
      state = apply(applier, state, payload);
    }
    return state;
  }

  Component declared() {
    return new Component(
        ComponentKind.AGGREGATE,
        name,
        0,
        context,
        commands.values().stream()
            .map(Decider::payload)
            .map(
                command ->
                    new CommandType(command.name(), command.idProperty(), command.requestSchema()))
            .toList(),
        events.values().stream()
            .map(Applier::payload)
            .map(event -> new EventType(event.name(), event.version(), event.schema()))
            .toList(),
        List.of(),
        null,
        null,
        stateSchema,
        snapshotEvery);
  }
}
