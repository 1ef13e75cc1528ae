package io.evento.bundle.session;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** TLS by files in PEM, as operators have them. */
public final class TlsFiles {
  private static final Pattern KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----");

  private TlsFiles() {}

  /**
   * @param trust certificates that nodes are signed by; null for those that the JVM trusts
   * @param certificate of this bundle, perhaps with those between it and its authority; null for
   *     none
   * @param key of that certificate, PKCS#8 without a password; null for none
   * @throws IllegalArgumentException if a file cannot be read, or is not what it should be
   */
  public static SSLContext context(
      @Nullable Path trust, @Nullable Path certificate, @Nullable Path key) {
    if ((certificate == null) != (key == null)) {
      throw new IllegalArgumentException(
          "a client certificate needs its key, and a key its certificate");
    }
    try {
      var context = SSLContext.getInstance("TLS");
      context.init(
          certificate == null || key == null ? null : keys(certificate, key),
          trust == null ? null : trusted(trust),
          null);
      return context;
    } catch (GeneralSecurityException unfit) {
      throw new IllegalArgumentException("TLS cannot be set up: " + unfit.getMessage(), unfit);
    }
  }

  private static TrustManager[] trusted(Path file) throws GeneralSecurityException {
    var store = empty();
    var number = 0;
    for (var one : certificates(file)) {
      store.setCertificateEntry("trusted-" + number++, one);
    }
    var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  private static KeyManager[] keys(Path certificate, Path key) throws GeneralSecurityException {
    var store = empty();
    var unused = new char[0];
    store.setKeyEntry(
        "bundle", privateKey(key), unused, certificates(certificate).toArray(Certificate[]::new));
    var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, unused);
    return factory.getKeyManagers();
  }

  private static KeyStore empty() throws GeneralSecurityException {
    var store = KeyStore.getInstance("PKCS12");
    try {
      store.load(null, null);
    } catch (IOException impossible) {
      throw new IllegalStateException("nothing is read", impossible);
    }
    return store;
  }

  private static Collection<? extends Certificate> certificates(Path file)
      throws GeneralSecurityException {
    try (var pem = Files.newInputStream(file)) {
      var found = CertificateFactory.getInstance("X.509").generateCertificates(pem);
      if (found.isEmpty()) {
        throw new IllegalArgumentException("there is no certificate in " + file);
      }
      return found;
    } catch (IOException unreadable) {
      throw unreadable(file, unreadable);
    }
  }

  private static PrivateKey privateKey(Path file) throws GeneralSecurityException {
    byte[] encoded;
    try {
      var found = KEY.matcher(Files.readString(file, StandardCharsets.US_ASCII));
      if (!found.find()) {
        throw new IllegalArgumentException(
            "there is no key in " + file + ": it must be PKCS#8 in PEM, BEGIN PRIVATE KEY");
      }
      encoded = Base64.getMimeDecoder().decode(found.group(1));
    } catch (IOException unreadable) {
      throw unreadable(file, unreadable);
    }
    for (var algorithm : List.of("EC", "RSA", "EdDSA")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(encoded));
      } catch (InvalidKeySpecException another) {
        // It is of another algorithm, or of none.
      }
    }
    throw new IllegalArgumentException("the key in " + file + " is not of EC, RSA or EdDSA");
  }

  private static IllegalArgumentException unreadable(Path file, IOException why) {
    return new IllegalArgumentException("the file cannot be read: " + file, why);
  }
}
