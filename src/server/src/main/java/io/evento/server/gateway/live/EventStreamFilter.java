package io.evento.server.gateway.live;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.protocol.QueryMessage;
import io.evento.server.RequestCorrelation;
import io.evento.server.Threads;
import io.evento.server.consumer.live.LiveQueries;
import io.evento.server.eventstore.follow.SeenPosition;
import io.evento.server.gateway.access.Callers;
import io.evento.server.gateway.http.Bodies;
import io.evento.server.gateway.http.EventQuery;
import io.evento.server.gateway.http.Headers;
import io.evento.server.gateway.http.Problems;
import io.evento.server.gateway.http.RequestRules;
import io.evento.server.routing.Failures;
import io.evento.server.security.AuditLog;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Takes requests that want server-sent events out of the way of JAX-RS, whose streams block; see
 * {@link SseResponse}. Stands behind {@link DoorFilter}, by {@code web.xml}.
 */
public class EventStreamFilter implements Filter {
  @Inject private EventFeeds feeds;
  @Inject private LiveQueries queries;
  @Inject private TopicFeeds topics;
  @Inject private Settings settings;
  @Inject private Threads threads;
  @Inject private AuditLog audit;

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (request instanceof HttpServletRequest asked
        && response instanceof HttpServletResponse answer
        && takes(asked)) {
      try {
        RequestRules.check(
            asked.getMethod(), asked.getRequestURI(), asked.getQueryString(), asked::getHeader);
        if (isTopics(asked)) {
          watch(asked, answer);
        } else if (isEvents(asked)) {
          follow(asked, answer);
        } else {
          subscribe(asked, answer);
        }
      } catch (EventoException | IllegalStateException refused) {
        if (refused instanceof EventoException told) {
          note(asked, told);
        }
        var body = Problems.begin(answer, Failures.told(refused, correlation()));
        answer.setContentLength(body.length);
        answer.getOutputStream().write(body);
      }
    } else {
      chain.doFilter(request, response);
    }
  }

  /** As the gate said: all of this is done on its thread. */
  private static String correlation() {
    return Objects.requireNonNullElse(RequestCorrelation.present(), "");
  }

  private void note(HttpServletRequest asked, EventoException refused) {
    audit.failed(
        Callers.of(asked.getUserPrincipal()),
        asked.getMethod() + " " + asked.getRequestURI(),
        refused);
  }

  /** Whether a request is answered here. */
  static boolean takes(HttpServletRequest asked) {
    return Headers.wantsEventStream(accept(asked))
        && (isEvents(asked) || isTopics(asked)
            ? asked.getMethod().equals("GET")
            : asked.getMethod().equals("POST")
                && asked.getRequestURI().startsWith(asked.getContextPath() + "/api/queries/"));
  }

  /** Of all lines of the header, which are one list. */
  private static @Nullable String accept(HttpServletRequest asked) {
    var lines = Collections.list(asked.getHeaders("Accept"));
    return lines.isEmpty() ? null : String.join(",", lines);
  }

  private static boolean isEvents(HttpServletRequest asked) {
    return asked.getRequestURI().equals(asked.getContextPath() + "/api/events");
  }

  private static boolean isTopics(HttpServletRequest asked) {
    return asked.getRequestURI().equals(asked.getContextPath() + "/api/live");
  }

  private void watch(HttpServletRequest asked, HttpServletResponse answer) throws IOException {
    var caller = Callers.of(asked.getUserPrincipal());
    var names = TopicFeeds.names(asked.getParameter("topics"));
    topics.check(caller, names);
    topics.open(caller, names, SseResponse.of(asked, answer, threads.timer()));
  }

  private void subscribe(HttpServletRequest asked, HttpServletResponse answer) throws IOException {
    var caller = Callers.of(asked.getUserPrincipal());
    var uri = asked.getRequestURI();
    if (asked.getContentType() == null) {
      throw new EventoException(
          ErrorCode.UNSUPPORTED_MEDIA_TYPE, ErrorCode.UNSUPPORTED_MEDIA_TYPE.title());
    }
    var query =
        new QueryMessage.Query(
            UUID.randomUUID(),
            Names.checkType("type", uri.substring(uri.lastIndexOf('/') + 1)),
            Headers.payloadVersion(asked.getHeader("Evento-Payload-Version")),
            Headers.deadlineMillis(asked.getHeader("Prefer")),
            Headers.trace(asked.getHeader("traceparent")),
            Bodies.payload(asked.getInputStream(), settings.get(Setting.PAYLOAD_BYTES_MAX)),
            null,
            null,
            null);
    var what = asked.getMethod() + " " + uri; // the request is gone when the sink fails
    SseQuery.open(
        queries,
        caller,
        query,
        SseResponse.of(asked, answer, threads.timer()),
        told -> audit.failed(caller, what, told));
  }

  /** A bare position, as nodes gave it before, is of the epoch that the request names beside it. */
  private static SeenPosition resumed(String last, EventQuery given) {
    var seen = SeenPosition.parse("Last-Event-ID", last);
    var beside = given.after();
    return seen.epoch() == null && beside != null
        ? new SeenPosition(seen.position(), beside.epoch())
        : seen;
  }

  private void follow(HttpServletRequest asked, HttpServletResponse answer) throws IOException {
    var caller = Callers.of(asked.getUserPrincipal());
    var given =
        EventQuery.of(
            name -> {
              var values = asked.getParameterValues(name);
              return values == null ? null : List.of(values);
            });
    var last = asked.getHeader("Last-Event-ID");
    var after = last == null || last.isBlank() ? given.after() : resumed(last.trim(), given);
    if (after == null) {
      var head =
          feeds
              .head()
              .orElseThrow(
                  () ->
                      new EventoException(
                          ErrorCode.UNAVAILABLE, "this node has not read the store's head yet"));
      after = new SeenPosition(head.position(), head.epoch());
    }
    var filter = given.filter().readBy(caller);
    feeds.checkRoom();
    SseFeed.open(feeds, caller, filter, after, SseResponse.of(asked, answer, threads.timer()));
  }
}
