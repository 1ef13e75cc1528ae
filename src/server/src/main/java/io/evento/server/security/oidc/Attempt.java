package io.evento.server.security.oidc;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * One way of a browser to the provider and back. All that it needs is derived from 256 random bits
 * that nobody but this browser has, in a cookie that no page reads: so there is no memory for it,
 * no key that nodes would have to share, and who sees one of the derived values, as the provider
 * does, can make none of the others.
 *
 * @param secret the random bits
 * @param endsAt seconds since 1970; in what is derived, so another one is another attempt
 */
record Attempt(byte[] secret, long endsAt) {
  static final Duration VALID = Duration.ofMinutes(10);

  /** As much may the node that began it be ahead of the one that it comes back to. */
  private static final Duration CLOCKS_APART = Duration.ofMinutes(1);

  private static final int SECRET_BYTES = 32;
  private static final Pattern COOKIE = Pattern.compile("([A-Za-z0-9_-]{43})\\.(\\d{1,12})");
  private static final SecureRandom RANDOM = new SecureRandom();

  static Attempt begin(Instant now) {
    var secret = new byte[SECRET_BYTES];
    RANDOM.nextBytes(secret);
    return new Attempt(secret, now.plus(VALID).getEpochSecond());
  }

  /**
   * @param cookie null if there is none
   * @return empty for one that is over, or none
   */
  static Optional<Attempt> of(@Nullable String cookie, Instant now) {
    var parts = COOKIE.matcher(cookie == null ? "" : cookie);
    if (!parts.matches()) {
      return Optional.empty();
    }
    try {
      var secret = Base64.getUrlDecoder().decode(parts.group(1));
      var attempt = new Attempt(secret, Long.parseLong(parts.group(2)));
      return Optional.of(attempt)
          .filter(one -> now.getEpochSecond() < one.endsAt)
          .filter(one -> one.endsAt <= now.plus(VALID).plus(CLOCKS_APART).getEpochSecond());
    } catch (IllegalArgumentException malformed) {
      return Optional.empty();
    }
  }

  String cookie() {
    return text(secret) + "." + endsAt;
  }

  /** Comes back with the browser: without it a stranger's link would sign somebody in. */
  String state() {
    return derive("state");
  }

  /** Comes back in the ID token: without it the token of another sign-in would do. */
  String nonce() {
    return derive("nonce");
  }

  /** Goes with the code: who has the code alone has nothing. */
  String verifier() {
    return derive("verifier");
  }

  /** What the provider holds the verifier against. */
  String challenge() {
    try {
      var verifier = verifier().getBytes(StandardCharsets.US_ASCII);
      return text(MessageDigest.getInstance("SHA-256").digest(verifier));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }

  boolean isState(@Nullable String said) {
    return said != null && isSame(state(), said);
  }

  boolean isNonce(String said) {
    return isSame(nonce(), said);
  }

  private static boolean isSame(String expected, String said) {
    return MessageDigest.isEqual(
        expected.getBytes(StandardCharsets.UTF_8), said.getBytes(StandardCharsets.UTF_8));
  }

  private String derive(String use) {
    try {
      var mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret, "HmacSHA256"));
      return text(mac.doFinal((use + " " + endsAt).getBytes(StandardCharsets.US_ASCII)));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK has HMAC-SHA-256", impossible);
    }
  }

  private static String text(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** Never the secret, as it would end in a log. */
  @Override
  public String toString() {
    return "attempt until " + Instant.ofEpochSecond(endsAt);
  }
}
