package io.evento.server.config;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import org.eclipse.microprofile.config.Config;

/**
 * What lets nodes know each other on the links by certificates, beside the seal of each frame.
 *
 * @param keyStore key and certificate of this node, PKCS#12 ({@code evento.link.tls.key-store})
 * @param trustStore authorities whose certificates other nodes have, PKCS#12 ({@code
 *     evento.link.tls.trust-store}); whoever has one of theirs may connect
 * @param password of both stores ({@code evento.link.tls.password}, or the file that {@code
 *     evento.link.tls.password-file} names)
 */
public record LinkTls(Path keyStore, Path trustStore, String password) {
  private static final String KEY_STORE = "evento.link.tls.key-store";
  private static final String TRUST_STORE = "evento.link.tls.trust-store";
  private static final String PASSWORD = "evento.link.tls.password";

  static Optional<LinkTls> read(Config source) {
    return read(
        key -> source.getOptionalValue(key, String.class).filter(value -> !value.isBlank()));
  }

  /**
   * @param source the value of a key, if it is set
   * @return empty if none of the keys is set
   * @throws IllegalArgumentException if only some of them are: half of it would look like TLS
   */
  static Optional<LinkTls> read(Function<String, Optional<String>> source) {
    var keyStore = source.apply(KEY_STORE);
    var trustStore = source.apply(TRUST_STORE);
    var password = Secret.of(source, PASSWORD);
    if (keyStore.isEmpty() && trustStore.isEmpty() && password.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new LinkTls(
            Path.of(needed(keyStore, KEY_STORE)),
            Path.of(needed(trustStore, TRUST_STORE)),
            needed(password, PASSWORD)));
  }

  private static String needed(Optional<String> value, String key) {
    return value.orElseThrow(
        () ->
            new IllegalArgumentException(
                "TLS on the links needs " + key + " beside the other keys evento.link.tls"));
  }

  @Override
  public String toString() {
    return keyStore + " " + trustStore; // without the password
  }
}
