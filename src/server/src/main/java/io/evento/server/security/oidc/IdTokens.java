package io.evento.server.security.oidc;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.config.OidcConfig;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Judges ID tokens, by OpenID Connect Core 3.1.3.7: signed by a key of the provider, for this
 * client, now, for this attempt.
 */
final class IdTokens {
  private static final Logger LOG = System.getLogger(IdTokens.class.getName());

  /** How much the clocks of provider and node may differ. */
  static final long SKEW_SECONDS = 60;

  private static final Pattern FORM =
      Pattern.compile("([A-Za-z0-9_-]+)\\.([A-Za-z0-9_-]+)\\.([A-Za-z0-9_-]+)");

  /** What there is besides these, {@code none} and HMAC among it, is refused. */
  private static final Map<String, String> ALGORITHMS =
      Map.of("RS256", "SHA256withRSA", "ES256", "SHA256withECDSAinP1363Format");

  private final OidcConfig config;
  private final ProviderKeys keys;
  private final InstantSource clock;

  IdTokens(OidcConfig config, ProviderKeys keys, InstantSource clock) {
    this.config = config;
    this.keys = keys;
    this.clock = clock;
  }

  /**
   * The claims of a token.
   *
   * @throws EventoException {@code unauthenticated}, which says what is wrong; {@code unavailable}
   *     if the provider's keys are not known just now
   */
  JsonNode claims(String token, Attempt attempt) {
    var parts = FORM.matcher(token);
    if (!parts.matches()) {
      throw refused("is no JWS");
    }
    try {
      checkSignature(
          object(parts.group(1)),
          parts.group(1) + "." + parts.group(2),
          Base64.getUrlDecoder().decode(parts.group(3)));
      var claims = object(parts.group(2));
      checkParties(claims);
      checkTime(claims);
      if (!attempt.isNonce(claims.path("nonce").asText(""))) {
        throw refused("has another nonce: it is of another sign-in");
      }
      return claims;
    } catch (IOException | IllegalArgumentException malformed) {
      throw refused("is malformed");
    }
  }

  private static JsonNode object(String part) throws IOException {
    return ProviderHttp.object(Base64.getUrlDecoder().decode(part));
  }

  private void checkSignature(JsonNode header, String signed, byte[] signature) {
    var algorithm = ALGORITHMS.get(header.path("alg").asText(""));
    if (algorithm == null) {
      throw refused("must be signed by RS256 or ES256");
    }
    if (header.has("crit")) {
      throw refused("has a header that must be understood, and is not");
    }
    var key =
        keys.find(header.path("kid").asText(""))
            .filter(one -> one.algorithm().equals(header.path("alg").asText()))
            .orElseThrow(() -> refused("names no key of the provider"));
    try {
      var verifier = Signature.getInstance(algorithm);
      verifier.initVerify(key.key());
      verifier.update(signed.getBytes(StandardCharsets.US_ASCII));
      if (verifier.verify(signature)) {
        return;
      }
    } catch (GeneralSecurityException malformed) {
      LOG.log(Level.DEBUG, "a signature of an ID token is malformed");
    }
    throw refused("has a wrong signature");
  }

  private void checkParties(JsonNode claims) {
    if (!claims.path("iss").asText("").equals(config.issuer().toString())) {
      throw refused("is of another issuer");
    }
    var audience = claims.path("aud");
    var isOurs = audience.isTextual() && audience.asText().equals(config.clientId());
    for (var one : audience) {
      isOurs |= one.isTextual() && one.asText().equals(config.clientId());
    }
    if (!isOurs) {
      throw refused("is for another audience");
    }
    var isNamed = claims.path("azp").asText("").equals(config.clientId());
    if ((claims.has("azp") || audience.size() > 1) && !isNamed) {
      throw refused("was given to another client (azp)");
    }
  }

  private void checkTime(JsonNode claims) {
    var now = clock.instant().getEpochSecond();
    var expires = claims.path("exp");
    var issued = claims.path("iat");
    if (!expires.isNumber() || !issued.isNumber()) {
      throw refused("must have exp and iat");
    }
    if (now >= expires.asLong() + SKEW_SECONDS) {
      throw refused("has expired");
    }
    if (issued.asLong() > now + SKEW_SECONDS || claims.path("nbf").asLong(0) > now + SKEW_SECONDS) {
      throw refused("is of the future: compare the clocks");
    }
    if (issued.asLong() < now - Attempt.VALID.toSeconds() - SKEW_SECONDS) {
      throw refused("is older than the sign-in");
    }
  }

  static EventoException refused(String why) {
    LOG.log(Level.WARNING, () -> "an ID token is refused: it " + why);
    return new EventoException(ErrorCode.UNAUTHENTICATED, "the provider's ID token " + why);
  }
}
