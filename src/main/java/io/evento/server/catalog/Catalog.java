package io.evento.server.catalog;

import static java.util.Comparator.comparing;

import io.evento.protocol.DeclareMessage;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.persistence.Database;
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
import org.jspecify.annotations.Nullable;

/**
 * The types that bundles declared, in memory. Only ever grows and is never wrong about an owner, as
 * an owner never changes; what another node declared meanwhile is found when it is first asked for.
 */
@NodeScoped
public class Catalog {
  private static final Logger LOG = System.getLogger(Catalog.class.getName());

  private final Database database;
  private final ExecutorService readers;
  private final Map<String, PayloadType> commands = new ConcurrentHashMap<>();
  private final Map<String, PayloadType> queries = new ConcurrentHashMap<>();
  private final Map<String, CompletableFuture<Optional<PayloadType>>> lookups =
      new ConcurrentHashMap<>();

  @Inject
  public Catalog(Database database, Threads threads) {
    this.database = database;
    readers = threads.pool("catalog", 2, 2_000);
  }

  /** Reads what was declared before this node started. */
  public void load() {
    database.read("read catalog", CatalogTable::all).forEach(this::remember);
  }

  /** The declared command, if this node knows it already. */
  public @Nullable PayloadType command(String type) {
    return commands.get(type);
  }

  /** The declared query, if this node knows it already. */
  public @Nullable PayloadType query(String type) {
    return queries.get(type);
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
   *     {@code unavailable} for the sake of a stranger
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
                    return changed;
                  });
          changes.forEach(change -> LOG.log(Level.INFO, () -> change + " bundle=" + bundle));
          payloads.forEach(this::remember);
        },
        readers);
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
