package io.evento.server.gateway.http;

import io.evento.protocol.Correlation;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import io.evento.server.routing.Failures;
import io.evento.server.security.AuditLog;
import io.evento.server.security.Caller;
import jakarta.inject.Inject;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Request;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import jakarta.ws.rs.core.UriInfo;
import jakarta.ws.rs.ext.ExceptionMapper;
import jakarta.ws.rs.ext.Provider;

/** Turns every failure of a resource into an RFC 9457 problem. No stack trace leaves the node. */
@Provider
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
public class ProblemMapper implements ExceptionMapper<Throwable> {
  @Context private HttpHeaders headers;
  @Context private UriInfo path;
  @Context private Request request;
  @Context private HttpServletRequest servlet;
  @Context private SecurityContext security;
  @Inject private AuditLog audit;

  @Override
  public Response toResponse(Throwable thrown) {
    if (thrown instanceof WebApplicationException refused) {
      var status = refused.getResponse().getStatus();
      if (status < 400) {
        return refused.getResponse();
      }
      var code = ErrorCode.ofStatus(status);
      var told = new EventoException(code, code.title()).correlated(correlation());
      var response = Problems.response(named(told));
      var allow = refused.getResponse().getHeaderString("Allow");
      return allow == null
          ? response
          : Response.fromResponse(response).header("Allow", allow).build();
    }
    var correlation = correlation(thrown);
    var told = Failures.told(thrown, correlation);
    if (told.code() == ErrorCode.FORBIDDEN || told.code() == ErrorCode.UNAUTHENTICATED) {
      try (var bound = RequestCorrelation.bind(correlation)) {
        note(told);
      }
    }
    return Problems.response(told.commandId() == null ? named(told) : told);
  }

  /** The gate notes whom it refused itself; here somebody whom it knows wants too much. */
  private void note(EventoException told) {
    if (security.getUserPrincipal() instanceof Caller caller
        && caller.kind() != Caller.Kind.NOBODY) {
      audit.refused(caller, request.getMethod() + " /api/" + path.getPath(), told);
    }
  }

  /** A command's is its own, as on every node; without one it is that which the gate gave. */
  private String correlation(Throwable thrown) {
    var command = Failures.cause(thrown) instanceof EventoException told ? told.commandId() : null;
    return command == null
        ? correlation()
        : Correlation.of(Headers.trace(headers.getHeaderString("traceparent")), command);
  }

  private String correlation() {
    return String.valueOf(servlet.getAttribute(RequestCorrelation.ATTRIBUTE));
  }

  /** A command that was refused before its resource saw it is named by what its caller said. */
  private EventoException named(EventoException refused) {
    var said = headers.getHeaderString("Idempotency-Key");
    if (said == null || !path.getPath().matches("commands/.*|events/?")) {
      return refused;
    }
    try {
      return refused.ofCommand(Headers.commandId(said));
    } catch (EventoException malformed) {
      return refused;
    }
  }
}
