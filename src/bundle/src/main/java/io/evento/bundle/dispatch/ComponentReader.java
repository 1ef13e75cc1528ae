package io.evento.bundle.dispatch;

import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.CommandMetadata;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Projection;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.RewindHandler;
import io.evento.bundle.api.Rewound;
import io.evento.bundle.api.Service;
import io.evento.bundle.dispatch.ProjectorType.Projecting;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.PayloadType;
import io.evento.bundle.payload.Schemas;
import io.evento.bundle.payload.SealedTypes;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.DeclareMessage.QueryType;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Names;
import java.lang.reflect.ParameterizedType;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads services, projectors and projections from annotated objects. */
final class ComponentReader {
  private final PayloadMapper mapper;
  private final Hosted hosted;
  private final Surroundings surroundings;
  private final Class<?> type;
  private final Store store;

  ComponentReader(PayloadMapper mapper, Hosted hosted, Store store, Surroundings surroundings) {
    this.mapper = mapper;
    this.hosted = hosted;
    this.surroundings = surroundings;
    this.type = hosted.type();
    this.store = store;
  }

  static String twoHandlers(String payload, Handler one, Handler other) {
    return payload
        + " has two handlers, "
        + one.name()
        + " and "
        + other.name()
        + ": a type has one in the whole cluster; remove one, or rename with @TypeName";
  }

  List<ServiceCommand> service() {
    HandlerMethods.allowOnly(type, "@Service", CommandHandler.class);
    var commands = new LinkedHashMap<String, ServiceCommand>();
    var kind = new Handler.Kind(CommandHandler.class, null, CommandMetadata.class, false);
    for (var handler : HandlerMethods.of(hosted, kind, surroundings)) {
      for (var command : SealedTypes.expand(handler.payload(), handler.name())) {
        AggregateReader.refuseVersion(command, AggregateReader.COMMANDS_HAVE_NONE);
        var payload = mapper.typeOf(command);
        PersonalRules.checkCommand(payload);
        var retry = handler.annotation(CommandHandler.class).retry();
        var former =
            commands.put(payload.name(), new ServiceCommand(payload, hosted, handler, retry));
        if (former != null) {
          throw new InvalidBundleException(twoHandlers(payload.name(), former.handler(), handler));
        }
      }
    }
    needs(commands, "@CommandHandler");
    return List.copyOf(commands.values());
  }

  Component declared(Service annotation, List<ServiceCommand> commands) {
    return new Component(
        ComponentKind.SERVICE,
        PayloadType.nameOf(type),
        0,
        context(annotation.context()),
        commands.stream()
            .map(
                command ->
                    new CommandType(
                        command.payload().name(),
                        null,
                        command.payload().requestSchema(),
                        command.retry() ? null : false))
            .toList(),
        List.of(),
        List.of(),
        null,
        null);
  }

  ProjectorType projector(Projector annotation) {
    HandlerMethods.allowOnly(
        type, "@Projector", EventHandler.class, QueryHandler.class, RewindHandler.class);
    checkName(annotation.name(), "name");
    if (annotation.version() < 1) {
      throw new InvalidBundleException("version of " + type.getSimpleName() + " must be 1 or more");
    }
    if (annotation.segments() < 0 || annotation.segments() > 128) {
      throw new InvalidBundleException(
          "segments of " + type.getSimpleName() + " must be 1 to 128, or 0 for the default");
    }
    var handlers = new LinkedHashMap<String, Projecting>();
    var kind = new Handler.Kind(EventHandler.class, null, EventMetadata.class, true, true);
    var transactional = false;
    for (var handler : HandlerMethods.of(hosted, kind, surroundings)) {
      transactional |= takesDatabase(handler);
      if (handler.takesConnection() && handler.takesBatch()) {
        throw new InvalidBundleException(
            handler.name()
                + " takes a Connection and a SqlBatch: what it reads would not show what it added;"
                + " let it take one of them");
      }
      for (var event : SealedTypes.expand(handler.payload(), handler.name())) {
        var payload = mapper.typeOf(event);
        var former = handlers.put(payload.name(), new Projecting(payload, handler));
        if (former != null) {
          throw new InvalidBundleException(
              "two @EventHandlers of "
                  + type.getSimpleName()
                  + " take "
                  + payload.name()
                  + ": "
                  + former.handler().name()
                  + " and "
                  + handler.name()
                  + "; remove one");
        }
      }
    }
    needs(handlers, "@EventHandler");
    // Handlers that all return stages work outside; one that does not counts on its transaction.
    transactional |=
        store == Store.TRANSACTIONS
            && !handlers.values().stream().allMatch(each -> each.handler().returnsStage());
    if (transactional) {
      handlers.values().forEach(projecting -> refuseStage(projecting.handler()));
    }
    return new ProjectorType(
        annotation.name() + ":" + annotation.version(),
        hosted,
        transactional,
        Collections.unmodifiableMap(handlers),
        rewindHandler(transactional));
  }

  private @Nullable Handler rewindHandler(boolean transactional) {
    var found =
        HandlerMethods.of(
            hosted, new Handler.Kind(RewindHandler.class, null, null, true), surroundings);
    if (found.isEmpty()) {
      return null;
    }
    var handler = found.get(0);
    if (found.size() > 1) {
      throw new InvalidBundleException(
          "two @RewindHandlers of " + type.getSimpleName() + ": remove one");
    }
    if (handler.payload() != Rewound.class || !handler.isInstance()) {
      throw new InvalidBundleException(
          handler.name() + " is a @RewindHandler: it must not be static and take a Rewound");
    }
    if (!transactional) {
      throw new InvalidBundleException(
          handler.name()
              + " is a @RewindHandler, but no @EventHandler of "
              + type.getSimpleName()
              + " takes a Connection: only with a checkpoint in its own database a projector is"
              + " told what it has handled");
    }
    refuseStage(handler);
    return handler;
  }

  Component declared(Projector annotation, ProjectorType projector, List<QueryAnswerer> queries) {
    var contexts = List.of(annotation.context());
    contexts.forEach(this::context);
    var events =
        projector.handlers().values().stream()
            .map(Projecting::payload)
            .map(payload -> new EventType(payload.name(), payload.version(), payload.schema()))
            .toList();
    return new Component(
        ComponentKind.PROJECTOR,
        annotation.name(),
        annotation.version(),
        contexts.size() == 1 ? contexts.get(0) : "default",
        List.of(),
        events,
        queryTypes(queries),
        new Consumption(
            contexts,
            events.stream().map(EventType::type).toList(),
            annotation.start().name().toLowerCase(Locale.ROOT),
            annotation.segments()),
        null);
  }

  List<QueryAnswerer> queries() {
    var queries = new LinkedHashMap<String, QueryAnswerer>();
    var kind = new Handler.Kind(QueryHandler.class, null, null, true);
    for (var handler : HandlerMethods.of(hosted, kind, surroundings)) {
      takesDatabase(handler);
      if (handler.takesConnection()) {
        refuseStage(handler);
      }
      if (handler.returned() == void.class) {
        throw new InvalidBundleException(handler.name() + " must return the view");
      }
      for (var query : SealedTypes.expand(handler.payload(), handler.name())) {
        var payload = mapper.typeOf(query);
        PersonalRules.checkQuery(payload);
        var former = queries.put(payload.name(), new QueryAnswerer(payload, hosted, handler));
        if (former != null) {
          throw new InvalidBundleException(twoHandlers(payload.name(), former.handler(), handler));
        }
      }
    }
    return List.copyOf(queries.values());
  }

  List<QueryAnswerer> projection() {
    HandlerMethods.allowOnly(type, "@Projection", QueryHandler.class);
    var queries = queries();
    needs(queries.isEmpty() ? Map.of() : Map.of("", queries), "@QueryHandler");
    return queries;
  }

  Component declared(Projection annotation, List<QueryAnswerer> queries) {
    checkName(annotation.projector(), "projector");
    return new Component(
        ComponentKind.PROJECTION,
        PayloadType.nameOf(type),
        0,
        "default",
        List.of(),
        List.of(),
        queryTypes(queries),
        null,
        annotation.projector());
  }

  private List<QueryType> queryTypes(List<QueryAnswerer> queries) {
    return queries.stream()
        .map(
            query ->
                new QueryType(
                    query.payload().name(),
                    query.payload().version(),
                    query.payload().requestSchema(),
                    view(query.handler())))
        .toList();
  }

  private @Nullable Json view(Handler handler) {
    var returned = handler.returned();
    if (handler.returnsStage()) {
      if (!(returned instanceof ParameterizedType generic)) {
        return null;
      }
      returned = generic.getActualTypeArguments()[0];
    }
    return new Schemas(mapper).of(returned);
  }

  private boolean takesDatabase(Handler handler) {
    var takes = handler.takesConnection() || handler.takesBatch();
    if (takes && store == Store.NONE) {
      throw new InvalidBundleException(
          handler.name()
              + (handler.takesBatch() ? " takes a SqlBatch" : " takes a Connection")
              + ", but the bundle has no database: give it one with"
              + " jdbc(dataSource)");
    }
    return takes;
  }

  private static void refuseStage(Handler handler) {
    if (handler.returnsStage()) {
      throw new InvalidBundleException(
          handler.name()
              + " works in a transaction that ends when it returns: it must not return a"
              + " CompletionStage; let all @EventHandlers return nothing, or all a stage, or make two"
              + " components of it");
    }
  }

  private void needs(Map<?, ?> handlers, String annotation) {
    if (handlers.isEmpty()) {
      throw new InvalidBundleException(
          type.getName() + " has no " + annotation + ": give it one, or do not register it");
    }
  }

  private String context(String context) {
    checkName(context, "context");
    return context;
  }

  private void checkName(String name, String what) {
    try {
      Names.checkType("", name);
    } catch (EventoException broken) {
      throw new InvalidBundleException(
          what + " \"" + name + "\" of " + type.getSimpleName() + " " + broken.detail(), broken);
    }
  }
}
