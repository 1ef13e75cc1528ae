package io.evento.server.gateway.gate;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import jakarta.servlet.http.HttpServletRequest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who a request says he is: a bundle by its token, a person by the cookie of his session. Both at
 * once is no answer. A browser adds the cookie to what any page makes it send, so whatever may
 * change something says beside it what the page alone knows.
 */
final class Credentials {
  static final String COOKIE = "__Host-evento";
  static final String CSRF = "Evento-CSRF";

  /** Said of what a page asks for by itself, whatever the value. */
  static final String BACKGROUND = "Evento-Background";

  /** The topics of the live stream, which a page has for as long as it is open. */
  private static final String LIVE = "/api/live";

  private static final String BEARER = "Bearer ";
  private static final Set<String> SAFE = Set.of("GET", "HEAD", "OPTIONS", "TRACE");

  private final Grants grants;

  Credentials(Grants grants) {
    this.grants = grants;
  }

  /**
   * @return empty for a request that says nothing, or that a door without need of it has a cookie
   *     of a session that is over
   * @throws EventoException {@code unauthenticated}, {@code forbidden} without what the page knows,
   *     {@code invalid-request} for two at once, {@code unavailable}
   */
  Optional<Caller> read(HttpServletRequest request, String address, boolean isOpenDoor) {
    var authorization = request.getHeader("Authorization");
    var cookie = cookie(request);
    if (authorization != null && cookie != null) {
      throw EventoException.invalid("Authorization", "must not come beside the cookie " + COOKIE);
    }
    if (authorization != null) {
      return Optional.of(bearer(authorization, address));
    }
    if (cookie == null) {
      return Optional.empty();
    }
    var session =
        isOpenDoor && !grants.isFresh()
            ? null
            : grants.session(cookie, address, isAct(request)).orElse(null);
    if (session == null) {
      if (isOpenDoor) {
        return Optional.empty();
      }
      throw new EventoException(ErrorCode.UNAUTHENTICATED, "the session has ended: sign in again");
    }
    if (!isOpenDoor && !SAFE.contains(request.getMethod())) {
      checkPage(request.getHeader(CSRF), session.csrf());
    }
    return Optional.of(session.caller());
  }

  /**
   * Whether somebody does something: what a page asks for by itself, so that it shows what is, does
   * not keep the session of who has gone away.
   */
  private static boolean isAct(HttpServletRequest request) {
    return !SAFE.contains(request.getMethod())
        || (request.getHeader(BACKGROUND) == null
            && !request.getRequestURI().equals(request.getContextPath() + LIVE));
  }

  private Caller bearer(String authorization, String address) {
    if (!authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
      throw new EventoException(
          ErrorCode.UNAUTHENTICATED, "Authorization must be Bearer and a token");
    }
    return grants.authenticate(authorization.substring(BEARER.length()).strip(), address);
  }

  private static void checkPage(@Nullable String said, String csrf) {
    if (said == null
        || !MessageDigest.isEqual(
            said.getBytes(StandardCharsets.UTF_8), csrf.getBytes(StandardCharsets.UTF_8))) {
      throw new EventoException(
          ErrorCode.FORBIDDEN, "the header " + CSRF + " must say what the session began with");
    }
  }

  private static @Nullable String cookie(HttpServletRequest request) {
    var cookies = request.getCookies();
    if (cookies != null) {
      for (var one : cookies) {
        if (one.getName().equals(COOKIE)) {
          return one.getValue();
        }
      }
    }
    return null;
  }
}
