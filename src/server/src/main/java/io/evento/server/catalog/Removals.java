package io.evento.server.catalog;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Takes out of the catalog what nobody hosts, such as what a bundle declared that is no more.
 *
 * <p>Why no node takes a type for what it was: each node reads every second what was removed, and
 * forgets it; one that could not for five seconds believes nothing that it remembers and asks the
 * database; and for ten seconds nobody may declare it again. A session that declares it while it is
 * removed either comes first, and finds it removed, so it is ended and declares again; or comes
 * second, and is told to come later.
 */
@NodeScoped
public class Removals {
  private static final Logger LOG = System.getLogger(Removals.class.getName());

  private final Database database;
  private final Catalog catalog;
  private final ExecutorService reader;
  private final List<BiConsumer<String, String>> listeners = new CopyOnWriteArrayList<>();
  private volatile boolean reading;
  private Set<Long> told = Set.of();

  @Inject
  public Removals(Database database, Catalog catalog, Threads threads) {
    this.database = database;
    this.catalog = catalog;
    reader = threads.pool("removals", 1, 2);
    threads.timer().scheduleWithFixedDelay(this::refresh, 1, 1, TimeUnit.SECONDS);
  }

  /** Calls back with kind and name of each component and type that was removed on any node. */
  public void onRemoved(BiConsumer<String, String> listener) {
    listeners.add(listener);
  }

  /**
   * Removes a component in all its versions, its types and its owner. Its streams, and the
   * checkpoints of a consumer, stay as they are.
   *
   * @param isHosted whether anybody hosts it, on any node
   * @throws EventoException {@code not-found}; {@code conflict} while it is hosted
   */
  public Ownership.Done removeComponent(Ownership.Asked asked, BooleanSupplier isHosted) {
    var kept = OwnerTable.kept(asked.kind());
    return remove(
        asked,
        isHosted,
        open -> {
          OwnerTable.lock(open, kept, asked.name());
          var bundle = CatalogTable.remove(open, asked.kind(), asked.name()).orElse(null);
          if (bundle == null) {
            throw notFound(asked);
          }
          var types = CatalogTable.removeTypes(open, asked.kind(), asked.name());
          if (!CatalogTable.isDeclared(open, OwnerTable.kinds(kept), asked.name())) {
            OwnerTable.remove(open, kept, asked.name());
          }
          var detail =
              "the "
                  + asked.kind()
                  + " "
                  + asked.name()
                  + " of the bundle "
                  + bundle
                  + " is removed"
                  + (types.isEmpty()
                      ? ""
                      : " with "
                          + types.stream()
                              .map(type -> type.kind() + " " + type.type())
                              .sorted()
                              .collect(Collectors.joining(", ")));
          HistoryTable.add(open, asked.kind(), asked, "remove", bundle, detail);
          for (var type : types) {
            addType(open, asked, type, detail);
          }
          return detail;
        });
  }

  /**
   * Removes a type that is declared no more by its component, or whose component is gone.
   *
   * @param asked its kind is {@code command}, {@code event} or {@code query}
   * @param isHosted whether anybody hosts it, on any node
   * @throws EventoException {@code not-found}; {@code conflict} while it is hosted
   */
  public Ownership.Done removeType(Ownership.Asked asked, BooleanSupplier isHosted) {
    return remove(
        asked,
        isHosted,
        open -> {
          var types = CatalogTable.removeType(open, asked.kind(), asked.name());
          if (types.isEmpty()) {
            throw notFound(asked);
          }
          var detail = "the " + asked.kind() + " " + asked.name() + " is removed";
          addType(open, asked, types.get(0), detail);
          return detail;
        });
  }

  private static void addType(
      Connection open, Ownership.Asked asked, CatalogTable.TypeKey type, String detail)
      throws SQLException {
    PayloadVersionTable.remove(open, type);
    var ofType =
        new Ownership.Asked(type.kind(), type.type(), asked.by(), asked.reason(), asked.dryRun());
    HistoryTable.add(open, type.kind(), ofType, "remove", null, detail);
  }

  private interface Work {
    String on(Connection open) throws SQLException;
  }

  private Ownership.Done remove(Ownership.Asked asked, BooleanSupplier isHosted, Work work) {
    var detail =
        database.audited(
            "remove from catalog",
            open -> {
              var done = work.on(open);
              // Under the lock: who declared it before shows by now, or is ended soon.
              if (isHosted.getAsBoolean()) {
                throw new EventoException(
                    ErrorCode.CONFLICT,
                    "a live session hosts the "
                        + asked.kind()
                        + " "
                        + asked.name()
                        + ": stop it first");
              }
              if (asked.dryRun()) {
                open.rollback();
              }
              return done;
            });
    if (!asked.dryRun()) {
      read();
      LOG.log(Level.INFO, () -> "operation remove by=" + asked.by() + " " + detail);
    }
    return new Ownership.Done(
        "remove", asked.kind(), asked.name(), asked.dryRun(), detail, null, List.of());
  }

  private static EventoException notFound(Ownership.Asked asked) {
    return new EventoException(
        ErrorCode.NOT_FOUND, "nobody ever declared the " + asked.kind() + " " + asked.name());
  }

  private void refresh() {
    if (reading) {
      return;
    }
    reading = true;
    try {
      reader.execute(
          () -> {
            try {
              read();
            } catch (RuntimeException failure) {
              LOG.log(Level.DEBUG, "what was removed is read at the next tick", failure);
            } finally {
              reading = false;
            }
          });
    } catch (RejectedExecutionException stopping) {
      reading = false;
    }
  }

  private synchronized void read() {
    var now = System.nanoTime();
    var removed = database.read("read removals", HistoryTable::removedLately);
    catalog.forget(removed, now);
    for (var one : removed) {
      if (!told.contains(one.id())) {
        listeners.forEach(listener -> listener.accept(one.kind(), one.name()));
      }
    }
    told = removed.stream().map(HistoryTable.Removed::id).collect(Collectors.toSet());
  }
}
