package io.evento.server.personal;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Master keys in a file: one a line, 32 bytes in base64; the first one wraps, all unwrap. Empty
 * lines and those that begin with # are passed over.
 */
final class MasterKeyFile implements MasterKey {
  private static final Logger LOG = System.getLogger(MasterKeyFile.class.getName());
  private static final int KEY_BYTES = 32;
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;

  private final SecureRandom random = new SecureRandom();
  private final Map<String, byte[]> keys;

  private MasterKeyFile(Map<String, byte[]> keys) {
    this.keys = keys;
  }

  /**
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException if it holds no key, or something else
   */
  static MasterKeyFile read(Path file) throws IOException {
    var keys = new LinkedHashMap<String, byte[]>();
    var number = 0;
    for (var line : Files.readAllLines(file, StandardCharsets.US_ASCII)) {
      number++;
      var text = line.strip();
      if (!text.isEmpty() && !text.startsWith("#")) {
        var key = decoded(text);
        if (key.length != KEY_BYTES) {
          throw new IllegalArgumentException(
              "line "
                  + number
                  + " of the file evento.personal.master-key-file must be 32 random bytes in"
                  + " base64");
        }
        keys.put(name(key), key);
      }
    }
    if (keys.isEmpty()) {
      throw new IllegalArgumentException(
          "the file evento.personal.master-key-file must have a key: 32 random bytes in base64");
    }
    warnOfReaders(file);
    return new MasterKeyFile(keys);
  }

  private static void warnOfReaders(Path file) throws IOException {
    if (file.getFileSystem().supportedFileAttributeViews().contains("posix")
        && Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
      LOG.log(Level.WARNING, () -> "master key can be read by everybody file=" + file);
    }
  }

  private static byte[] decoded(String text) {
    try {
      return Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException other) {
      return new byte[0];
    }
  }

  private static String name(byte[] key) {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      digest.update("evento master key ".getBytes(StandardCharsets.US_ASCII));
      return HexFormat.of().formatHex(digest.digest(key), 0, 8);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }

  @Override
  public Wrapped wrap(byte[] key, String place) {
    var first = keys.entrySet().iterator().next();
    var nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    try {
      var hidden = cipher(Cipher.ENCRYPT_MODE, first.getValue(), nonce, place).doFinal(key);
      var both = Arrays.copyOf(nonce, NONCE_BYTES + hidden.length);
      System.arraycopy(hidden, 0, both, NONCE_BYTES, hidden.length);
      return new Wrapped(first.getKey(), both);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK has AES/GCM", impossible);
    }
  }

  @Override
  public byte[] unwrap(Wrapped wrapped, String place) {
    var master = keys.get(wrapped.master());
    if (master == null) {
      throw new EventoException(
          ErrorCode.UNAVAILABLE,
          "a key is wrapped by the master key "
              + wrapped.master()
              + ", which this node does not have");
    }
    var both = wrapped.bytes();
    try {
      return cipher(Cipher.DECRYPT_MODE, master, Arrays.copyOf(both, NONCE_BYTES), place)
          .doFinal(both, NONCE_BYTES, both.length - NONCE_BYTES);
    } catch (GeneralSecurityException | IllegalArgumentException forged) {
      throw new IllegalStateException("the wrapped key of " + place + " was changed", forged);
    }
  }

  private static Cipher cipher(int mode, byte[] key, byte[] nonce, String place)
      throws GeneralSecurityException {
    var cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BITS, nonce));
    cipher.updateAAD(place.getBytes(StandardCharsets.UTF_8));
    return cipher;
  }
}
