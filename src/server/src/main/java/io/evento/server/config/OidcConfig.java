package io.evento.server.config;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.Config;

/**
 * The OpenID provider by which people sign in; the same on all nodes.
 *
 * @param issuer as its discovery document names it ({@code evento.oidc.issuer})
 * @param clientId of the cluster at the provider ({@code evento.oidc.client-id})
 * @param secretFile with the client's secret, read each time ({@code
 *     evento.oidc.client-secret-file}); a public client has none
 * @param callback where the provider sends people back, as registered there ({@code
 *     evento.oidc.callback})
 * @param scope what is asked for ({@code evento.oidc.scope})
 * @param nameClaim names the person here ({@code evento.oidc.name-claim}): a claim, or where in the
 *     claims it is, such as {@code /profile/login}
 * @param groupsClaim has the groups ({@code evento.oidc.groups-claim}), likewise
 * @param roles by group ({@code evento.oidc.roles})
 * @param after path where somebody goes on who has signed in ({@code evento.oidc.after})
 */
public record OidcConfig(
    URI issuer,
    String clientId,
    Optional<Path> secretFile,
    URI callback,
    String scope,
    String nameClaim,
    String groupsClaim,
    Map<String, Set<String>> roles,
    String after) {
  private static final String BEGIN = "evento.oidc.";
  private static final int ISSUER_CHARS_MAX = 500;
  private static final Pattern LOOPBACK = Pattern.compile("127(\\.\\d{1,3}){3}|\\[::1]|localhost");
  private static final Pattern ROLE = Pattern.compile("viewer|operator|admin|auditor");
  private static final Pattern PATH = Pattern.compile("/(?!/)[A-Za-z0-9._~/#?=&%-]*");
  private static final Pattern SCOPE = Pattern.compile("(\\S+ )*openid( \\S+)*");
  private static final String CALLBACK_PATH = "/api/session/oidc/callback";

  public OidcConfig {
    checkUrl("issuer", issuer);
    if (issuer.toString().length() > ISSUER_CHARS_MAX || issuer.getRawQuery() != null) {
      throw wrong("issuer", "have at most " + ISSUER_CHARS_MAX + " characters and no query");
    }
    checkUrl("callback", callback);
    if (callback.getRawQuery() != null || !callback.getPath().endsWith(CALLBACK_PATH)) {
      throw wrong("callback", "end with " + CALLBACK_PATH + ", is " + callback);
    }
    secretFile.ifPresent(
        file -> {
          if (!Files.isReadable(file)) {
            throw wrong("client-secret-file", "be a file that the node may read, is " + file);
          }
        });
    if (!SCOPE.matcher(scope).matches()) {
      throw wrong("scope", "be words with one space between, openid among them, is " + scope);
    }
    if (!PATH.matcher(after).matches()) {
      throw wrong("after", "be a path that starts with one slash, is " + after);
    }
    roles = Map.copyOf(roles);
    if (roles.isEmpty()) {
      throw wrong("roles", "name a role for a group at least, such as evento-admins=admin");
    }
  }

  /**
   * @return empty if there is no issuer
   * @throws IllegalArgumentException names the key that is wrong
   */
  static Optional<OidcConfig> read(Config source) {
    return text(source, "issuer")
        .map(
            issuer ->
                new OidcConfig(
                    url("issuer", issuer),
                    needed(source, "client-id"),
                    text(source, "client-secret-file").map(Path::of),
                    url("callback", needed(source, "callback")),
                    text(source, "scope").orElse("openid profile email"),
                    text(source, "name-claim").orElse("preferred_username"),
                    text(source, "groups-claim").orElse("groups"),
                    roles(needed(source, "roles")),
                    text(source, "after").orElse("/evento/api/session")));
  }

  /** {@code GROUP=ROLE,GROUP=ROLE}; a group may have several. */
  private static Map<String, Set<String>> roles(String text) {
    var roles = new LinkedHashMap<String, Set<String>>();
    for (var one : Arrays.asList(text.split(",", -1))) {
      var at = one.lastIndexOf('=');
      var group = at < 0 ? "" : one.substring(0, at).strip();
      var role = one.substring(at + 1).strip();
      if (group.isEmpty() || !ROLE.matcher(role).matches()) {
        throw wrong(
            "roles",
            "be GROUP=ROLE, separated by commas, with viewer, operator, admin or auditor as ROLE,"
                + " is "
                + text);
      }
      roles.computeIfAbsent(group, first -> new LinkedHashSet<>()).add(role);
    }
    return roles;
  }

  private static Optional<String> text(Config source, String key) {
    return source
        .getOptionalValue(BEGIN + key, String.class)
        .map(String::strip)
        .filter(value -> !value.isEmpty());
  }

  private static String needed(Config source, String key) {
    return text(source, key).orElseThrow(() -> wrong(key, "be there where evento.oidc.issuer is"));
  }

  private static URI url(String key, String text) {
    try {
      return URI.create(text);
    } catch (IllegalArgumentException malformed) {
      throw wrong(key, "be a URL, is " + text);
    }
  }

  private static void checkUrl(String key, URI url) {
    if (!isSafe(url)) {
      throw wrong(key, "be an https URL, or an http one of this machine, is " + url);
    }
  }

  /** Whether nobody listens on the way there. */
  public static boolean isSafe(URI url) {
    return url.getHost() != null
        && url.getRawFragment() == null
        && url.getRawUserInfo() == null
        && ("https".equalsIgnoreCase(url.getScheme())
            || ("http".equalsIgnoreCase(url.getScheme())
                && LOOPBACK.matcher(url.getHost()).matches()));
  }

  private static IllegalArgumentException wrong(String key, String rule) {
    return new IllegalArgumentException(BEGIN + key + " must " + rule);
  }
}
