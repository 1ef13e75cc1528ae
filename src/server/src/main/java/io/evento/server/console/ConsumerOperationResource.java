package io.evento.server.console;

import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.operation.Operations;
import io.evento.server.consumer.operation.Retirement;
import io.evento.server.consumer.operation.VersionSwitch;
import io.evento.server.consumer.shadow.Comparisons;
import io.evento.server.eventstore.follow.SeenPosition;
import io.evento.server.eventstore.follow.SeenPositions;
import io.evento.server.routing.session.Directory;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
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
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A consumer, and what operators do to it or to one of its segments. With {@code dryRun=true}
 * nothing is done, and the answer says what would be.
 */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("consumers/{name}/{version}")
@Produces(MediaType.APPLICATION_JSON)
@Consumes({MediaType.APPLICATION_JSON, MediaType.WILDCARD})
public class ConsumerOperationResource {
  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private Operations operations;
  @Inject private VersionSwitch versionSwitch;
  @Inject private Retirement retirement;
  @Inject private Directory directory;
  @Inject private Hearsay hearsay;
  @Inject private Comparisons comparisons;
  @Inject private ConsumerViews views;
  @Inject private SeenPositions positions;

  record Reason(@Nullable String reason) {}

  /**
   * @param position everything up to there counts as done; or null
   * @param epoch in which the position was seen; null for the present one
   * @param time RFC 3339: events from then on come again; or null
   * @param effects whether sagas and observers send again what they sent before
   */
  record Reset(
      @Nullable Long position,
      @Nullable UUID epoch,
      @Nullable String time,
      @Nullable Boolean effects,
      @Nullable String reason) {}

  /**
   * @param firstSlot of the second half; null for the middle
   */
  record Split(@Nullable Integer firstSlot, @Nullable String reason) {}

  /**
   * @param with the neighbour
   */
  record Merge(@Nullable Integer with, @Nullable String reason) {}

  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> one(
      @PathParam("name") String name, @PathParam("version") int version) {
    return adminCalls.view(() -> views.one(name, version));
  }

  /** What was done to it, newest first. */
  @GET
  @Needs(Access.VIEW)
  @Path("audit")
  public CompletionStage<byte[]> audit(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @QueryParam("before") @Nullable Long before,
      @QueryParam("limit") @DefaultValue("100") int limit) {
    OperationRequest.checkLimit(limit);
    return adminCalls.view(() -> views.audit(name, version, before, limit));
  }

  /** How what a shadow decides compares with what the live version has sent. */
  @GET
  @Needs(Access.OPERATE)
  @Path("comparison")
  public CompletionStage<byte[]> comparison(
      @PathParam("name") String name, @PathParam("version") int version) {
    return adminCalls.view(() -> comparisons.of(name, version));
  }

  /** Makes a shadow the live version, and the live version a shadow. */
  @POST
  @Needs(Access.OPERATE)
  @Path("switch")
  public CompletionStage<byte[]> switchTo(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var asked = asked(name, version, null, body, dryRun);
    return adminCalls.answerPatiently(() -> versionSwitch.to(asked));
  }

  /** Forgets a version that nobody hosts any more: {@code {"reason":"…"}}. */
  @POST
  @Needs(Access.OPERATE)
  @Path("retire")
  public CompletionStage<byte[]> retire(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var asked = asked(name, version, null, body, dryRun);
    return adminCalls.answer(
        () -> {
          hearsay.check();
          return retirement.retire(asked, () -> directory.isConsuming(name + ":" + version));
        });
  }

  @POST
  @Needs(Access.OPERATE)
  @Path("pause")
  public CompletionStage<byte[]> pause(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    return pause(asked(name, version, null, body, dryRun));
  }

  @POST
  @Needs(Access.OPERATE)
  @Path("segments/{segment}/pause")
  public CompletionStage<byte[]> pauseSegment(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("segment") int segment,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    return pause(asked(name, version, segment, body, dryRun));
  }

  private CompletionStage<byte[]> pause(Operations.Asked asked) {
    return adminCalls.answer(() -> operations.pause(asked));
  }

  @POST
  @Needs(Access.OPERATE)
  @Path("resume")
  public CompletionStage<byte[]> resume(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    return resume(asked(name, version, null, body, dryRun));
  }

  @POST
  @Needs(Access.OPERATE)
  @Path("segments/{segment}/resume")
  public CompletionStage<byte[]> resumeSegment(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("segment") int segment,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    return resume(asked(name, version, segment, body, dryRun));
  }

  private CompletionStage<byte[]> resume(Operations.Asked asked) {
    return adminCalls.answer(() -> operations.resume(asked));
  }

  /** Lost events whose effects it holds are known to somebody: {@code {"reason":"…"}}. */
  @POST
  @Needs(Access.OPERATE)
  @Path("confirm-lost")
  public CompletionStage<byte[]> confirmLost(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    return confirmLost(asked(name, version, null, body, dryRun));
  }

  @POST
  @Needs(Access.OPERATE)
  @Path("segments/{segment}/confirm-lost")
  public CompletionStage<byte[]> confirmLostOfSegment(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("segment") int segment,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    return confirmLost(asked(name, version, segment, body, dryRun));
  }

  private CompletionStage<byte[]> confirmLost(Operations.Asked asked) {
    return adminCalls.answer(() -> operations.confirmLost(asked));
  }

  /** Takes the lease of a segment from whoever has it. */
  @POST
  @Needs(Access.OPERATE)
  @Path("segments/{segment}/release")
  public CompletionStage<byte[]> release(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("segment") int segment,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var asked = asked(name, version, segment, body, dryRun);
    return adminCalls.answer(() -> operations.release(asked));
  }

  /** Body: {@code {"position":0}} or {@code {"time":"2026-01-31T10:15:30Z"}}. */
  @POST
  @Needs(Access.OPERATE)
  @Path("reset")
  public CompletionStage<byte[]> reset(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var reset = OperationRequest.body(Reset.class, body);
    return reset(OperationRequest.of(security, name, version, null, reset.reason(), dryRun), reset);
  }

  @POST
  @Needs(Access.OPERATE)
  @Path("segments/{segment}/reset")
  public CompletionStage<byte[]> resetSegment(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("segment") int segment,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var reset = OperationRequest.body(Reset.class, body);
    return reset(
        OperationRequest.of(security, name, version, segment, reset.reason(), dryRun), reset);
  }

  private CompletionStage<byte[]> reset(Operations.Asked asked, Reset to) {
    var position = to.position();
    var time = to.time();
    if ((position == null) == (time == null)) {
      throw EventoException.invalid("/position", "is required, or /time instead, and not both");
    }
    var withEffects = Boolean.TRUE.equals(to.effects());
    if (position != null) {
      var seen = new SeenPosition(position, to.epoch());
      return adminCalls.answer(() -> operations.reset(asked, placed(seen), withEffects));
    }
    try {
      var instant = OffsetDateTime.parse(time == null ? "" : time).toInstant();
      return adminCalls.answer(() -> operations.reset(asked, instant, withEffects));
    } catch (DateTimeException malformed) {
      throw EventoException.invalid("/time", "must be a time such as 2026-01-31T10:15:30Z");
    }
  }

  private long placed(SeenPosition seen) {
    return seen.epoch() == null ? seen.position() : positions.now(seen).position();
  }

  @POST
  @Needs(Access.OPERATE)
  @Path("segments/{segment}/split")
  public CompletionStage<byte[]> split(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("segment") int segment,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var split = OperationRequest.body(Split.class, body);
    var asked = OperationRequest.of(security, name, version, segment, split.reason(), dryRun);
    return adminCalls.answer(() -> operations.split(asked, split.firstSlot()));
  }

  /** Body: {@code {"with":1}}, a segment whose slots are next to this one's. */
  @POST
  @Needs(Access.OPERATE)
  @Path("segments/{segment}/merge")
  public CompletionStage<byte[]> merge(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("segment") int segment,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var merge = OperationRequest.body(Merge.class, body);
    var with = merge.with();
    if (with == null || with == segment) {
      throw EventoException.invalid("/with", "is required and must be another segment");
    }
    var asked = OperationRequest.of(security, name, version, segment, merge.reason(), dryRun);
    return adminCalls.answer(() -> operations.merge(asked, with));
  }

  private Operations.Asked asked(
      String name,
      int version,
      @Nullable Integer segment,
      InputStream body,
      @Nullable String dryRun)
      throws IOException {
    return OperationRequest.of(
        security,
        name,
        version,
        segment,
        OperationRequest.body(Reason.class, body).reason(),
        dryRun);
  }
}
