package io.evento.server.gateway.gate;

import io.evento.protocol.Correlation;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.RequestCorrelation;
import io.evento.server.config.ServerConfig;
import io.evento.server.gateway.http.Headers;
import io.evento.server.gateway.http.Problems;
import io.evento.server.security.AuditLog;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.server.security.OpenMode;
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
import java.util.UUID;

/**
 * The one gate before everything that the WAR answers: HTTP and the WebSocket handshake alike, as
 * {@code web.xml} puts this filter first. Who is refused has started nothing; whoever passes is
 * known, but at the doors to health, to the console's files, to set up and to sign in.
 */
@SuppressWarnings("NullAway.Init") // filled by the container
public class RequestGate implements Filter {
  @Inject private ServerConfig config;
  @Inject private Grants grants;
  @Inject private OpenMode mode;
  @Inject private AuditLog audit;
  private OriginRules rules;
  private PeerAddress addresses;
  private Credentials credentials;

  @Override
  public void init(FilterConfig unused) {
    var names = new ArrayList<>(config.http().hosts());
    names.add(config.node().url().replaceFirst("^\\w+://", "").replaceFirst("[:/].*", ""));
    config.security().oidc().ifPresent(oidc -> names.add(oidc.callback().getHost()));
    rules = new OriginRules(names, mode.isOpen());
    addresses = new PeerAddress(config.http().trustedProxies());
    credentials = new Credentials(grants);
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (!(request instanceof HttpServletRequest asked)
        || !(response instanceof HttpServletResponse answer)) {
      throw new ServletException("only HTTP is spoken here");
    }
    Headers.beginAnswer(answer, path(asked));
    var correlation =
        Correlation.of(Headers.trace(asked.getHeader("traceparent")), UUID.randomUUID());
    asked.setAttribute(RequestCorrelation.ATTRIBUTE, correlation);
    try (var bound = RequestCorrelation.bind(correlation)) {
      pass(asked, answer, correlation, chain);
    }
  }

  private void pass(
      HttpServletRequest asked, HttpServletResponse answer, String correlation, FilterChain chain)
      throws IOException, ServletException {
    HttpServletRequest passed;
    try {
      rules.check(
          asked.getHeader("Host"),
          asked.getHeader("Origin"),
          comesBack(asked) ? null : asked.getHeader("Sec-Fetch-Site"));
      passed = known(asked);
    } catch (EventoException refused) {
      note(asked, refused.code());
      refuse(answer, refused.correlated(correlation));
      return;
    }
    chain.doFilter(passed, answer);
  }

  private static boolean comesBack(HttpServletRequest asked) {
    return Doors.isReturn(
        asked.getMethod(),
        path(asked),
        asked.getHeader("Sec-Fetch-Mode"),
        asked.getHeader("Sec-Fetch-Dest"));
  }

  private HttpServletRequest known(HttpServletRequest asked) {
    var path = path(asked);
    var address = addresses.of(asked);
    if (Doors.isHealth(path) || Doors.isPage(asked.getMethod(), path)) {
      return new KnownRequest(asked, Caller.nobody(address));
    }
    if (mode.isOpen()) {
      return new KnownRequest(asked, developer(asked, address));
    }
    var isOpenDoor = Doors.isOpen(asked.getMethod(), path);
    var caller = credentials.read(asked, address, isOpenDoor);
    if (caller.isPresent()) {
      return new KnownRequest(asked, caller.get());
    }
    if (isOpenDoor) {
      return new KnownRequest(asked, Caller.nobody(address));
    }
    throw new EventoException(
        ErrorCode.UNAUTHENTICATED, "a token or a session is needed; see GET /evento/api/session");
  }

  /** Everybody, on this machine. */
  private Caller developer(HttpServletRequest asked, String address) {
    mode.refusal()
        .ifPresent(
            why -> {
              throw new EventoException(ErrorCode.UNAVAILABLE, why);
            });
    if (!OpenMode.isLoopback(asked.getRemoteAddr())) {
      throw new EventoException(ErrorCode.FORBIDDEN, "this node is open to its own machine alone");
    }
    return Caller.developer(address);
  }

  /** Below the context root, with escapes as they came: an open door is open by its name alone. */
  private static String path(HttpServletRequest asked) {
    return asked.getRequestURI().substring(asked.getContextPath().length());
  }

  private void note(HttpServletRequest asked, ErrorCode code) {
    if (!mode.isOpen() && code != ErrorCode.UNAVAILABLE) {
      audit.refused("nobody", addresses.of(asked), asked.getMethod() + " " + path(asked), code);
    }
  }

  private static void refuse(HttpServletResponse answer, EventoException refused)
      throws IOException {
    var body = Problems.begin(answer, refused);
    if (refused.code() == ErrorCode.UNAUTHENTICATED) {
      answer.setHeader("WWW-Authenticate", "Bearer realm=\"evento\"");
    }
    // What is left of the body would be taken for the next request.
    answer.setHeader("Connection", "close");
    answer.setContentLength(body.length);
    answer.getOutputStream().write(body);
  }
}
