package io.evento.server.gateway.http;

import io.evento.protocol.Correlation;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.RequestCorrelation;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.UUID;

/**
 * The error page of the application: what the container refuses before any resource sees it, such
 * as a path outside of the API, is a problem like any other and no page in HTML.
 */
@WebServlet(urlPatterns = "/problem", asyncSupported = true)
public class ProblemServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    // Asked for by its own path, it is no path either.
    var status =
        request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE) instanceof Integer told
            ? told
            : HttpServletResponse.SC_NOT_FOUND;
    var code = isApi(request) ? ErrorCode.UNAVAILABLE : ErrorCode.ofStatus(status);
    var problem = new EventoException(code, code.title()).correlated(correlation(request));
    // The container may have taken back what the gate had said.
    Headers.beginAnswer(response, "/api/");
    var body = Problems.begin(response, problem);
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
  }

  /** What the container refuses before the gate has none yet. */
  private static String correlation(HttpServletRequest request) {
    return request.getAttribute(RequestCorrelation.ATTRIBUTE) instanceof String known
        ? known
        : Correlation.of(Headers.trace(request.getHeader("traceparent")), UUID.randomUUID());
  }

  /**
   * A path of the API that nobody answers: resources say themselves what they do not know, so the
   * application is not all there yet, or no more.
   */
  private static boolean isApi(HttpServletRequest request) {
    return request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE) instanceof Integer status
        && status == HttpServletResponse.SC_NOT_FOUND
        && request.getAttribute(RequestDispatcher.ERROR_REQUEST_URI) instanceof String path
        && path.startsWith(request.getContextPath() + "/api/");
  }
}
