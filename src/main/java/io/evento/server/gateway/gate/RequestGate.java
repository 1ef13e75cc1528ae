package io.evento.server.gateway.gate;

import io.evento.protocol.EventoException;
import io.evento.server.config.ServerConfig;
import io.evento.server.gateway.http.Problems;
import jakarta.inject.Inject;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;

/**
 * The one gate before everything that the WAR answers: HTTP and the WebSocket handshake alike, as
 * {@code web.xml} puts this filter first. Who is refused has started nothing.
 */
@SuppressWarnings("NullAway.Init") // filled by the container
public class RequestGate implements Filter {
  @Inject private ServerConfig config;
  private OriginRules rules;

  @Override
  public void init(FilterConfig unused) {
    var names = new ArrayList<>(config.http().hosts());
    names.add(config.node().url().replaceFirst("^\\w+://", "").replaceFirst("[:/].*", ""));
    rules = new OriginRules(names);
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (request instanceof HttpServletRequest asked
        && response instanceof HttpServletResponse answer) {
      try {
        rules.check(
            asked.getHeader("Host"), asked.getHeader("Origin"), asked.getHeader("Sec-Fetch-Site"));
      } catch (EventoException refused) {
        refuse(answer, refused);
        return;
      }
    }
    chain.doFilter(request, response);
  }

  private static void refuse(HttpServletResponse answer, EventoException refused)
      throws IOException {
    var body = Problems.begin(answer, refused);
    // What is left of the body would be taken for the next request.
    answer.setHeader("Connection", "close");
    answer.setContentLength(body.length);
    answer.getOutputStream().write(body);
  }
}
