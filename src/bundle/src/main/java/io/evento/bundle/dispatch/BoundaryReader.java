package io.evento.bundle.dispatch;

import io.evento.bundle.api.Boundary;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Criteria;
import io.evento.bundle.api.CriteriaBuilder;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InitialState;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.payload.Kotlin;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.PayloadType;
import io.evento.bundle.payload.SealedTypes;
import java.lang.annotation.Annotation;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads a {@link BoundaryType} from an annotated record. */
final class BoundaryReader {
  private final PayloadMapper mapper;
  private final Class<?> type;
  private final Surroundings surroundings;

  BoundaryReader(PayloadMapper mapper, Class<?> type, Surroundings surroundings) {
    this.mapper = mapper;
    this.type = type;
    this.surroundings = surroundings;
  }

  BoundaryType read(Boundary annotation) {
    if (!type.isRecord()) {
      throw new InvalidBundleException(
          "the boundary "
              + type.getName()
              + " must be a record: it is its own immutable state"
              + Kotlin.hint(type));
    }
    HandlerMethods.allowOnly(
        type,
        "@Boundary",
        CommandHandler.class,
        EventSourcingHandler.class,
        InitialState.class,
        CriteriaBuilder.class);
    var rules =
        new AggregateReader(mapper, type, surroundings)
            .rules("boundary", annotation.context(), 0, 1);
    var boundary =
        new BoundaryType(
            rules,
            methods(InitialState.class, type, rules),
            methods(CriteriaBuilder.class, Criteria.class, rules));
    checkTags(boundary);
    rules.commands().values().forEach(decider -> PersonalRules.checkCommand(decider.payload()));
    rules.events().values().forEach(applier -> PersonalRules.checkBoundary(applier.payload()));
    return boundary;
  }

  private Map<String, Handler> methods(
      Class<? extends Annotation> annotation, Class<?> returned, AggregateType rules) {
    var methods = new LinkedHashMap<String, Handler>();
    var kind = new Handler.Kind(annotation, null, null, false);
    for (var method : HandlerMethods.of(type, kind, Surroundings.NONE)) {
      if (method.isInstance() || method.returned() != returned) {
        throw new InvalidBundleException(
            method.name()
                + " is a @"
                + annotation.getSimpleName()
                + ": it must be static, take a command and return "
                + returned.getSimpleName());
      }
      for (var command : SealedTypes.expand(method.payload(), method.name())) {
        var name = PayloadType.nameOf(command);
        var decider = rules.commands().get(name);
        if (decider == null || decider.payload().type() != command) {
          throw new InvalidBundleException(
              method.name()
                  + " takes "
                  + command.getSimpleName()
                  + ", which no @CommandHandler of "
                  + type.getSimpleName()
                  + " handles");
        }
        if (methods.put(name, method) != null) {
          throw new InvalidBundleException(
              "two @"
                  + annotation.getSimpleName()
                  + " methods of "
                  + type.getSimpleName()
                  + " take "
                  + command.getSimpleName()
                  + "; remove one");
        }
      }
    }
    return Map.copyOf(methods);
  }

  /** A rule that rests on events that carry no such tag would hold for nothing. */
  private void checkTags(BoundaryType boundary) {
    for (var decider : boundary.rules().commands().values()) {
      var command = decider.payload();
      if (boundary.reads().containsKey(command.name())) {
        continue;
      }
      if (command.tagKeys().isEmpty()) {
        throw new InvalidBundleException(
            command.name()
                + " does not say which events its decision rests on: put @Tag on a component, or"
                + " give "
                + type.getSimpleName()
                + " a @CriteriaBuilder method");
      }
      for (var key : command.tagKeys()) {
        if (boundary.rules().events().values().stream()
            .noneMatch(applier -> applier.payload().tagKeys().contains(key))) {
          throw new InvalidBundleException(
              command.name()
                  + " has the tag "
                  + key
                  + ", but no event that "
                  + type.getSimpleName()
                  + " applies has it: put @Tag(\""
                  + key
                  + "\") on a component of one");
        }
      }
    }
  }
}
