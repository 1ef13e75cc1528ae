package io.evento.server.console.history;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.DecideMessage.Aggregate;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Names;
import io.evento.server.NodeScoped;
import io.evento.server.aggregate.PastStates;
import io.evento.server.catalog.CatalogIndex;
import io.evento.server.cluster.Membership;
import io.evento.server.console.AdminCalls;
import io.evento.server.console.OperationRequest;
import io.evento.server.eventstore.read.SnapshotPages;
import io.evento.server.gateway.access.Callers;
import io.evento.server.routing.Failures;
import io.evento.server.security.Access;
import io.evento.server.security.Actor;
import io.evento.server.security.Needs;
import io.evento.server.security.Reading;
import io.evento.server.verify.SnapshotReplay;
import jakarta.inject.Inject;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** States that nodes keep so that long streams need not be applied from their first event on. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("snapshots")
@Produces(MediaType.APPLICATION_JSON)
public class SnapshotResource {
  private static final int BEGINNING_CHARS_MAX = 200;
  private static final Duration REBUILD_MAX = Duration.ofSeconds(10);

  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private SnapshotPages pages;
  @Inject private CatalogIndex index;
  @Inject private PastStates pastStates;
  @Inject private Membership membership;

  /**
   * @param count of streams that have one; at most 1,000 are counted
   * @param more whether there may be more
   * @param bytes as stored, of those that are counted
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record TypeView(
      String type,
      String bundle,
      long count,
      boolean more,
      long bytes,
      @Nullable String oldest,
      @Nullable String newest) {}

  /**
   * @param next the {@code after} of the next page; absent at the end
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record TypesView(List<TypeView> types, @Nullable String next) {}

  /**
   * @param last version of the stream by now
   * @param bytes as stored
   */
  record KeptView(String id, long version, long last, long bytes, String schema, String at) {
    static KeptView of(SnapshotPages.Kept kept) {
      return new KeptView(
          kept.stream().substring(kept.stream().indexOf(':') + 1),
          kept.version(),
          kept.last(),
          kept.bytes(),
          kept.schema(),
          AdminCalls.time(kept.at()));
    }
  }

  /**
   * @param next the {@code after} of the next page; absent at the end
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Page(List<KeptView> items, @Nullable String next) {}

  record StateView(KeptView snapshot, Json state) {}

  /**
   * @param made whether a bundle made the state of that version from all events
   * @param same whether it is as the kept one, but for what differs each time; false if it was not
   *     made
   * @param state absent if it was not made
   * @param events that were applied
   * @param millis that it took
   * @param why it was not made
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record RebuiltView(
      boolean made,
      boolean same,
      @Nullable Json state,
      long events,
      long millis,
      @Nullable String why) {}

  record DropView(String action, String stream, boolean dryRun, String detail) {}

  /** Of each aggregate type, by their names. */
  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> types(
      @QueryParam("after") @DefaultValue("") String after,
      @QueryParam("limit") @DefaultValue("200") int limit) {
    OperationRequest.checkLimit(limit);
    if (!after.isEmpty()) {
      Names.checkType("after", after);
    }
    return adminCalls.view(
        () -> {
          var picture = index.picture();
          var names =
              picture.components().stream()
                  .map(component -> component.id())
                  .filter(id -> id.kind().equals("aggregate"))
                  .map(id -> id.name());
          var types = page(names, after, limit);
          return new TypesView(
              pages.ofTypes(types).stream()
                  .map(
                      one ->
                          new TypeView(
                              one.type(),
                              picture
                                  .component("aggregate", one.type())
                                  .map(component -> component.bundle())
                                  .orElse(""),
                              one.count(),
                              one.count() >= SnapshotPages.LOOKED_AT_MAX,
                              one.bytes(),
                              AdminCalls.timeOrNull(one.oldest()),
                              AdminCalls.timeOrNull(one.newest())))
                  .toList(),
              types.size() < limit ? null : types.get(types.size() - 1));
        });
  }

  /** So many of the names behind that one, in their order; full if there may be more. */
  static List<String> page(Stream<String> names, String after, int limit) {
    return names
        .filter(name -> name.compareTo(after) > 0)
        .distinct()
        .sorted()
        .limit(limit)
        .toList();
  }

  /**
   * Those of a type, by the ids of their streams.
   *
   * @param beginning of the ids; blank for all
   */
  @GET
  @Needs(Access.READ)
  @Path("{aggregateType}")
  public CompletionStage<byte[]> page(
      @PathParam("aggregateType") String type,
      @QueryParam("id") @DefaultValue("") String beginning,
      @QueryParam("after") @Nullable String after,
      @QueryParam("limit") @DefaultValue("100") int limit) {
    Names.checkType("aggregateType", type);
    OperationRequest.checkLimit(limit);
    if (beginning.length() > BEGINNING_CHARS_MAX) {
      throw EventoException.invalid(
          "id", "must have at most " + BEGINNING_CHARS_MAX + " characters");
    }
    if (after != null) {
      Names.checkAggregateId("after", after);
    }
    Reading.checkAll(Callers.of(security), "a state");
    return adminCalls.view(
        () -> {
          var found = pages.page(type, beginning, after, limit);
          var items = found.stream().map(KeptView::of).toList();
          return new Page(items, items.size() < limit ? null : items.get(items.size() - 1).id());
        });
  }

  /** That of one stream. */
  @GET
  @Needs(Access.READ)
  @Path("{aggregateType}/state")
  public CompletionStage<byte[]> state(
      @PathParam("aggregateType") String type, @QueryParam("id") @Nullable String id) {
    var aggregate = aggregate(type, id);
    return adminCalls.view(
        () -> {
          var kept = kept(aggregate);
          return new StateView(KeptView.of(kept.kept()), new Json(kept.state()));
        });
  }

  /** What the handlers make of all events up to the version of the kept state, beside it. */
  @GET
  @Needs(Access.READ)
  @Path("{aggregateType}/rebuilt")
  public CompletionStage<byte[]> rebuilt(
      @PathParam("aggregateType") String type, @QueryParam("id") @Nullable String id) {
    var aggregate = aggregate(type, id);
    return adminCalls.viewed(
        adminCalls
            .read(() -> kept(aggregate))
            .thenCompose(
                kept -> {
                  var begun = System.nanoTime();
                  return command(type)
                      .map(
                          command ->
                              pastStates.replay(
                                  aggregate,
                                  command,
                                  kept.kept().version(),
                                  kept.kept().schema(),
                                  REBUILD_MAX))
                      .orElseGet(
                          () ->
                              CompletableFuture.failedStage(
                                  new EventoException(
                                      ErrorCode.NO_HANDLER, "no bundle ever declared " + type)))
                      .handle((made, failure) -> rebuilt(kept, made, failure, begun));
                }));
  }

  private static RebuiltView rebuilt(
      SnapshotPages.KeptState kept,
      PastStates.@Nullable Past made,
      @Nullable Throwable failure,
      long begun) {
    var millis = Duration.ofNanos(System.nanoTime() - begun).toMillis();
    return made == null
        ? new RebuiltView(
            false, false, null, 0, millis, failure == null ? null : Failures.told(failure).detail())
        : new RebuiltView(
            true,
            SnapshotReplay.isSame(kept.state(), made.state().text()),
            made.state(),
            made.events(),
            millis,
            null);
  }

  /** Drops it: it is made again when it is wanted. The reason is in the address. */
  @DELETE
  @Needs(Access.OPERATE)
  @Path("{aggregateType}/state")
  public CompletionStage<byte[]> drop(
      @PathParam("aggregateType") String type,
      @QueryParam("id") @Nullable String id,
      @QueryParam("dryRun") @Nullable String dryRun,
      @QueryParam("reason") @Nullable String reason) {
    var aggregate = aggregate(type, id);
    var why = OperationRequest.reason(reason);
    var isDry = OperationRequest.isDry(dryRun);
    var by = Actor.of(Callers.of(security), membership.self());
    return adminCalls.answer(
        () -> {
          var kept = kept(aggregate).kept();
          if (!isDry) {
            pages.drop(kept.stream(), why, by);
          }
          return new DropView(
              "drop snapshot",
              kept.stream(),
              isDry,
              (isDry ? "would drop" : "dropped")
                  + " the state of version "
                  + kept.version()
                  + "; the next command applies "
                  + kept.last()
                  + " events first");
        });
  }

  private SnapshotPages.KeptState kept(Aggregate aggregate) {
    return pages
        .one(aggregate.stream())
        .orElseThrow(
            () ->
                new EventoException(
                    ErrorCode.NOT_FOUND, "there is no snapshot of " + aggregate.stream()));
  }

  private Optional<String> command(String type) {
    return index
        .picture()
        .component("aggregate", type)
        .flatMap(component -> component.commands().stream().findFirst());
  }

  private Aggregate aggregate(String type, @Nullable String id) {
    Names.checkType("aggregateType", type);
    Names.checkAggregateId("id", id == null ? "" : id);
    Reading.checkAll(Callers.of(security), "a state");
    return new Aggregate(type, id == null ? "" : id);
  }
}
