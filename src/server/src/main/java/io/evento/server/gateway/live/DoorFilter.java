package io.evento.server.gateway.live;

import io.evento.protocol.EventoException;
import io.evento.server.gateway.http.BodyRead;
import io.evento.server.gateway.http.BodyRequest;
import io.evento.server.gateway.http.DoorLoad;
import io.evento.server.gateway.http.GatheredBody;
import io.evento.server.gateway.http.Headers;
import io.evento.server.gateway.http.HeldRequest;
import io.evento.server.gateway.http.HeldResponse;
import io.evento.server.gateway.http.PeerConnection;
import io.evento.server.gateway.http.Pieces;
import io.evento.server.gateway.http.Problems;
import jakarta.inject.Inject;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/**
 * Stands before every resource, so that none of them ever waits for a peer: a body is read first,
 * within limits ({@link BodyRead}), and an answer is kept until it is whole and written then, by no
 * thread that waits ({@code AnswerWriter}). JAX-RS reads and writes blocking streams.
 *
 * <p>A body that came together with its head is read where it is. {@code web.xml} puts this filter
 * before {@link EventStreamFilter}, whose streams are written without blocking by themselves.
 */
public class DoorFilter implements Filter {
  private static final Logger LOG = System.getLogger(DoorFilter.class.getName());

  @Inject private DoorLoad load;

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (!(request instanceof HttpServletRequest asked)
        || !(response instanceof HttpServletResponse answer)) {
      chain.doFilter(request, response);
    } else if (isBodyToCome(asked)) {
      readAndPass(asked, answer, chain);
    } else {
      pass(asked, answer, null, chain);
    }
  }

  private void readAndPass(HttpServletRequest asked, HttpServletResponse answer, FilterChain chain)
      throws IOException, ServletException {
    Pieces body;
    try {
      body = BodyRead.of(asked, load, load.bodyBytesMax(asked.getRequestURI()));
    } catch (EventoException refused) {
      refuse(asked, answer, refused);
      return;
    }
    var size = body.size();
    try {
      pass(asked, answer, new GatheredBody(body), chain);
    } finally {
      load.giveBackOfBody(size);
    }
  }

  private static void refuse(
      HttpServletRequest asked, HttpServletResponse answer, EventoException refused) {
    var body = Problems.begin(answer, named(asked, refused));
    // What is left of the body would be taken for the next request.
    answer.setHeader("Connection", "close");
    answer.setContentLength(body.length);
    try {
      answer.getOutputStream().write(body);
      // Now: at the end of the request the container first waits for what is left of the body.
      answer.flushBuffer();
      PeerConnection.of(asked).endInput();
    } catch (IOException gone) {
      LOG.log(Level.DEBUG, "who is refused does not hear it", gone);
    }
  }

  /** A command that was refused before its resource saw it is named by what its caller said. */
  private static EventoException named(HttpServletRequest asked, EventoException refused) {
    var said = asked.getHeader("Idempotency-Key");
    if (said == null) {
      return refused;
    }
    try {
      return refused.ofCommand(Headers.commandId(said));
    } catch (EventoException malformed) {
      return refused;
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
