package io.evento.bundle.dispatch;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.CommandMetadata;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.dispatch.AggregateType.Applier;
import io.evento.bundle.dispatch.AggregateType.Decider;
import io.evento.bundle.payload.Kotlin;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.PayloadType;
import io.evento.bundle.payload.SealedTypes;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Reads an {@link AggregateType} from an annotated record. */
final class AggregateReader {
  private final PayloadMapper mapper;
  private final Class<?> type;
  private final Surroundings surroundings;

  AggregateReader(PayloadMapper mapper, Class<?> type, Surroundings surroundings) {
    this.mapper = mapper;
    this.type = type;
    this.surroundings = surroundings;
  }

  AggregateType read(Aggregate annotation) {
    if (!type.isRecord()) {
      throw new InvalidBundleException(
          "the aggregate "
              + type.getName()
              + " must be a record: it is its own immutable state"
              + Kotlin.hint(type));
    }
    HandlerMethods.allowOnly(type, "@Aggregate", CommandHandler.class, EventSourcingHandler.class);
    if (annotation.snapshotEvery() < 0) {
      throw new InvalidBundleException(
          "snapshotEvery of " + type.getSimpleName() + " must be 0 or more");
    }
    if (annotation.revision() < 1) {
      throw new InvalidBundleException(
          "revision of " + type.getSimpleName() + " must be 1 or more");
    }
    var rules =
        rules("aggregate", annotation.context(), annotation.snapshotEvery(), annotation.revision());
    for (var decider : rules.commands().values()) {
      if (decider.payload().idProperty() == null) {
        throw new InvalidBundleException(
            decider.payload().type().getName()
                + " must say which "
                + type.getSimpleName()
                + " it is for: put @AggregateId on the component that holds its id");
      }
    }
    return rules;
  }

  /**
   * Who decides and who applies.
   *
   * @param component what the class is, for sentences
   */
  AggregateType rules(String component, String context, int snapshotEvery, int revision) {
    refuseVersion(
        type,
        "a state has no version, as snapshots of another shape are not used anyhow: where only its"
            + " rules changed, raise the revision in @Aggregate(revision = 2)");
    var state = mapper.typeOf(type);
    var appliers = appliers();
    var deciders = deciders(component, appliers);
    var byName = new LinkedHashMap<String, Applier>();
    for (var applier : appliers.values()) {
      if (byName.put(applier.payload().name(), applier) != null) {
        throw new InvalidBundleException(
            type.getSimpleName()
                + " has two events named "
                + applier.payload().name()
                + "; tell them apart with @TypeName");
      }
    }
    return new AggregateType(
        PayloadType.nameOf(type),
        context,
        snapshotEvery,
        state,
        state.fingerprint(revision),
        Collections.unmodifiableMap(deciders),
        Collections.unmodifiableMap(appliers),
        Map.copyOf(byName));
  }

  private Map<Class<?>, Applier> appliers() {
    var appliers = new LinkedHashMap<Class<?>, Applier>();
    var kind = new Handler.Kind(EventSourcingHandler.class, type, null, false);
    // Called for each event of a history: nothing stands around it.
    for (var handler : HandlerMethods.of(type, kind, Surroundings.NONE)) {
      if (handler.returned() != type) {
        throw new InvalidBundleException(
            handler.name() + " must return the next state, a " + type.getSimpleName());
      }
      for (var event : SealedTypes.expand(handler.payload(), handler.name())) {
        var former = appliers.put(event, new Applier(mapper.typeOf(event), handler));
        if (former != null) {
          throw new InvalidBundleException(
              "two @EventSourcingHandlers of "
                  + type.getSimpleName()
                  + " apply "
                  + event.getSimpleName()
                  + ": "
                  + former.handler().name()
                  + " and "
                  + handler.name()
                  + "; remove one");
        }
      }
    }
    return appliers;
  }

  private Map<String, Decider> deciders(String component, Map<Class<?>, Applier> appliers) {
    var deciders = new LinkedHashMap<String, Decider>();
    var kind = new Handler.Kind(CommandHandler.class, type, CommandMetadata.class, false);
    for (var handler : HandlerMethods.of(type, kind, surroundings)) {
      checkEvents(handler, appliers);
      if (!handler.annotation(CommandHandler.class).retry()) {
        throw new InvalidBundleException(
            handler.name()
                + " cannot have retry = false, which is for services: what an aggregate decides has"
                + " no effect before it is stored");
      }
      for (var command : SealedTypes.expand(handler.payload(), handler.name())) {
        refuseVersion(command, COMMANDS_HAVE_NONE);
        var payload = mapper.typeOf(command);
        var former = deciders.put(payload.name(), new Decider(payload, handler));
        if (former != null) {
          throw new InvalidBundleException(
              ComponentReader.twoHandlers(payload.name(), former.handler(), handler));
        }
      }
    }
    if (deciders.isEmpty()) {
      throw new InvalidBundleException(
          "the " + component + " " + type.getName() + " has no @CommandHandler: give it one");
    }
    return deciders;
  }

  static final String COMMANDS_HAVE_NONE =
      "a command has no version: give the new one another name with @TypeName, and go on handling"
          + " the old one until nobody sends it";

  /** Versions are for what is stored, and for questions. */
  static void refuseVersion(Class<?> type, String why) {
    if (type.isAnnotationPresent(PayloadVersion.class)) {
      throw new InvalidBundleException(
          type.getSimpleName() + " cannot have a @PayloadVersion; " + why);
    }
  }

  private void checkEvents(Handler handler, Map<Class<?>, Applier> appliers) {
    for (var event : events(handler)) {
      if (!appliers.containsKey(event)) {
        throw new InvalidBundleException(
            handler.name()
                + " may return "
                + event.getSimpleName()
                + ", which no @EventSourcingHandler of "
                + type.getSimpleName()
                + " applies: add one");
      }
    }
  }

  private static Set<Class<?>> events(Handler handler) {
    var returned = handler.returned();
    var events = new LinkedHashSet<Class<?>>();
    if (returned == void.class) {
      return events;
    }
    if (returned instanceof ParameterizedType generic
        && generic.getRawType() == CompletionStage.class) {
      returned = bound(generic);
    }
    if (returned instanceof ParameterizedType generic
        && (generic.getRawType() == Decision.class || generic.getRawType() == List.class)) {
      returned = bound(generic);
    }
    if (returned == Void.class) {
      return events;
    }
    if (!(returned instanceof Class<?> event)
        || event == Object.class
        || event == Decision.class
        || event == List.class) {
      throw new InvalidBundleException(
          handler.name()
              + " returns "
              + handler.returned().getTypeName()
              + ": say which events, as in Decision<AccountEvent>, List<AccountEvent> or"
              + " AccountOpened");
    }
    events.addAll(SealedTypes.expand(event, handler.name()));
    return events;
  }

  private static Type bound(ParameterizedType generic) {
    var argument = generic.getActualTypeArguments()[0];
    return argument instanceof WildcardType wildcard ? wildcard.getUpperBounds()[0] : argument;
  }
}
