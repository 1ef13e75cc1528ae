package io.evento.spring;

import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.net.URI;
import java.util.Map;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Import;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/**
 * Answers a caller of the application as the cluster answered the application: with the same
 * problem details. A controller need not catch an {@link EventoException}.
 */
@AutoConfiguration
@ConditionalOnWebApplication
@ConditionalOnClass(RestControllerAdvice.class)
@Import(EventoProblemAutoConfiguration.Advice.class)
public class EventoProblemAutoConfiguration {
  /** For Spring. */
  public EventoProblemAutoConfiguration() {}

  @RestControllerAdvice
  static class Advice {
    @ExceptionHandler(EventoException.class)
    ResponseEntity<ProblemDetail> problem(EventoException told) {
      var code = told.code();
      var problem =
          ProblemDetail.forStatusAndDetail(HttpStatusCode.valueOf(code.status()), told.detail());
      problem.setType(URI.create("urn:evento:" + code.wire()));
      problem.setTitle(code.title());
      problem.setProperty("code", code.wire());
      if (!told.violations().isEmpty()) {
        problem.setProperty("errors", told.violations());
      }
      var rejection = told.rejection();
      if (rejection != null) {
        var details = rejection.details();
        problem.setProperty(
            "rejection",
            details == null
                ? Map.of("code", rejection.code(), "message", rejection.message())
                : Map.of(
                    "code",
                    rejection.code(),
                    "message",
                    rejection.message(),
                    "details",
                    Codec.read(Map.class, details.text())));
      }
      if (told.commandId() != null) {
        problem.setProperty("commandId", told.commandId());
      }
      if (told.correlation() != null) {
        problem.setProperty("correlation", told.correlation());
      }
      var headers = new HttpHeaders();
      if (code.retry() == ErrorCode.Retry.LATER) {
        headers.set(HttpHeaders.RETRY_AFTER, Integer.toString(told.retryAfterSeconds()));
      }
      return new ResponseEntity<>(problem, headers, code.status());
    }
  }
}
