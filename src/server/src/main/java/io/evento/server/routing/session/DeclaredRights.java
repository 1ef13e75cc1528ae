package io.evento.server.routing.session;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.security.Caller;
import io.evento.server.security.Reading;
import io.evento.server.security.Right;
import java.util.List;

/** Whether somebody may host what it declares. Looked at before anything of it is kept. */
public final class DeclaredRights {
  private DeclaredRights() {}

  /**
   * A bundle speaks for itself alone: components belong to bundles by their names.
   *
   * @throws EventoException {@code forbidden}
   */
  public static void checkName(Caller caller, String bundle) {
    var isItsOwn =
        switch (caller.kind()) {
          case DEVELOPER -> true;
          case BUNDLE -> caller.name().equals(bundle);
          case USER, NOBODY -> false;
        };
    if (!isItsOwn) {
      throw new EventoException(
          ErrorCode.FORBIDDEN,
          "/bundle must be the bundle that the token is of: this one is of the "
              + caller.who()
              + ", not of "
              + bundle);
    }
  }

  /**
   * All of it or nothing: each component, each type of command, query and event that it owns from
   * then on, and something to read for each context and type of event that a consumer names.
   *
   * @throws EventoException {@code forbidden}, which names right, context and type
   */
  public static void check(Caller caller, List<Component> components) {
    for (var component : components) {
      var context = component.context();
      caller.require(Right.HOST, context, component.name());
      component.commands().forEach(one -> caller.require(Right.HOST, context, one.type()));
      component.queries().forEach(one -> caller.require(Right.HOST, context, one.type()));
      component.events().forEach(one -> caller.require(Right.HOST, context, one.type()));
      var consumes = component.consumes();
      if (consumes != null) {
        checkReading(caller, consumes);
      }
    }
  }

  /**
   * What is named has to be readable at least in part, or the consumer would wait for what never
   * comes. The rest is left out of what it is given.
   */
  private static void checkReading(Caller caller, Consumption consumes) {
    var contexts = consumes.contexts();
    if (contexts.isEmpty()) {
      Reading.of(caller, null, consumes.types());
    }
    for (var context : contexts) {
      Reading.of(caller, context, consumes.types());
    }
    for (var type : consumes.types()) {
      if (contexts.stream().noneMatch(in -> caller.may(Right.READ, in, type))) {
        Reading.of(caller, contexts.isEmpty() ? null : contexts.get(0), List.of(type));
      }
    }
  }
}
