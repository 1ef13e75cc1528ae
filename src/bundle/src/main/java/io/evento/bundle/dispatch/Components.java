package io.evento.bundle.dispatch;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.Boundary;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Projection;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.Service;
import io.evento.bundle.container.HandlerInterceptor;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.SealedTypes;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** All that a bundle hosts, checked. Immutable once made. */
public final class Components {
  private final PayloadMapper mapper;
  private final Store store;
  private final Surroundings surroundings;
  private final List<Component> declared = new ArrayList<>();
  private final Map<String, AggregateType> aggregates = new HashMap<>();
  private final Map<String, AggregateType> byCommand = new HashMap<>();
  private final Map<String, BoundaryType> boundaries = new HashMap<>();
  private final Map<String, ServiceCommand> services = new HashMap<>();
  private final Map<String, QueryAnswerer> queries = new HashMap<>();
  private final Map<String, ProjectorType> projectors = new HashMap<>();
  private final Map<String, SagaType> sagas = new HashMap<>();
  private final Map<String, ObserverType> observers = new HashMap<>();

  /** Handlers of commands and queries by type name, and the commands' classes. */
  private final Map<String, Handler> owners = new HashMap<>();

  private final Set<Class<?>> commands = new HashSet<>();

  private Components(PayloadMapper mapper, Store store, Surroundings surroundings) {
    this.mapper = mapper;
    this.store = store;
    this.surroundings = surroundings;
  }

  /**
   * Reads what was registered.
   *
   * @param registered classes of aggregates, instances of everything else
   * @param database whether there is one for handlers that take a connection
   * @throws InvalidBundleException if something cannot work
   */
  public static Components of(List<?> registered, PayloadMapper mapper, boolean database) {
    return of(registered, mapper, database ? Store.CONNECTIONS : Store.NONE, List.of());
  }

  /**
   * Reads what was registered.
   *
   * @param registered classes of aggregates; of everything else instances, or what {@link
   *     Hosted#of} made
   * @param interceptors around each handler, outermost first
   * @throws InvalidBundleException if something cannot work
   */
  public static Components of(
      List<?> registered,
      PayloadMapper mapper,
      Store store,
      List<HandlerInterceptor> interceptors) {
    var components = new Components(mapper, store, new Surroundings(interceptors));
    registered.forEach(components::add);
    components.checkSealedCommands();
    return components;
  }

  private void add(Object registered) {
    var hosted = Hosted.read(registered);
    var type = hosted.type();
    var isClass = hosted.isBareClass();
    var aggregate = type.getAnnotation(Aggregate.class);
    var boundary = type.getAnnotation(Boundary.class);
    var service = type.getAnnotation(Service.class);
    var projector = type.getAnnotation(Projector.class);
    var projection = type.getAnnotation(Projection.class);
    if (aggregate != null) {
      if (!isClass) {
        throw new InvalidBundleException(
            "register the class " + type.getSimpleName() + ".class: an aggregate has many states");
      }
      add(new AggregateReader(mapper, type, surroundings).read(aggregate));
    } else if (boundary != null) {
      if (!isClass) {
        throw new InvalidBundleException(
            "register the class "
                + type.getSimpleName()
                + ".class: a boundary has a state for each command");
      }
      add(new BoundaryReader(mapper, type, surroundings).read(boundary));
    } else if (!Hosted.isComponent(type)) {
      throw new InvalidBundleException(
          type.getName()
              + " is no component: annotate it with @Aggregate, @Boundary, @Service, @Projector,"
              + " @Projection, @Saga or @Observer");
    } else if (isClass) {
      throw new InvalidBundleException(
          "register an instance, new " + type.getSimpleName() + "(…), instead of the class");
    } else {
      var reader = new ComponentReader(mapper, hosted, store, surroundings);
      add(reader, service, projector, projection);
      addSteps(hosted, type.getAnnotation(Saga.class), type.getAnnotation(Observer.class));
    }
  }

  private void addSteps(Hosted hosted, @Nullable Saga saga, @Nullable Observer observer) {
    if (saga != null && observer != null) {
      throw new InvalidBundleException(
          hosted.type().getName() + " cannot be a saga and an observer: make them two");
    }
    var reader = new StepReader(mapper, hosted, surroundings);
    if (saga != null) {
      var found = reader.saga(saga);
      if (sagas.put(found.consumer(), found) != null) {
        throw twice("saga", found.consumer());
      }
      add(reader.declared(saga));
    }
    if (observer != null) {
      var found = reader.observer(observer);
      if (observers.put(found.consumer(), found) != null) {
        throw twice("observer", found.consumer());
      }
      add(reader.declared(observer));
    }
  }

  private void add(AggregateType type) {
    checkContext(type);
    if (aggregates.put(type.name(), type) != null) {
      throw twice("aggregate", type.name());
    }
    type.commands()
        .forEach(
            (name, decider) -> {
              own(name, decider.handler());
              byCommand.put(name, type);
              commands.add(decider.payload().type());
            });
    declared.add(type.declared());
  }

  private void add(BoundaryType type) {
    checkContext(type.rules());
    if (boundaries.put(type.name(), type) != null) {
      throw twice("boundary", type.name());
    }
    type.rules()
        .commands()
        .forEach(
            (name, decider) -> {
              own(name, decider.handler());
              commands.add(decider.payload().type());
            });
    declared.add(type.declared());
  }

  private void add(
      ComponentReader reader,
      @Nullable Service service,
      @Nullable Projector projector,
      @Nullable Projection projection) {
    if (service != null) {
      var found = reader.service();
      for (var command : found) {
        own(command.payload().name(), command.handler());
        services.put(command.payload().name(), command);
        commands.add(command.payload().type());
      }
      add(reader.declared(service, found));
    }
    if (projector != null) {
      var found = reader.projector(projector);
      if (projectors.put(found.consumer(), found) != null) {
        throw twice("projector", found.consumer());
      }
      var asked = reader.queries();
      asked.forEach(this::answer);
      add(reader.declared(projector, found, asked));
    }
    if (projection != null) {
      var asked = reader.projection();
      asked.forEach(this::answer);
      add(reader.declared(projection, asked));
    }
  }

  private void add(Component component) {
    for (var other : declared) {
      if (component.consumes() != null
          && other.consumes() != null
          && other.kind() != component.kind()
          && other.name().equals(component.name())) {
        throw new InvalidBundleException(
            "the "
                + other.kind()
                + " and the "
                + component.kind()
                + " are both called "
                + component.name()
                + ": a consumer's name is its own in the whole cluster; rename one");
      }
      if (other.kind() == component.kind()
          && other.name().equals(component.name())
          && other.version() == component.version()) {
        throw twice(component.kind().wire(), component.name());
      }
    }
    declared.add(component);
  }

  private static InvalidBundleException twice(String kind, String name) {
    return new InvalidBundleException(
        "the " + kind + " " + name + " is registered twice: register it once, or rename one");
  }

  private void answer(QueryAnswerer query) {
    own(query.payload().name(), query.handler());
    queries.put(query.payload().name(), query);
  }

  private void own(String type, Handler handler) {
    var former = owners.put(type, handler);
    if (former != null) {
      throw new InvalidBundleException(ComponentReader.twoHandlers(type, former, handler));
    }
  }

  private static void checkContext(AggregateType type) {
    try {
      Names.checkType("", type.context());
    } catch (EventoException broken) {
      throw new InvalidBundleException(
          "context \"" + type.context() + "\" of " + type.name() + " " + broken.detail(), broken);
    }
  }

  /** Whoever seals his commands wants none of them forgotten. */
  private void checkSealedCommands() {
    for (var command : commands) {
      for (var family : command.getInterfaces()) {
        if (family.isSealed()) {
          for (var sibling : SealedTypes.expand(family, family.getName())) {
            if (!commands.contains(sibling)) {
              throw new InvalidBundleException(
                  sibling.getSimpleName()
                      + " is permitted by "
                      + family.getSimpleName()
                      + ", but has no @CommandHandler here: add one, or take it out of the sealed"
                      + " interface");
            }
          }
        }
      }
    }
  }

  /** What is told to the cluster. */
  public List<Component> declared() {
    return List.copyOf(declared);
  }

  /** Projectors by consumer, such as {@code accounts:1}. */
  public Map<String, ProjectorType> projectors() {
    return Map.copyOf(projectors);
  }

  /** Sagas by consumer, such as {@code transfer:1}. */
  public Map<String, SagaType> sagas() {
    return Map.copyOf(sagas);
  }

  /** Observers by consumer, such as {@code large-deposits:1}. */
  public Map<String, ObserverType> observers() {
    return Map.copyOf(observers);
  }

  /** Name of the aggregate that decides a type of command, or null if none does here. */
  public @Nullable String aggregateOf(String command) {
    var type = byCommand.get(command);
    return type == null ? null : type.name();
  }

  /** Whether a service here runs this type of command. */
  public boolean isService(String command) {
    return services.containsKey(command);
  }

  @Nullable AggregateType aggregate(String name) {
    return aggregates.get(name);
  }

  @Nullable BoundaryType boundary(String name) {
    return boundaries.get(name);
  }

  @Nullable ServiceCommand service(String command) {
    return services.get(command);
  }

  @Nullable QueryAnswerer query(String query) {
    return queries.get(query);
  }

  PayloadMapper mapper() {
    return mapper;
  }
}
