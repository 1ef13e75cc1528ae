package io.evento.server.console.telemetry;

import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.console.AdminCalls;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** What happened to the cluster, beside the series of telemetry. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("telemetry/annotations")
@Produces(MediaType.APPLICATION_JSON)
public class AnnotationResource {
  private static final Duration RANGE = Duration.ofHours(1);

  @Inject private AdminCalls adminCalls;
  @Inject private Annotations annotations;

  record AnnotationsView(List<Annotations.Annotation> annotations) {}

  /** Nodes that came and went, consumers that were reset, settings, declarations; newest first. */
  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> between(
      @QueryParam("from") @Nullable String from, @QueryParam("to") @Nullable String to) {
    var end = to == null ? Instant.now() : TelemetryResource.instant("to", to);
    var begin = from == null ? end.minus(RANGE) : TelemetryResource.instant("from", from);
    if (!begin.isBefore(end)) {
      throw EventoException.invalid("from", "must be before to");
    }
    return adminCalls.view(
        () ->
            new AnnotationsView(
                annotations.between(begin.atOffset(ZoneOffset.UTC), end.atOffset(ZoneOffset.UTC))));
  }
}
