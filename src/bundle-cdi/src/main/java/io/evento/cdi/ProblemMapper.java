package io.evento.cdi;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Rejection;
import io.evento.protocol.Violation;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.ext.ExceptionMapper;
import jakarta.ws.rs.ext.Provider;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Answers a caller of the application as the cluster answered the application: with the same
 * problem details. A resource of JAX-RS need not catch an {@link EventoException}.
 */
@Provider
public class ProblemMapper implements ExceptionMapper<EventoException> {
  private static final String MEDIA_TYPE = "application/problem+json";

  /** As the nodes write it. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  private record Problem(
      String type,
      String title,
      int status,
      String detail,
      String code,
      List<Violation> errors,
      @Nullable Rejection rejection,
      @Nullable UUID commandId,
      @Nullable String correlation) {}

  /** For the container. */
  public ProblemMapper() {}

  @Override
  public Response toResponse(EventoException told) {
    var code = told.code();
    var response =
        Response.status(code.status())
            .type(MEDIA_TYPE)
            .entity(body(told).getBytes(StandardCharsets.UTF_8));
    if (code.retry() == ErrorCode.Retry.LATER) {
      response.header("Retry-After", told.retryAfterSeconds());
    }
    return response.build();
  }

  static String body(EventoException told) {
    var code = told.code();
    return Codec.text(
        new Problem(
            "urn:evento:" + code.wire(),
            code.title(),
            code.status(),
            told.detail(),
            code.wire(),
            told.violations(),
            told.rejection(),
            told.commandId(),
            told.correlation()));
  }
}
