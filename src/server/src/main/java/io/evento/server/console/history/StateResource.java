package io.evento.server.console.history;

import io.evento.protocol.DecideMessage.Aggregate;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Names;
import io.evento.server.NodeScoped;
import io.evento.server.aggregate.PastStates;
import io.evento.server.console.AdminCalls;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.eventstore.read.SnapshotTable;
import io.evento.server.eventstore.read.StreamReader;
import io.evento.server.gateway.access.Callers;
import io.evento.server.gateway.http.Headers;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.routing.Failures;
import io.evento.server.security.Access;
import io.evento.server.security.Caller;
import io.evento.server.security.Needs;
import io.evento.server.security.Reading;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The state that an aggregate had at a version, made by its own handlers in a bundle that is
 * connected; and the commands that it refused.
 */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("states/{aggregateType}")
@Produces(MediaType.APPLICATION_JSON)
public class StateResource {
  private static final int REJECTIONS = 100;

  /** More than an aggregate has that somebody wrote. */
  private static final int COMMANDS_MAX = 1_000;

  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private EntityManagers managers;
  @Inject private PastStates pastStates;
  @Inject private SnapshotTable snapshots;
  @Inject private StreamReader streams;
  @Inject private OutcomeReader outcomes;

  /** A state that a bundle wrote when it was at this version. */
  record SnapshotView(long version, Json state) {}

  /**
   * @param version that was asked for
   * @param last version of the stream by now
   * @param computed whether a bundle's handlers made the state; else there is at most a snapshot
   * @param state JSON; null where no event has made one, absent if it was not computed
   * @param instance of the bundle that made it
   * @param events how many were applied for it
   * @param why it was not computed
   * @param snapshot the kept one, of whatever version, if it was not computed
   */
  record StateView(
      long version,
      long last,
      boolean computed,
      @Nullable Json state,
      @Nullable UUID instance,
      long events,
      @Nullable String why,
      @Nullable SnapshotView snapshot) {}

  record RejectionsView(List<FlowResource.OutcomeView> rejections) {}

  /**
   * @param commands that the aggregate decides; empty if nobody ever declared one
   */
  private record Asked(Aggregate aggregate, long version, long last, List<String> commands) {}

  /**
   * @param version 1 and up; the last one if it is not said
   */
  @GET
  @Needs(Access.READ)
  public CompletionStage<byte[]> at(
      @PathParam("aggregateType") String type,
      @QueryParam("id") @Nullable String id,
      @QueryParam("version") @Nullable String version) {
    var aggregate = aggregate(type, id);
    var caller = Callers.of(security);
    var wanted = version == null ? 0 : Headers.number("version", version, 1, Long.MAX_VALUE);
    return adminCalls.viewed(
        adminCalls.read(() -> ask(caller, aggregate, wanted)).thenCompose(this::state));
  }

  private Asked ask(Caller caller, Aggregate aggregate, long version) {
    var last = streams.tip(aggregate.stream()).version();
    if (last == 0) {
      throw new EventoException(
          ErrorCode.STREAM_NOT_FOUND, "there is no stream " + aggregate.stream());
    }
    if (version > last) {
      throw EventoException.invalid("version", "must be " + last + " or less");
    }
    checkMayRead(caller);
    return new Asked(aggregate, version == 0 ? last : version, last, commands(aggregate.type()));
  }

  /**
   * A state tells of all events of its stream, which may be of several contexts: who may not read
   * some of them reads none of it.
   */
  private static void checkMayRead(Caller caller) {
    Reading.checkAll(caller, "a state");
  }

  /** All that were ever declared: some of them nobody hosts any more. */
  private List<String> commands(String type) {
    return managers.read(
        manager ->
            manager
                .createQuery(
                    "select p.type from PayloadRow p where p.kind = 'command'"
                        + " and p.componentKind = 'aggregate' and p.component = :type"
                        + " order by p.type",
                    String.class)
                .setParameter("type", type)
                .setMaxResults(COMMANDS_MAX)
                .getResultList());
  }

  private CompletionStage<StateView> state(Asked asked) {
    if (asked.commands.isEmpty()) {
      return not(asked, "no bundle ever declared the aggregate " + asked.aggregate.type());
    }
    return pastStates
        .at(asked.aggregate, asked.commands, asked.version)
        .thenApply(
            past ->
                new StateView(
                    asked.version,
                    asked.last,
                    true,
                    past.state(),
                    past.instance(),
                    past.events(),
                    null,
                    null))
        .handle(
            (made, failure) ->
                failure == null
                    ? CompletableFuture.<StateView>completedStage(made)
                    : not(asked, why(failure)))
        .thenCompose(stage -> stage);
  }

  private static String why(Throwable failure) {
    return Failures.told(failure).detail();
  }

  private CompletionStage<StateView> not(Asked asked, String why) {
    return adminCalls.read(
        () -> {
          var kept =
              snapshots
                  .latest(asked.aggregate.stream())
                  .map(one -> new SnapshotView(one.tip().version(), new Json(one.state())));
          return new StateView(
              asked.version, asked.last, false, null, null, 0, why, kept.orElse(null));
        });
  }

  /**
   * The commands that it refused, newest first, of about the last 100,000 outcomes in the store.
   */
  @GET
  @Needs(Access.READ)
  @Path("rejections")
  public CompletionStage<byte[]> rejections(
      @PathParam("aggregateType") String type, @QueryParam("id") @Nullable String id) {
    var aggregate = aggregate(type, id);
    var caller = Callers.of(security);
    return adminCalls.view(
        () -> {
          checkMayRead(caller);
          return new RejectionsView(
              outcomes.latelyRejected(aggregate.stream(), REJECTIONS).stream()
                  .map(FlowResource.OutcomeView::of)
                  .toList());
        });
  }

  private static Aggregate aggregate(String type, @Nullable String id) {
    Names.checkType("aggregateType", type);
    Names.checkAggregateId("id", id == null ? "" : id);
    return new Aggregate(type, id == null ? "" : id);
  }
}
