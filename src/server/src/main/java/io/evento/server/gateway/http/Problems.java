package io.evento.server.gateway.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Rejection;
import io.evento.protocol.Violation;
import io.evento.server.eventstore.follow.EpochOverException;
import io.evento.server.security.TooManyFailuresException;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.ws.rs.core.Response;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Failures as RFC 9457 problem details. */
public final class Problems {
  private static final String MEDIA_TYPE = "application/problem+json";

  /** The body; {@code type} and {@code title} follow from the code. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Problem(
      String type,
      String title,
      int status,
      String detail,
      String code,
      List<Violation> errors,
      @Nullable Rejection rejection,
      @Nullable UUID commandId,
      @Nullable String resume,
      String correlation) {}

  private Problems() {}

  static Response response(EventoException told) {
    var code = told.code();
    var response = Response.status(code.status()).type(MEDIA_TYPE).entity(body(told));
    if (code.retry() == ErrorCode.Retry.LATER) {
      response.header("Retry-After", retryAfter(told));
    }
    return response.build();
  }

  /** For what is answered beside JAX-RS: all of the head, and the body for whoever writes it. */
  public static byte[] begin(HttpServletResponse response, EventoException told) {
    var code = told.code();
    response.setStatus(code.status());
    response.setContentType(MEDIA_TYPE);
    if (code.retry() == ErrorCode.Retry.LATER) {
      response.setHeader("Retry-After", retryAfter(told));
    }
    return body(told);
  }

  /** In whole seconds, as the header has it: the next one after what was estimated. */
  private static String retryAfter(EventoException told) {
    for (Throwable same = told; same != null; same = same.getCause()) {
      if (same instanceof TooManyFailuresException wait) {
        return Integer.toString(wait.seconds());
      }
    }
    return Integer.toString(told.retryAfterSeconds());
  }

  private static byte[] body(EventoException told) {
    return Bodies.bytes(Codec.text(problem(told)));
  }

  /** Where somebody whose position is lost goes on; null for every other failure. */
  private static @Nullable String resume(EventoException told) {
    for (Throwable same = told; same != null; same = same.getCause()) {
      if (same instanceof EpochOverException over) {
        return over.resume().text();
      }
    }
    return null;
  }

  public static Problem problem(EventoException told) {
    var code = told.code();
    var about = told.commandId() == null ? UUID.randomUUID() : told.commandId();
    var said = told.correlation();
    return new Problem(
        "urn:evento:" + code.wire(),
        code.title(),
        code.status(),
        told.detail(),
        code.wire(),
        told.violations(),
        told.rejection(),
        told.commandId(),
        resume(told),
        said == null ? about.toString() : said);
  }
}
