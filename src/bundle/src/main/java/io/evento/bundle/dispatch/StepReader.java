package io.evento.bundle.dispatch;

import io.evento.bundle.api.Associate;
import io.evento.bundle.api.Deadline;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Step;
import io.evento.bundle.dispatch.SagaType.Stepping;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.SealedTypes;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Reads sagas and observers from annotated objects. */
final class StepReader {
  private final PayloadMapper mapper;
  private final Hosted hosted;
  private final Surroundings surroundings;
  private final Class<?> type;

  /** Types of the events that are handled, by name. */
  private final Map<String, EventType> handled = new LinkedHashMap<>();

  private final Map<String, String> associations = new TreeMap<>();

  StepReader(PayloadMapper mapper, Hosted hosted, Surroundings surroundings) {
    this.mapper = mapper;
    this.hosted = hosted;
    this.surroundings = surroundings;
    this.type = hosted.type();
  }

  SagaType saga(Saga annotation) {
    HandlerMethods.allowOnly(
        type,
        "@Saga",
        SagaStart.class,
        EventHandler.class,
        io.evento.bundle.api.Outcome.class,
        Deadline.class);
    check("saga", annotation.name(), annotation.version(), annotation.segments());
    var state = annotation.state();
    var starts = events(new StepHandler.Kind(SagaStart.class, "event", null, true, false));
    if (starts.isEmpty()) {
      throw new InvalidBundleException(
          type.getName() + " has no @SagaStart: say with which event a saga begins");
    }
    var events = events(new StepHandler.Kind(EventHandler.class, "event", state, true, false));
    PersonalRules.checkSagaState(mapper.typeOf(state));
    return new SagaType(
        annotation.name() + ":" + annotation.version(),
        hosted,
        mapper.typeOf(state),
        starts,
        events,
        outcomes(state),
        deadlines(state),
        associations);
  }

  private Map<String, Stepping> events(StepHandler.Kind kind) {
    var found = new LinkedHashMap<String, Stepping>();
    for (var method : HandlerMethods.annotated(type, kind.annotation())) {
      var handler = returningStep(bound(method, kind));
      var associate = method.getAnnotation(Associate.class);
      if (associate == null) {
        throw new InvalidBundleException(
            handler.name()
                + " needs @Associate(\"…\"): the property of the event that says which saga it"
                + " concerns, or @Associate alone for the aggregate's id");
      }
      for (var event : SealedTypes.expand(handler.payload(), handler.name())) {
        put(found, kind.annotation(), event, handler);
        var name = mapper.typeOf(event).name();
        var pointer = pointer(associate.value(), event, handler);
        PersonalRules.checkAssociation(mapper.typeOf(event), pointer, handler.name());
        var other = associations.put(name, pointer);
        if (other != null && !other.equals(pointer)) {
          throw new InvalidBundleException(
              type.getSimpleName()
                  + " finds its association in "
                  + name
                  + " at two places: let all its methods say the same @Associate");
        }
      }
    }
    return found;
  }

  private String pointer(String place, Class<?> event, StepHandler handler) {
    if (place.isEmpty()) {
      return "";
    }
    var pointer = place.startsWith("/") ? place : "/" + place.replace("~", "~0").replace("/", "~1");
    var inJson = mapper.pointer(event, pointer);
    if (inJson == null) {
      throw new InvalidBundleException(
          handler.name()
              + " is associated by \""
              + place
              + "\", but "
              + event.getSimpleName()
              + " has no "
              + (place.startsWith("/") && place.indexOf('/', 1) < 0 ? place.substring(1) : place)
              + ": name one of its components");
    }
    return inJson;
  }

  private Map<String, Stepping> outcomes(Class<?> state) {
    var kind =
        new StepHandler.Kind(io.evento.bundle.api.Outcome.class, "command", state, false, true);
    var found = new LinkedHashMap<String, Stepping>();
    for (var method : HandlerMethods.annotated(type, kind.annotation())) {
      var handler = returningStep(bound(method, kind));
      for (var command : SealedTypes.expand(handler.payload(), handler.name())) {
        put(found, kind.annotation(), command, handler);
      }
    }
    return found;
  }

  private Map<String, StepHandler> deadlines(Class<?> state) {
    var kind = new StepHandler.Kind(Deadline.class, null, state, false, false);
    var found = new LinkedHashMap<String, StepHandler>();
    for (var method : HandlerMethods.annotated(type, Deadline.class)) {
      var handler = returningStep(bound(method, kind));
      var name = method.getAnnotation(Deadline.class).value();
      if (name.isBlank() || name.length() > 100) {
        throw new InvalidBundleException(
            handler.name() + " needs a name of 1 to 100 characters in its @Deadline");
      }
      var former = found.put(name, handler);
      if (former != null) {
        throw new InvalidBundleException(
            "two methods have @Deadline(\""
                + name
                + "\"), "
                + former.name()
                + " and "
                + handler.name()
                + "; remove one");
      }
    }
    return found;
  }

  ObserverType observer(Observer annotation) {
    HandlerMethods.allowOnly(type, "@Observer", EventHandler.class);
    check("observer", annotation.name(), annotation.version(), annotation.segments());
    if (annotation.concurrency() < 1 || annotation.concurrency() > 64) {
      throw new InvalidBundleException(
          "concurrency of " + type.getSimpleName() + " must be 1 to 64");
    }
    var kind = new StepHandler.Kind(EventHandler.class, "event", null, true, false);
    var found = new LinkedHashMap<String, Stepping>();
    for (var method : HandlerMethods.annotated(type, EventHandler.class)) {
      var handler = bound(method, kind);
      for (var event : SealedTypes.expand(handler.payload(), handler.name())) {
        put(found, EventHandler.class, event, handler);
      }
    }
    if (found.isEmpty()) {
      throw new InvalidBundleException(
          type.getName() + " has no @EventHandler: give it one, or do not register it");
    }
    return new ObserverType(
        annotation.name() + ":" + annotation.version(), hosted, annotation.concurrency(), found);
  }

  private void put(
      Map<String, Stepping> into,
      Class<? extends Annotation> annotation,
      Class<?> payload,
      StepHandler handler) {
    var read = mapper.typeOf(payload);
    var former = into.put(read.name(), new Stepping(read, handler));
    if (former != null) {
      throw new InvalidBundleException(
          "two @"
              + annotation.getSimpleName()
              + "s of "
              + type.getSimpleName()
              + " take "
              + read.name()
              + ": "
              + former.handler().name()
              + " and "
              + handler.name()
              + "; remove one");
    }
    if (annotation != io.evento.bundle.api.Outcome.class) {
      handled.put(read.name(), new EventType(read.name(), read.version(), read.schema()));
    }
  }

  private StepHandler bound(Method method, StepHandler.Kind kind) {
    hosted.checkReach(method);
    return StepHandler.bind(method, kind, surroundings);
  }

  private static StepHandler returningStep(StepHandler handler) {
    if (handler.method().getReturnType() != Step.class) {
      throw new InvalidBundleException(
          handler.name()
              + " must return a Step: a saga does nothing by itself, it says what is to be done");
    }
    return handler;
  }

  private void check(String kind, String name, int version, int segments) {
    checkName(name, "name");
    if (version < 1) {
      throw new InvalidBundleException("version of " + type.getSimpleName() + " must be 1 or more");
    }
    if (segments < 0 || segments > 128) {
      throw new InvalidBundleException(
          "segments of the "
              + kind
              + " "
              + type.getSimpleName()
              + " must be 1 to 128, or 0 for the default");
    }
  }

  private void checkName(String name, String what) {
    try {
      Names.checkType("", name);
    } catch (EventoException broken) {
      throw new InvalidBundleException(
          what + " \"" + name + "\" of " + type.getSimpleName() + " " + broken.detail(), broken);
    }
  }

  /** What the cluster is told, once the saga was read. */
  Component declared(Saga annotation) {
    return declared(
        ComponentKind.SAGA,
        annotation.name(),
        annotation.version(),
        annotation.context(),
        annotation.start(),
        annotation.segments());
  }

  /** What the cluster is told, once the observer was read. */
  Component declared(Observer annotation) {
    return declared(
        ComponentKind.OBSERVER,
        annotation.name(),
        annotation.version(),
        annotation.context(),
        annotation.start(),
        annotation.segments());
  }

  private Component declared(
      ComponentKind kind,
      String name,
      int version,
      String[] context,
      Projector.Start start,
      int segments) {
    var contexts = List.of(context);
    contexts.forEach(each -> checkName(each, "context"));
    return new Component(
        kind,
        name,
        version,
        contexts.size() == 1 ? contexts.get(0) : "default",
        List.of(),
        List.copyOf(handled.values()),
        List.of(),
        new Consumption(
            contexts,
            List.copyOf(handled.keySet()),
            start.name().toLowerCase(Locale.ROOT),
            segments,
            associations),
        null);
  }
}
