package io.evento.server.cluster;

import io.evento.server.config.LinkTls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jgroups.util.TLS;
import org.jgroups.util.TLSClientAuth;

/**
 * TLS on the links: both sides show a certificate, and one of another authority's, or none, makes
 * no connection. The context is made here and not by the transport, which would trust its own
 * certificate's authority if it were given no other.
 */
final class LinkCertificates {
  private LinkCertificates() {}

  /**
   * @throws IllegalArgumentException if a store cannot be read, or has not in it what it should
   */
  static TLS tls(LinkTls files) {
    return new TLS()
        .enabled(true)
        .setSSLContext(context(files))
        .setClientAuth(TLSClientAuth.NEED)
        .setProtocols(new String[] {"TLSv1.3"});
  }

  static SSLContext context(LinkTls files) {
    var password = files.password().toCharArray();
    var own = store(files.keyStore(), password);
    var trusted = store(files.trustStore(), password);
    try {
      require(own, files.keyStore(), true);
      require(trusted, files.trustStore(), false);
      var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(own, password);
      var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      var context = SSLContext.getInstance("TLSv1.3");
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException unfit) {
      throw new IllegalArgumentException("TLS of the links cannot be set up", unfit);
    }
  }

  private static KeyStore store(Path file, char[] password) {
    try (var bytes = Files.newInputStream(file)) {
      var store = KeyStore.getInstance("PKCS12");
      store.load(bytes, password);
      return store;
    } catch (IOException | GeneralSecurityException unreadable) {
      throw new IllegalArgumentException(
          "no store of the links can be read by the password: " + file, unreadable);
    }
  }

  /** An empty store would refuse everybody, and nobody would know why. */
  private static void require(KeyStore store, Path file, boolean isKey) throws KeyStoreException {
    for (var aliases = store.aliases(); aliases.hasMoreElements(); ) {
      var alias = aliases.nextElement();
      if (isKey ? store.isKeyEntry(alias) : store.isCertificateEntry(alias)) {
        return;
      }
    }
    throw new IllegalArgumentException(
        "there is no " + (isKey ? "key" : "trusted certificate") + " in " + file);
  }
}
