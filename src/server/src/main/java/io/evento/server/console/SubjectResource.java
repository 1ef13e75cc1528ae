package io.evento.server.console;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.operation.SubjectCopies;
import io.evento.server.gateway.access.Callers;
import io.evento.server.personal.Erasures;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Subjects of personal data: erases them, and certifies how far that has come. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("subjects")
@Produces(MediaType.APPLICATION_JSON)
public class SubjectResource {
  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private Erasures erasures;
  @Inject private SubjectCopies copies;

  record Reason(@Nullable String reason) {}

  record DroppedView(int keys, int snapshots, int sagaStates) {}

  /**
   * @param isPast whether it needs nothing more: no segment is before the event that tells the
   *     erasure, and none has it as a dead letter
   */
  record ConsumerView(
      String name, int version, boolean isPast, int segmentsBehind, int deadLetters) {
    static ConsumerView of(SubjectCopies.Standing standing) {
      return new ConsumerView(
          standing.consumer(),
          standing.version(),
          standing.segmentsBehind() == 0 && standing.deadLetters() == 0,
          standing.segmentsBehind(),
          standing.deadLetters());
    }
  }

  record Certificate(
      String id,
      String subject,
      String erasedAt,
      String erasedBy,
      String reason,
      long position,
      DroppedView dropped,
      List<ConsumerView> consumers) {}

  /** Body: {@code {"reason":"…"}}. A repeat changes nothing, and tells how far it has come. */
  @POST
  @Needs(Access.ADMINISTER)
  @Path("{id}/erase")
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<byte[]> erase(@PathParam("id") String id, InputStream body)
      throws IOException {
    var by = OperationRequest.by(security);
    var address = Callers.of(security).address();
    var subject = Names.checkAggregateId("id", id);
    var reason = OperationRequest.reason(OperationRequest.body(Reason.class, body).reason());
    if (reason == null || reason.isBlank()) {
      throw EventoException.invalid("/reason", "is required");
    }
    return adminCalls.answerPatiently(
        () -> {
          var done = erasures.erase(subject, by, address, reason);
          return certificate(done, copies.dropEnded(done.subject()));
        });
  }

  @GET
  @Needs(Access.ADMINISTER)
  @Path("{id}")
  public CompletionStage<byte[]> find(@PathParam("id") String id) {
    return adminCalls.answerPatiently(
        () ->
            certificate(
                erasures
                    .find(id)
                    .orElseThrow(
                        () ->
                            new EventoException(
                                ErrorCode.NOT_FOUND, "no subject of this id was erased")),
                0));
  }

  private Certificate certificate(Erasures.Done done, int sagaStates) {
    return new Certificate(
        done.id(),
        done.subject(),
        done.at(),
        done.by(),
        done.reason(),
        done.position(),
        new DroppedView(done.keys(), done.snapshots(), sagaStates),
        copies.standings(done.position()).stream().map(ConsumerView::of).toList());
  }
}
