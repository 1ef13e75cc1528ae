package io.evento.server.catalog;

import static java.util.Comparator.comparing;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.hint.NearMiss;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.persistence.Database;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The types that bundles declared, in memory. It is never wrong about an owner: an owner never
 * changes while its type is there, and what was removed is forgotten by all nodes before anybody
 * else may declare it ({@link Removals}). What another node declared meanwhile is found when it is
 * first asked for.
 */
@NodeScoped
public class Catalog {
  private static final Logger LOG = System.getLogger(Catalog.class.getName());

  /** Contexts that begin so have events of the cluster itself. */
  public static final String RESERVED = "evento.";

  private static final long BELIEVED_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final Database database;
  private final ToIntFunction<Setting> settings;
  private final ExecutorService readers;
  private final Map<String, PayloadType> commands = new ConcurrentHashMap<>();
  private final Map<String, PayloadType> queries = new ConcurrentHashMap<>();
  private final Map<String, CompletableFuture<Optional<PayloadType>>> lookups =
      new ConcurrentHashMap<>();

  private volatile Declarations declarations = Declarations.UNREAD;
  private volatile boolean hearsRemovals;
  private volatile long heardNanos;

  @Inject
  public Catalog(Database database, Settings settings, Threads threads) {
    this(database, settings::get, threads);
  }

  public Catalog(Database database, ToIntFunction<Setting> settings, Threads threads) {
    this.database = database;
    this.settings = settings;
    readers = threads.pool("catalog", 2, 2_000);
  }

  /**
   * Reads what all nodes' bundles declare of personal values and of events, if anything has
   * changed; else it reads one row. From now on this node goes by it. Blocks on the database.
   */
  public void readDeclarations() {
    var before = declarations;
    declarations = database.read("read catalog", open -> Declarations.read(open, before));
  }

  /** Whether anybody declares a type of event, by what was read of the catalog last. */
  public boolean isDeclaredEvent(String type) {
    return declarations.events().contains(type);
  }

  /** Whether a command has something personal, by what was read of the catalog last. */
  public boolean isPersonalCommand(String type) {
    return declarations.personal().isPersonal(PayloadType.Kind.COMMAND, type);
  }

  /** The same of events of a type in a context. */
  public boolean isPersonalEvent(String context, String type) {
    return declarations.personal().isPersonalEvent(context, type);
  }

  /**
   * Refuses what would be kept in the clear: bundles that do not use the SDK may send what they
   * like. Costs nothing for types without anything personal, by what was read of the catalog last.
   *
   * @throws EventoException {@code invalid-request}, which names type and place
   */
  public void refusePlainCommand(String type, Json payload) {
    declarations
        .personal()
        .plainAt(PayloadType.Kind.COMMAND, type, payload)
        .ifPresent(pointer -> refusePlain(type, pointer));
  }

  /**
   * The same of an event.
   *
   * @param context that it is to have: by its declarations the type is judged, and by no others
   */
  public void refusePlainEvent(String context, String type, Json payload) {
    declarations
        .personal()
        .plainAtOfEvent(context, type, payload)
        .ifPresent(pointer -> refusePlain(type, pointer));
  }

  private static void refusePlain(String type, String pointer) {
    throw EventoException.invalid(
        pointer, "of " + type + " is personal and must be encrypted, as the SDK does");
  }

  /**
   * Refuses an edited copy of a payload that has something personal in the clear, where any version
   * of its type ever said that it is personal; or an encrypted value that the payload does not have
   * there. Blocks on the database.
   *
   * @throws EventoException {@code invalid-request}, which names type and place
   */
  public void refusePersonalEdit(PayloadType.Kind kind, String type, JsonNode own, JsonNode copy) {
    for (var schema :
        database.read("read schemas", open -> PayloadVersionTable.personal(open, kind, type))) {
      PersonalPlaces.of(schema)
          .flatMap(places -> places.plainAt(copy))
          .ifPresent(
              pointer -> {
                throw EventoException.invalid(
                    "/payload" + pointer, "of " + type + " is personal and must be encrypted");
              });
    }
    SealedValues.changedAt(own, copy)
        .ifPresent(
            pointer -> {
              throw EventoException.invalid(
                  "/payload" + pointer, "is encrypted and must stay as it is, or be null");
            });
  }

  /**
   * The context that declares a type, be it of a command, an event or a query. Blocks on the
   * database.
   *
   * @return empty if nobody declares it
   */
  public Optional<String> contextOf(String type) {
    return database.read("read catalog", open -> CatalogTable.context(open, type));
  }

  /**
   * What a version of a type looks like, as it was declared. Blocks on the database.
   *
   * @return a JSON Schema; empty if nobody declared one
   */
  public Optional<String> schema(PayloadType.Kind kind, String type, int version) {
    return database.read(
        "read schema", open -> PayloadVersionTable.schema(open, kind, type, version));
  }

  /**
   * A version of a projector, saga or observer as it was declared last. Blocks on the database.
   *
   * @return empty if nobody declared it
   */
  public Optional<DeclareMessage.Component> consumer(String name, int version) {
    return database.read("read consumer", open -> CatalogTable.consumer(open, name, version));
  }

  /**
   * The bundle that owns a saga or observer. Blocks on the database.
   *
   * @return empty if none does
   */
  public Optional<String> ownerOfConsumer(String name) {
    return database.read("read owner", open -> OwnerTable.ofConsumer(open, name));
  }

  /** Reads what was declared before this node started. */
  public void load() {
    heardNanos = System.nanoTime();
    database.read("read catalog", CatalogTable::all).forEach(this::remember);
    hearsRemovals = true;
  }

  /**
   * Whether what is in memory may be believed: this node has heard lately what others removed. Long
   * before a type that was removed may be declared by somebody else, it may not.
   */
  private boolean isCurrent() {
    return !hearsRemovals || System.nanoTime() - heardNanos < BELIEVED_NANOS;
  }

  /** Forgets what was removed on any node, as it was read at a moment. */
  void forget(List<HistoryTable.Removed> removed, long readNanos) {
    for (var one : removed) {
      switch (one.kind()) {
        case "command" -> commands.remove(one.name());
        case "query" -> queries.remove(one.name());
        default -> {
          // Nothing is routed by it.
        }
      }
    }
    heardNanos = readNanos;
  }

  /** The declared command, if this node knows it already. */
  public @Nullable PayloadType command(String type) {
    return isCurrent() ? commands.get(type) : null;
  }

  /** The declared query, if this node knows it already. */
  public @Nullable PayloadType query(String type) {
    return isCurrent() ? queries.get(type) : null;
  }

  /**
   * Asks the database for a type that this node does not know.
   *
   * @return empty if nobody ever declared it; fails as the database does
   */
  public CompletionStage<Optional<PayloadType>> find(PayloadType.Kind kind, String type) {
    var key = kind + " " + type;
    // However many commands of a new type come at once, one look serves them all.
    var asked =
        lookups.computeIfAbsent(key, first -> Threads.supply(() -> look(kind, type), readers));
    asked.whenComplete((found, failure) -> lookups.remove(key, asked));
    return asked.minimalCompletionStage();
  }

  /** The refusal of a command or query of this type; names the nearest type that is known here. */
  public EventoException unknown(PayloadType.Kind kind, String type) {
    var isCommand = kind == PayloadType.Kind.COMMAND;
    return new EventoException(
        ErrorCode.UNKNOWN_TYPE,
        "no bundle ever declared a "
            + (isCommand ? "command " : "query ")
            + type
            + NearMiss.hint(type, (isCommand ? commands : queries).keySet()));
  }

  private Optional<PayloadType> look(PayloadType.Kind kind, String type) {
    var found =
        database.read("read catalog", connection -> CatalogTable.find(connection, kind, type));
    found.ifPresent(this::remember);
    return found;
  }

  /**
   * Whether an aggregate or boundary of this name was ever declared, so that the streams of that
   * type are its own. Asks the database.
   */
  public CompletionStage<Boolean> ownsStreams(String component) {
    return Threads.supply(
        () ->
            database.read(
                "read catalog", connection -> CatalogTable.ownsStreams(connection, component)),
        readers);
  }

  /**
   * Stores what a bundle declares, all or nothing.
   *
   * @param stranger a live node of another release, if there is any. An older one need not know
   *     what may stand beside what, so no second version of a consumer is begun until it is gone;
   *     one that was declared before is let in
   * @return fails with {@code declaration-conflict} if a component belongs to another bundle or is
   *     not to be declared in that context, or if another component owns one of the types; with
   *     {@code overloaded} if the catalog would have too much of that bundle; with {@code
   *     unavailable} for the sake of a stranger, or where something was removed just now
   */
  public CompletionStage<Void> declare(
      String bundle, List<DeclareMessage.Component> components, Optional<String> stranger) {
    return Threads.run(
        () -> {
          // In order of their keys, so that two bundles that declare at once never deadlock.
          var payloads =
              components.stream()
                  .flatMap(c -> payloads(c).stream())
                  .sorted(comparing(PayloadType::kind).thenComparing(PayloadType::type))
                  .toList();
          checkCounts(components.size(), payloads.size());
          var toClaim =
              components.stream()
                  .sorted(
                      comparing((DeclareMessage.Component c) -> OwnerTable.kept(c.kind().wire()))
                          .thenComparing(DeclareMessage.Component::name))
                  .toList();
          var inOrder =
              components.stream()
                  .sorted(
                      comparing((DeclareMessage.Component c) -> c.kind().wire())
                          .thenComparing(DeclareMessage.Component::name)
                          .thenComparing(DeclareMessage.Component::version))
                  .toList();
          var changes =
              database.transact(
                  "declare components",
                  connection -> {
                    var changed = new ArrayList<String>();
                    HistoryTable.checkNotJustRemoved(connection, toClaim, payloads);
                    for (var component : toClaim) {
                      OwnerTable.claim(connection, bundle, component);
                    }
                    for (var component : inOrder) {
                      if (stranger.isPresent()
                          && component.consumes() != null
                          && CatalogTable.isSecondVersion(connection, component)) {
                        throw tooEarly(component, stranger.get());
                      }
                      declare(connection, bundle, component).ifPresent(changed::add);
                    }
                    for (var payload : payloads) {
                      var isItsOwn = CatalogTable.declare(connection, payload);
                      if (payload.kind() != PayloadType.Kind.COMMAND) {
                        PayloadVersionTable.declare(connection, bundle, payload, isItsOwn);
                      }
                    }
                    checkCounts(
                        CatalogTable.countComponents(connection, bundle),
                        CatalogTable.countTypes(connection, bundle));
                    return changed;
                  });
          changes.forEach(change -> LOG.log(Level.INFO, () -> change + " bundle=" + bundle));
          payloads.forEach(this::remember);
        },
        readers);
  }

  /** Of one bundle: what is declared is kept, in the database and on all nodes. */
  private void checkCounts(long components, long types) {
    checkCount(components, "components", Setting.DECLARED_COMPONENTS_MAX);
    checkCount(types, "types", Setting.DECLARED_TYPES_MAX);
  }

  private void checkCount(long count, String what, Setting limit) {
    var max = settings.applyAsInt(limit);
    if (count > max) {
      throw new EventoException(
          ErrorCode.OVERLOADED,
          "a bundle has at most "
              + max
              + " "
              + what
              + " in the catalog, this one would have "
              + count
              + " ("
              + limit.key()
              + ")");
    }
  }

  /**
   * @return what is to be told of it; empty if nothing is new
   */
  private static Optional<String> declare(
      Connection connection, String bundle, DeclareMessage.Component component)
      throws SQLException {
    var said =
        CatalogTable.declare(connection, bundle, component)
            .map(
                before ->
                    before.isEmpty()
                        ? "is declared for the first time"
                        : "is declared otherwise than by " + before);
    if (said.isPresent()) {
      HistoryTable.declared(connection, bundle, component, said.get());
    }
    return said.map(
        text ->
            "component "
                + text
                + " kind="
                + component.kind()
                + " name="
                + component.name()
                + " version="
                + component.version()
                + " context="
                + component.context());
  }

  private static EventoException tooEarly(DeclareMessage.Component component, String stranger) {
    return new EventoException(
        ErrorCode.UNAVAILABLE,
        "a further version of the consumer "
            + component.name()
            + " is taken once all nodes are of one release; not yet: "
            + stranger);
  }

  private void remember(PayloadType payload) {
    switch (payload.kind()) {
      case COMMAND -> commands.put(payload.type(), payload);
      case QUERY -> queries.put(payload.type(), payload);
      case EVENT -> {
        // Nothing is routed by a type of event.
      }
    }
  }

  private static List<PayloadType> payloads(DeclareMessage.Component component) {
    var aggregate = component.kind() == ComponentKind.AGGREGATE ? component.name() : null;
    if ((aggregate != null || component.kind() == ComponentKind.BOUNDARY)
        && component.context().startsWith(RESERVED)) {
      throw EventoException.invalid(
          "/components/context",
          "must not begin with " + RESERVED + ", which is the cluster's own");
    }
    var payloads = new ArrayList<PayloadType>();
    for (var command : component.commands()) {
      if (aggregate != null && command.idProperty() == null) {
        throw EventoException.invalid(
            "/components/commands/idProperty",
            "must name the property of " + command.type() + " that holds the aggregate's id");
      }
      if (!command.mayRunAgain() && component.kind() != ComponentKind.SERVICE) {
        throw EventoException.invalid(
            "/components/commands/retry",
            "must be true for " + command.type() + ", as it is no service's");
      }
      payloads.add(
          new PayloadType(
              PayloadType.Kind.COMMAND,
              command.type(),
              1,
              component.kind().wire(),
              component.name(),
              component.context(),
              aggregate,
              command.idProperty(),
              text(command.schema()),
              null,
              command.mayRunAgain()));
    }
    if (aggregate != null || component.kind() == ComponentKind.BOUNDARY) {
      for (var event : component.events()) {
        payloads.add(
            new PayloadType(
                PayloadType.Kind.EVENT,
                event.type(),
                event.payloadVersion(),
                component.kind().wire(),
                component.name(),
                component.context(),
                aggregate,
                null,
                text(event.schema()),
                null,
                true));
      }
    }
    for (var query : component.queries()) {
      payloads.add(
          new PayloadType(
              PayloadType.Kind.QUERY,
              query.type(),
              query.payloadVersion(),
              component.kind().wire(),
              component.name(),
              component.context(),
              null,
              null,
              text(query.schema()),
              text(query.view()),
              true));
    }
    return payloads;
  }

  private static @Nullable String text(@Nullable Json json) {
    return json == null ? null : json.text();
  }
}
