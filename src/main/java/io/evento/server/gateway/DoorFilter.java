package io.evento.server.gateway;

import jakarta.inject.Inject;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Stands before every resource, so that none of them ever waits for a peer: a body is gathered
 * first ({@link BodyGather}), and an answer is kept until it is whole and written then ({@link
 * AnswerWriter}). JAX-RS reads and writes blocking streams; here they are never blocked.
 *
 * <p>A body that came together with its head is read where it is. {@code web.xml} puts this filter
 * before {@link EventStreamFilter}, whose streams are written without blocking by themselves.
 */
public class DoorFilter implements Filter {
  @Inject private DoorLoad load;

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (!(request instanceof HttpServletRequest asked)
        || !(response instanceof HttpServletResponse answer)) {
      chain.doFilter(request, response);
    } else if (asked.getDispatcherType() == DispatcherType.ASYNC
        && asked.getAttribute(BodyGather.GATHERED) instanceof BodyGather.Gathered gathered) {
      asked.removeAttribute(BodyGather.GATHERED);
      try {
        pass(asked, answer, new GatheredBody(gathered.pieces()), chain);
      } finally {
        load.giveBackOfBody(gathered.size());
      }
    } else if (isBodyToCome(asked)) {
      BodyGather.begin(asked, answer, load, load.bodyBytesMax(asked.getRequestURI()));
    } else {
      pass(asked, answer, null, chain);
    }
  }

  private void pass(
      HttpServletRequest asked,
      HttpServletResponse answer,
      @Nullable GatheredBody body,
      FilterChain chain)
      throws IOException, ServletException {
    if (EventStreamFilter.takes(asked)) {
      chain.doFilter(body == null ? asked : new BodyRequest(asked, body), answer);
      return;
    }
    var response = new HeldResponse(answer, load, isRead(asked));
    var request = new HeldRequest(asked, body, response);
    chain.doFilter(request, response);
    request.returned();
  }

  private static boolean isBodyToCome(HttpServletRequest asked) throws IOException {
    var length = asked.getContentLengthLong();
    if (length < 0) {
      // HTTP/2 has no such header, and need not tell the length.
      return asked.getHeader("Transfer-Encoding") != null
          || (asked.getProtocol().startsWith("HTTP/2") && !asked.getMethod().equals("GET"));
    }
    return length > 0 && asked.getInputStream().available() < length;
  }

  /** Whether nothing is done for the request but to look. */
  private static boolean isRead(HttpServletRequest asked) {
    return asked.getMethod().equals("GET")
        || asked.getRequestURI().startsWith(asked.getContextPath() + "/api/queries/");
  }
}
