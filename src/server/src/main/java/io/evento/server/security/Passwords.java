package io.evento.server.security;

import io.evento.protocol.EventoException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.regex.Pattern;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * What is kept of passwords: PBKDF2 with HMAC-SHA-256, {@code ROUNDS:SALT:HASH}. One takes a third
 * of a second of a core on purpose, so only the pool of {@link SignIns} may call this.
 */
final class Passwords {
  private static final int ROUNDS = 600_000;
  private static final int SALT_BYTES = 16;
  private static final int HASH_BITS = 256;
  private static final int CHARS_MIN = 12;
  private static final int CHARS_MAX = 200;
  private static final Pattern KEPT = Pattern.compile("(\\d{1,9}):([^:]+):([^:]+)");
  private static final SecureRandom RANDOM = new SecureRandom();

  /** Of nobody: to take as long for a name that does not exist. */
  private static final String DUMMY =
      ROUNDS + ":" + text(random(SALT_BYTES)) + ":" + text(random(HASH_BITS / 8));

  private Passwords() {}

  /**
   * @throws EventoException {@code invalid-request}
   */
  static String check(String pointer, String password) {
    if (password == null || password.length() < CHARS_MIN || password.length() > CHARS_MAX) {
      throw EventoException.invalid(
          pointer, "must have " + CHARS_MIN + " to " + CHARS_MAX + " characters");
    }
    return password;
  }

  /** What to keep of a password. */
  static String keep(String password) {
    var salt = random(SALT_BYTES);
    return ROUNDS + ":" + text(salt) + ":" + text(derive(password, salt, ROUNDS));
  }

  static boolean matches(String kept, String password) {
    var parts = KEPT.matcher(kept);
    if (!parts.matches() || password.length() > CHARS_MAX) {
      return false;
    }
    var hash = Base64.getDecoder().decode(parts.group(3));
    var salt = Base64.getDecoder().decode(parts.group(2));
    return MessageDigest.isEqual(hash, derive(password, salt, Integer.parseInt(parts.group(1))));
  }

  /** Takes the time that a comparison does. */
  static void waste(String password) {
    if (matches(DUMMY, password)) {
      throw new IllegalStateException("nobody's password was found");
    }
  }

  private static byte[] derive(String password, byte[] salt, int rounds) {
    // The JDK's own form of a password drops what is not ASCII: it is given the text's bytes.
    var chars = new String(password.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    var spec = new PBEKeySpec(chars.toCharArray(), salt, rounds, HASH_BITS);
    try {
      return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK has PBKDF2", impossible);
    } finally {
      spec.clearPassword();
    }
  }

  private static byte[] random(int bytes) {
    var random = new byte[bytes];
    RANDOM.nextBytes(random);
    return random;
  }

  private static String text(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }
}
