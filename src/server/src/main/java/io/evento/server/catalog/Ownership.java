package io.evento.server.catalog;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import io.evento.server.catalog.OwnerTable.Owner;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * To which bundle a component belongs, and what operators do about it. Each change is one
 * transaction with its row of the history; a dry run is the same one, undone. Its methods block on
 * the database.
 */
@NodeScoped
public class Ownership {
  private static final Logger LOG = System.getLogger(Ownership.class.getName());
  private static final int CONTEXTS_MAX = 20;
  private static final int DECLARED_MAX = 5_000;

  private final Database database;

  /**
   * Who asks for what.
   *
   * @param by whom the history names
   * @param reason in his words; null for none
   */
  public record Asked(
      String kind, String name, String by, @Nullable String reason, boolean dryRun) {}

  /** A component's kind and name. */
  public record Id(String kind, String name) {}

  /**
   * To whom a component belongs.
   *
   * @param bundle null if it is given to whoever declares it first
   * @param contexts in which it may be declared; empty for any
   */
  public record Standing(@Nullable String bundle, List<String> contexts) {}

  /**
   * What was done, or would be.
   *
   * @param action {@code owner} or {@code contexts}
   * @param dryRun whether it was undone
   * @param detail in a sentence, as the history has it
   */
  public record Done(
      String action,
      String kind,
      String name,
      boolean dryRun,
      String detail,
      @Nullable String owner,
      List<String> contexts) {}

  /**
   * A row of a component's history.
   *
   * @param action {@code declare}, {@code owner} or {@code contexts}
   * @param version of a declaration; else 0
   * @param bundle that declared it, or owned it from then on; null for nobody
   * @param context of a declaration; else null
   * @param definition of a declaration, JSON; else null
   * @param by {@code bundle} for a declaration
   */
  public record Change(
      long id,
      OffsetDateTime at,
      String action,
      int version,
      @Nullable String bundle,
      @Nullable String context,
      @Nullable String definition,
      String by,
      String detail,
      @Nullable String reason) {}

  /** A component that a bundle declared for the first time, or otherwise than before. */
  public record Declared(OffsetDateTime at, String bundle, String kind, String name, int version) {}

  @Inject
  public Ownership(Database database) {
    this.database = database;
  }

  /**
   * Hands a component over to another bundle.
   *
   * @param bundle null to give it to whoever declares it first
   * @param isHosted whether an instance of a bundle hosts the component at the moment
   * @throws EventoException {@code not-found}; {@code conflict} if it belongs to that bundle
   *     already, or an instance of its owner hosts it: that one would go on
   */
  public Done handOver(Asked asked, @Nullable String bundle, Predicate<String> isHosted) {
    if (bundle != null) {
      Names.checkType("/bundle", bundle);
    }
    return change(
        asked,
        "owner",
        (open, was) -> {
          var former = was.bundle();
          if (former == null ? bundle == null : former.equals(bundle)) {
            throw conflict(
                said(asked)
                    + (bundle == null
                        ? " belongs to nobody already"
                        : " belongs to the bundle " + bundle + " already"));
          }
          if (former != null && isHosted.test(former)) {
            throw conflict(
                "an instance of the bundle "
                    + former
                    + " hosts "
                    + said(asked)
                    + ": stop it first");
          }
          return new Changed(
              new Owner(bundle, was.contexts()),
              said(asked)
                  + (bundle == null
                      ? " belongs to whoever declares it first"
                      : " belongs to the bundle " + bundle)
                  + (former == null ? "" : ", and to " + former + " no more"));
        });
  }

  /**
   * Says in which contexts a component may be declared. To change one in a rolling upgrade, the
   * former one is allowed beside the new one until the last instance of before is gone.
   *
   * @throws EventoException {@code not-found}, {@code conflict} for a consumer
   */
  public Done allow(Asked asked, List<String> contexts) {
    if (contexts.isEmpty() || contexts.size() > CONTEXTS_MAX) {
      throw EventoException.invalid("/contexts", "must be 1 to " + CONTEXTS_MAX);
    }
    contexts.forEach(context -> Names.checkType("/contexts", context));
    var wanted = contexts.stream().distinct().sorted().toList();
    return change(
        asked,
        "contexts",
        (open, was) -> {
          if (was.contexts().isEmpty()) {
            throw conflict(said(asked) + " may be declared in any context, as it only reads them");
          }
          return new Changed(
              new Owner(was.bundle(), wanted),
              said(asked)
                  + " may be declared in context "
                  + String.join(", ", wanted)
                  + ", before in "
                  + String.join(", ", was.contexts()));
        });
  }

  /** By component as it is kept. */
  public Map<Id, Standing> all() {
    return database.read(
        "read owners",
        open -> {
          var found = new HashMap<Id, Standing>();
          for (var owned : OwnerTable.all(open)) {
            var standing = new Standing(owned.owner().bundle(), owned.owner().contexts());
            found.put(new Id(owned.kind(), owned.name()), standing);
            if (owned.kind().equals("aggregate")) {
              found.put(new Id("boundary", owned.name()), standing);
            }
          }
          return found;
        });
  }

  /** What became of a component before an id, newest first. */
  public List<Change> history(String kind, String name, long before, int limit) {
    var kinds = Stream.of(kind, OwnerTable.kept(kind)).distinct().toList();
    return database.read("read history", open -> HistoryTable.of(open, kinds, name, before, limit));
  }

  /** What bundles declared in a time, newest first; of the last 5,000 changes. */
  public List<Declared> declared(OffsetDateTime from, OffsetDateTime to) {
    return database.read(
        "read declarations", open -> HistoryTable.declaredLately(open, from, to, DECLARED_MAX));
  }

  private record Changed(Owner owner, String detail) {}

  private interface Work {
    Changed on(Connection open, Owner was) throws SQLException;
  }

  private Done change(Asked asked, String action, Work work) {
    var kind = OwnerTable.kept(asked.kind());
    var done =
        database.audited(
            "change " + action + " of component",
            open -> {
              var was =
                  OwnerTable.lock(open, kind, asked.name())
                      .orElseThrow(
                          () ->
                              new EventoException(
                                  ErrorCode.NOT_FOUND, "nobody ever declared " + said(asked)));
              var changed = work.on(open, was);
              OwnerTable.set(open, kind, asked.name(), changed.owner());
              HistoryTable.add(
                  open, kind, asked, action, changed.owner().bundle(), changed.detail());
              if (asked.dryRun()) {
                open.rollback();
              }
              return new Done(
                  action,
                  asked.kind(),
                  asked.name(),
                  asked.dryRun(),
                  changed.detail(),
                  changed.owner().bundle(),
                  changed.owner().contexts());
            });
    if (!asked.dryRun()) {
      LOG.log(
          Level.INFO,
          () ->
              "operation "
                  + action
                  + " by="
                  + asked.by()
                  + " "
                  + done.detail()
                  + RequestCorrelation.logged());
    }
    return done;
  }

  private static String said(Asked asked) {
    return "the " + asked.kind() + " " + asked.name();
  }

  private static EventoException conflict(String why) {
    return new EventoException(ErrorCode.CONFLICT, why);
  }
}
