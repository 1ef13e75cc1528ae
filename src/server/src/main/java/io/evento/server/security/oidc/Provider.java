package io.evento.server.security.oidc;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.config.OidcConfig;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The provider as its own document describes it, and the exchange of a code. Blocks. */
final class Provider {
  private static final Logger LOG = System.getLogger(Provider.class.getName());
  private static final String WELL_KNOWN = "/.well-known/openid-configuration";
  private static final Duration KEPT = Duration.ofHours(1);
  private static final Pattern ERROR = Pattern.compile("[a-z_]{1,60}");
  private static final int TOKEN_CHARS_MAX = 64 << 10;

  /**
   * @param authorization where browsers go
   * @param token where codes are exchanged
   * @param keys where the keys are
   * @param namesItself whether it says who it is when it sends somebody back (RFC 9207)
   * @param takesPost whether the client's secret stands in the form
   */
  record Places(URI authorization, URI token, URI keys, boolean namesItself, boolean takesPost) {}

  private final OidcConfig config;
  private final ProviderHttp http;
  private final Cached<Places> places;

  Provider(OidcConfig config, ProviderHttp http) {
    this.config = config;
    this.http = http;
    places = new Cached<>(KEPT, this::read);
  }

  Places places() {
    return places.get();
  }

  private Places read() {
    var issuer = config.issuer().toString();
    var document =
        http.get(
            URI.create(
                (issuer.endsWith("/") ? issuer.substring(0, issuer.length() - 1) : issuer)
                    + WELL_KNOWN));
    if (!document.path("issuer").asText().equals(issuer)) {
      throw unfit("names another issuer than evento.oidc.issuer");
    }
    return new Places(
        url(document, "authorization_endpoint"),
        url(document, "token_endpoint"),
        url(document, "jwks_uri"),
        document.path("authorization_response_iss_parameter_supported").asBoolean(false),
        takesPostAlone(document.path("token_endpoint_auth_methods_supported")));
  }

  private static URI url(JsonNode document, String name) {
    try {
      var url = URI.create(document.path(name).asText());
      if (OidcConfig.isSafe(url)) {
        return url;
      }
    } catch (IllegalArgumentException malformed) {
      LOG.log(Level.DEBUG, "no URL of the OpenID provider");
    }
    throw unfit("has no https URL as " + name);
  }

  private static boolean takesPostAlone(JsonNode methods) {
    var post = false;
    for (var method : methods) {
      if (method.asText().equals("client_secret_basic")) {
        return false;
      }
      post |= method.asText().equals("client_secret_post");
    }
    return post;
  }

  private static EventoException unfit(String why) {
    LOG.log(Level.WARNING, () -> "the OpenID provider does not fit: its document " + why);
    return new EventoException(ErrorCode.UNAVAILABLE, "the provider's document " + why);
  }

  /** Where a browser goes to sign in. */
  URI authorization(Attempt attempt) {
    var where = places().authorization();
    var asked = new LinkedHashMap<String, String>();
    asked.put("response_type", "code");
    asked.put("client_id", config.clientId());
    asked.put("redirect_uri", config.callback().toString());
    asked.put("scope", config.scope());
    asked.put("state", attempt.state());
    asked.put("nonce", attempt.nonce());
    asked.put("code_challenge", attempt.challenge());
    asked.put("code_challenge_method", "S256");
    return URI.create(where + (where.getRawQuery() == null ? "?" : "&") + form(asked));
  }

  /**
   * The ID token for a code.
   *
   * @throws EventoException {@code unauthenticated} if the provider does not take the code, {@code
   *     unavailable}
   */
  String exchange(String code, Attempt attempt) {
    var places = places();
    var given = new LinkedHashMap<String, String>();
    given.put("grant_type", "authorization_code");
    given.put("code", code);
    given.put("redirect_uri", config.callback().toString());
    given.put("code_verifier", attempt.verifier());
    String authorization = null;
    var secretFile = config.secretFile().orElse(null);
    if (secretFile == null) {
      given.put("client_id", config.clientId());
    } else if (places.takesPost()) {
      given.put("client_id", config.clientId());
      given.put("client_secret", secret(secretFile));
    } else {
      authorization = basic(config.clientId(), secret(secretFile));
    }
    return token(http.post(places.token(), form(given), authorization));
  }

  private static String token(ProviderHttp.Answer answer) {
    var token = answer.body().path("id_token");
    if (answer.status() == 200 && token.isTextual() && token.asText().length() <= TOKEN_CHARS_MAX) {
      return token.asText();
    }
    var error = word(answer.body().path("error").asText());
    if (error.equals("invalid_grant")) {
      throw new EventoException(
          ErrorCode.UNAUTHENTICATED, "the provider does not take the code: begin again");
    }
    LOG.log(
        Level.ERROR,
        () ->
            "the OpenID provider gives no ID token, see evento.oidc.client-id, client-secret-file"
                + " and scope status="
                + answer.status()
                + " error="
                + error);
    throw new EventoException(ErrorCode.UNAVAILABLE, "the provider gives no ID token: " + error);
  }

  /** A word of a provider, if it is one of those that there are. */
  static String word(@Nullable String error) {
    return error != null && ERROR.matcher(error).matches() ? error : "unknown error";
  }

  private static String secret(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException unread) {
      LOG.log(Level.ERROR, () -> "evento.oidc.client-secret-file is not read file=" + file);
      throw new EventoException(
          ErrorCode.UNAVAILABLE, "this node cannot read evento.oidc.client-secret-file");
    }
  }

  private static String basic(String id, String secret) {
    var both = encoded(id) + ":" + encoded(secret);
    return "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
  }

  private static String form(Map<String, String> fields) {
    return fields.entrySet().stream()
        .map(one -> one.getKey() + "=" + encoded(one.getValue()))
        .collect(Collectors.joining("&"));
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
