package io.evento.server.gateway;

import io.evento.protocol.EventoException;
import io.evento.server.Threads;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.routing.Failures;
import jakarta.inject.Inject;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.annotation.WebFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;

/**
 * Takes requests that want server-sent events out of the way of JAX-RS, whose streams block; see
 * {@link SseResponse}.
 */
@WebFilter(urlPatterns = "/api/events", asyncSupported = true)
public class EventStreamFilter implements Filter {
  @Inject private EventFeeds feeds;
  @Inject private Threads threads;

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (request instanceof HttpServletRequest asked
        && response instanceof HttpServletResponse answer
        && asked.getMethod().equals("GET")
        && Headers.wantsEventStream(asked.getHeader("Accept"))) {
      try {
        follow(asked, answer);
      } catch (EventoException | IllegalStateException refused) {
        var body = Problems.begin(answer, Failures.told(refused));
        answer.setContentLength(body.length);
        answer.getOutputStream().write(body);
      }
    } else {
      chain.doFilter(request, response);
    }
  }

  private void follow(HttpServletRequest asked, HttpServletResponse answer) throws IOException {
    var given = EventQuery.of(
            name -> {
              var values = asked.getParameterValues(name);
              return values == null ? null : List.of(values);
            });
    var head = feeds.head().map(StorePosition::position).orElse(0L);
    var seen = asked.getHeader("Last-Event-ID");
    var after =
        seen == null || seen.isBlank()
            ? given.after(head)
            : Headers.number("Last-Event-ID", seen.trim(), 0, Long.MAX_VALUE);
    feeds.checkRoom();
    SseFeed.open(
        feeds,
        given.filter(),
        after,
        given.epoch(),
        SseResponse.of(asked, answer, threads.timer()));
  }
}
