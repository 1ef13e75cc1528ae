package io.evento.server.console.verify;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.console.AdminCalls;
import io.evento.server.console.OperationRequest;
import io.evento.server.eventstore.proof.ChainTable;
import io.evento.server.gateway.access.Callers;
import io.evento.server.security.Access;
import io.evento.server.security.Actor;
import io.evento.server.security.Needs;
import io.evento.server.verify.Run;
import io.evento.server.verify.Verification;
import io.evento.server.verify.VerifyTable;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Runs that verify the store, what they found, and the last hash of the chain to be exported. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("verify")
@Produces(MediaType.APPLICATION_JSON)
public class VerifyResource {
  private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");

  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private Verification verification;
  @Inject private VerifyTable runs;
  @Inject private ChainTable chain;
  @Inject private Membership membership;

  /**
   * @param hash SHA-256 in hexadecimal
   */
  record AnchorGiven(@Nullable Long block, @Nullable String hash) {}

  record Start(@Nullable String reason, @Nullable AnchorGiven anchor) {}

  /**
   * @param hash SHA-256 in hexadecimal; absent before the first block is full
   * @param position up to which the chain has the events; 0 before
   * @param head of the store
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record AnchorView(
      long block,
      long position,
      @Nullable String hash,
      @Nullable String epoch,
      @Nullable String at,
      long head) {}

  record ExtentView(long head, long chained) {
    static ExtentView of(Verification.Extent extent) {
      return new ExtentView(extent.head(), extent.chained());
    }
  }

  /**
   * @param from the first position at which an event must be: what is before it was archived away
   * @param events positions that were looked at
   * @param rate of them, per second
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record RunView(
      long id,
      String state,
      String by,
      @Nullable String reason,
      String startedAt,
      @Nullable String endedAt,
      double seconds,
      @Nullable String node,
      String part,
      long from,
      long head,
      long events,
      double rate,
      long outcomes,
      long checkpoints,
      long snapshots,
      int replayed,
      int unreplayed,
      long findings,
      @Nullable Long anchor,
      @Nullable String error) {
    static RunView of(Run run) {
      var counts = run.counts();
      var ended = run.endedAt();
      var anchor = run.anchor();
      return new RunView(
          run.id(),
          run.state(),
          run.by(),
          run.reason(),
          AdminCalls.time(run.startedAt()),
          ended == null ? null : AdminCalls.time(ended),
          run.seconds(),
          run.node(),
          run.place().part().wire(),
          run.floor() + 1,
          run.head(),
          counts.events(),
          run.seconds() <= 0 ? 0 : Math.rint(counts.events() / run.seconds()),
          counts.outcomes(),
          counts.checkpoints(),
          counts.snapshots(),
          counts.replayed(),
          counts.unreplayed(),
          counts.findings(),
          anchor == null ? null : anchor.block(),
          run.error());
    }
  }

  /**
   * @param store how far the store and its chain go now
   * @param next the {@code before} of the next page; absent at the end
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record RunsView(ExtentView store, List<RunView> runs, @Nullable Long next) {}

  /**
   * @param run absent for a dry run
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Started(boolean dryRun, ExtentView store, @Nullable RunView run) {}

  /**
   * @param position of the event, of the first one where it is about several
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record FindingView(
      long id, String kind, @Nullable Long position, @Nullable String stream, String detail) {}

  /**
   * @param next the {@code after} of the next page; absent at the end
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record RunPage(RunView run, List<FindingView> findings, @Nullable Long next) {}

  /** The newest first. */
  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> page(
      @QueryParam("before") @Nullable Long before,
      @QueryParam("limit") @DefaultValue("20") int limit) {
    OperationRequest.checkLimit(limit);
    return adminCalls.view(
        () -> {
          var page = runs.page(before == null ? Long.MAX_VALUE : before, limit);
          return new RunsView(
              ExtentView.of(verification.now()),
              page.stream().map(RunView::of).toList(),
              page.size() < limit ? null : page.get(page.size() - 1).id());
        });
  }

  /** Body: {@code {"reason","anchor":{"block","hash"}}}, both optional. */
  @POST
  @Needs(Access.OPERATE)
  @Consumes({MediaType.APPLICATION_JSON, MediaType.WILDCARD})
  public CompletionStage<byte[]> start(
      @QueryParam("dryRun") @Nullable String dryRun, InputStream body) throws IOException {
    var isDry = OperationRequest.isDry(dryRun);
    var given = OperationRequest.body(Start.class, body);
    var reason = OperationRequest.reason(given.reason());
    var anchor = anchor(given.anchor());
    var actor = actor();
    return adminCalls.answer(
        () -> {
          var extent = isDry ? verification.extent() : verification.now();
          return new Started(
              isDry,
              ExtentView.of(extent),
              isDry ? null : RunView.of(verification.start(anchor, reason, actor)));
        });
  }

  private Actor actor() {
    return Actor.of(Callers.of(security), membership.self());
  }

  private static Run.@Nullable Anchor anchor(@Nullable AnchorGiven given) {
    if (given == null) {
      return null;
    }
    var block = given.block();
    if (block == null || block < 1) {
      throw EventoException.invalid("/anchor/block", "is required and must be 1 or more");
    }
    var hash = given.hash();
    if (hash == null || !HASH.matcher(hash).matches()) {
      throw EventoException.invalid(
          "/anchor/hash", "is required and has 64 digits, 0 to 9 and a to f");
    }
    return new Run.Anchor(block, HexFormat.of().parseHex(hash));
  }

  /** The last hash of the chain, to be kept where no administrator of this database can write. */
  @GET
  @Needs(Access.VIEW)
  @Path("anchor")
  public CompletionStage<byte[]> anchor() {
    return adminCalls.view(
        () -> {
          var head = verification.now().head();
          return chain
              .last()
              .map(
                  last ->
                      new AnchorView(
                          last.number(),
                          last.position(),
                          last.hex(),
                          last.epoch().toString(),
                          AdminCalls.time(last.at()),
                          head))
              .orElseGet(() -> new AnchorView(0, 0, null, null, null, head));
        });
  }

  /** A run, and what it found, in that order. */
  @GET
  @Needs(Access.VIEW)
  @Path("runs/{run}")
  public CompletionStage<byte[]> run(
      @PathParam("run") long run,
      @QueryParam("after") @DefaultValue("0") long after,
      @QueryParam("limit") @DefaultValue("100") int limit) {
    OperationRequest.checkLimit(limit);
    return adminCalls.view(
        () -> {
          var view = RunView.of(verification.find(run));
          var found = runs.findings(run, after, limit);
          return new RunPage(
              view,
              found.stream()
                  .map(
                      one ->
                          new FindingView(
                              one.id(), one.kind(), one.position(), one.stream(), one.detail()))
                  .toList(),
              found.size() < limit ? null : found.get(found.size() - 1).id());
        });
  }

  /** Ends a run; what it found stays. */
  @POST
  @Needs(Access.OPERATE)
  @Path("runs/{run}/cancel")
  public CompletionStage<byte[]> cancel(@PathParam("run") long run) {
    var actor = actor();
    return adminCalls.answer(() -> RunView.of(verification.cancel(run, actor)));
  }
}
