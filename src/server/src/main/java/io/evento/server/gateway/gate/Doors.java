package io.evento.server.gateway.gate;

import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which paths everybody may come to without saying who he is, each by its whole name: whatever a
 * container makes of dots and parameters in a path is none of them.
 */
final class Doors {
  private static final Set<String> HEALTH =
      Set.of("/api/health/live", "/api/health/ready", "/api/health/started");
  private static final String RETURN = "GET /api/session/oidc/callback";
  private static final Set<String> OPEN =
      Set.of("POST /api/setup", "POST /api/session", "GET /api/session/oidc", RETURN);

  /**
   * No escape, no parameter, no segment that begins with a dot: it means the same to everybody.
   * Possessive, so that a long path is walked by a loop and not by a stack.
   */
  private static final Pattern PAGE =
      Pattern.compile("/?|/console(?:/[A-Za-z0-9_~!*'()-][A-Za-z0-9._~!*'()-]*+)*+/?");

  private Doors() {}

  /** The console's files, which hold nothing that is anybody's. */
  static boolean isPage(String method, String path) {
    return (method.equals("GET") || method.equals("HEAD")) && PAGE.matcher(path).matches();
  }

  /**
   * @param path below the context root, as it was sent
   */
  static boolean isHealth(String path) {
    return HEALTH.contains(path);
  }

  /** Health, and how to become known. */
  static boolean isOpen(String method, String path) {
    return isHealth(path) || OPEN.contains(method + " " + path);
  }

  /**
   * Whether a provider sends somebody back: a page of another site makes the browser come, in a
   * window that shows what is answered, so that no page of that site reads it.
   *
   * @param fetchMode the header {@code Sec-Fetch-Mode}
   * @param fetchDest the header {@code Sec-Fetch-Dest}
   */
  static boolean isReturn(
      String method, String path, @Nullable String fetchMode, @Nullable String fetchDest) {
    return RETURN.equals(method + " " + path)
        && "navigate".equals(fetchMode)
        && "document".equals(fetchDest);
  }
}
