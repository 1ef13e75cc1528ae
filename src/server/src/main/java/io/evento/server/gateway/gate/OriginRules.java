package io.evento.server.gateway.gate;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.security.OpenMode;
import java.util.Collection;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Keeps pages of strangers out, whose visitors' browsers can reach the node.
 *
 * <ol>
 *   <li><b>Host.</b> A page may have its own name point at the node's address (DNS rebinding); then
 *       the browser takes both for one site. It still sends that name, and such a name has a dot.
 *       So {@code Host} is an IP address, a name without dots (of one's own network), or a name
 *       that the operator gave.
 *   <li><b>Origin.</b> A browser names the page's site in every WebSocket handshake and in every
 *       request that may change something. It must be the site that was asked.
 * </ol>
 */
final class OriginRules {
  private static final Pattern ADDRESS_4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
  private static final Pattern ADDRESS_6 = Pattern.compile("\\[[0-9a-f:.]+]");
  private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9_-]*[a-z0-9])?");
  private static final Pattern SPLIT = Pattern.compile("(\\[[^]]*]|[^:]*)(?::(\\d{1,5}))?");

  private final Set<String> names;
  private final boolean loopbackAlone;

  /**
   * @param names that requests may call the cluster by, beside addresses and names without dots
   * @param loopbackAlone whether the node is open to its own machine, and asked by no other name
   */
  OriginRules(Collection<String> names, boolean loopbackAlone) {
    this.loopbackAlone = loopbackAlone;
    this.names =
        names.stream().map(name -> name.toLowerCase(Locale.ROOT)).collect(Collectors.toSet());
  }

  /**
   * @param host as the header has it; null if there is none, as in a health check by HTTP/1.0
   * @param origin null if there is none, as programs send none
   * @param fetchSite the header {@code Sec-Fetch-Site}; null if there is none
   * @throws EventoException {@code forbidden}
   */
  void check(@Nullable String host, @Nullable String origin, @Nullable String fetchSite) {
    if (host == null && origin == null && fetchSite == null) {
      return; // no browser: they always say the host
    }
    var asked = host == null ? "" : host.toLowerCase(Locale.ROOT);
    var parts = SPLIT.matcher(asked);
    if (!parts.matches() || !isKnown(parts.group(1))) {
      throw forbidden(
          loopbackAlone
              ? "Host must be localhost, 127.0.0.1 or [::1], as this node is open"
              : "Host must be an IP address, a name without dots, the host of evento.node.url or one"
                  + " of evento.http.hosts");
    }
    if (origin != null && !isSame(asked, origin.toLowerCase(Locale.ROOT))) {
      throw forbidden("Origin must be the site that is asked: pages of other sites are refused");
    }
    if ("cross-site".equalsIgnoreCase(fetchSite)) {
      throw forbidden("Sec-Fetch-Site must not be cross-site: pages of other sites are refused");
    }
  }

  private boolean isKnown(String name) {
    if (loopbackAlone) {
      return OpenMode.isLoopback(name);
    }
    return ADDRESS_4.matcher(name).matches()
        || ADDRESS_6.matcher(name).matches()
        || LABEL.matcher(name).matches()
        || names.contains(name);
  }

  /** A balancer may end TLS, so the scheme says no more than which port need not be named. */
  private static boolean isSame(String host, String origin) {
    var scheme = origin.indexOf("://");
    var usual = origin.startsWith("https:") ? ":443" : ":80";
    return scheme > 0
        && withoutPort(host, usual).equals(withoutPort(origin.substring(scheme + 3), usual));
  }

  private static String withoutPort(String authority, String port) {
    return authority.endsWith(port)
        ? authority.substring(0, authority.length() - port.length())
        : authority;
  }

  private static EventoException forbidden(String why) {
    return new EventoException(ErrorCode.FORBIDDEN, why);
  }
}
