package io.evento.server.security;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/**
 * The form of a bundle's token: {@code evt_}, 8 characters by which people and logs name it, 43
 * that are 256 random bits, and 6 of a checksum, so that scanners find tokens that leaked and a
 * mistyped one is known without a look.
 *
 * <p>Of that many random bits a plain SHA-256 is enough: nobody can try them all.
 *
 * @param text the secret, told once
 * @param prefix its first characters after {@code evt_}
 * @param hash what is kept of it
 */
record Token(String text, String prefix, byte[] hash) {
  private static final String BEGIN = "evt_";
  private static final int PREFIX = 8;
  private static final int SECRET_BYTES = 32;
  private static final int CHECK = 6;
  private static final Pattern FORM =
      Pattern.compile(BEGIN + "([A-Za-z0-9]{8}[A-Za-z0-9_-]{43})([A-Za-z0-9]{6})");
  private static final String DIGITS =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  private static final SecureRandom RANDOM = new SecureRandom();

  static Token make() {
    var prefix = new StringBuilder(PREFIX);
    for (var i = 0; i < PREFIX; i++) {
      prefix.append(DIGITS.charAt(RANDOM.nextInt(DIGITS.length())));
    }
    var body = prefix + secret(SECRET_BYTES);
    var text = BEGIN + body + check(body);
    return new Token(text, prefix.toString(), hash(text));
  }

  /** What is kept of a token; empty if the text cannot be one. */
  static Optional<byte[]> hashOf(String text) {
    var parts = FORM.matcher(text);
    return parts.matches() && check(parts.group(1)).equals(parts.group(2))
        ? Optional.of(hash(text))
        : Optional.empty();
  }

  /** Random bytes as text that may stand in a header. */
  static String secret(int bytes) {
    var random = new byte[bytes];
    RANDOM.nextBytes(random);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(random);
  }

  static byte[] hash(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }

  private static String check(String body) {
    var sum = new CRC32();
    sum.update(body.getBytes(StandardCharsets.US_ASCII));
    var left = sum.getValue();
    var digits = new StringBuilder(CHECK);
    for (var i = 0; i < CHECK; i++) {
      digits.insert(0, DIGITS.charAt((int) (left % DIGITS.length())));
      left /= DIGITS.length();
    }
    return digits.toString();
  }

  /** Never the secret, as it would end in a log. */
  @Override
  public String toString() {
    return BEGIN + prefix + "…";
  }
}
