package io.evento.server.security.oidc;

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The provider's public keys. Each is for one algorithm, by its own kind and not by what a token
 * says: so no token makes a public key a password. One that is withdrawn counts for an hour at
 * most.
 */
final class ProviderKeys {
  private static final Logger LOG = System.getLogger(ProviderKeys.class.getName());
  private static final Duration KEPT = Duration.ofHours(1);
  private static final int RSA_BITS_MIN = 2_048;
  private static final int KEYS_MAX = 100;

  /**
   * @param algorithm as the header of a token names it
   */
  record Key(String algorithm, PublicKey key) {}

  private final Cached<Map<String, Key>> keys;

  ProviderKeys(Provider provider, ProviderHttp http) {
    keys = new Cached<>(KEPT, () -> read(http.get(provider.places().keys())));
  }

  /** A key by its id; one that is not known may be new, and is asked for. */
  Optional<Key> find(String id) {
    var known = keys.get().get(id);
    return Optional.ofNullable(known == null ? keys.again().get(id) : known);
  }

  private static Map<String, Key> read(JsonNode set) {
    var keys = new HashMap<String, Key>();
    for (var one : set.path("keys")) {
      var id = one.path("kid").asText("");
      var use = one.path("use").asText("sig");
      if (id.isEmpty() || !use.equals("sig") || keys.size() >= KEYS_MAX) {
        continue;
      }
      try {
        key(one)
            .filter(key -> one.path("alg").asText(key.algorithm()).equals(key.algorithm()))
            .ifPresent(key -> keys.put(id, key));
      } catch (GeneralSecurityException | IllegalArgumentException unfit) {
        LOG.log(Level.WARNING, "a key of the OpenID provider is left out: it is malformed");
      }
    }
    return Map.copyOf(keys);
  }

  /** Empty for a kind that is not used here. */
  private static Optional<Key> key(JsonNode jwk) throws GeneralSecurityException {
    switch (jwk.path("kty").asText("")) {
      case "RSA" -> {
        var modulus = number(jwk, "n");
        if (modulus.bitLength() < RSA_BITS_MIN) {
          throw new GeneralSecurityException("too short");
        }
        var spec = new RSAPublicKeySpec(modulus, number(jwk, "e"));
        return Optional.of(new Key("RS256", KeyFactory.getInstance("RSA").generatePublic(spec)));
      }
      case "EC" -> {
        if (!jwk.path("crv").asText("").equals("P-256")) {
          return Optional.empty();
        }
        var curve = AlgorithmParameters.getInstance("EC");
        curve.init(new ECGenParameterSpec("secp256r1"));
        var spec =
            new ECPublicKeySpec(
                new ECPoint(number(jwk, "x"), number(jwk, "y")),
                curve.getParameterSpec(ECParameterSpec.class));
        return Optional.of(new Key("ES256", KeyFactory.getInstance("EC").generatePublic(spec)));
      }
      default -> {
        return Optional.empty();
      }
    }
  }

  private static BigInteger number(JsonNode jwk, String name) {
    return new BigInteger(1, Base64.getUrlDecoder().decode(jwk.path(name).asText("")));
  }
}
