package io.evento.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * An authority of one's own on a directory, and certificates by it for this machine, 127.0.0.1 and
 * localhost. Made by the JDK's keytool, as the JDK has nothing public that makes a certificate.
 */
public final class Authority {
  private static final String SELF = "authority";
  private static final long SECONDS_MAX = 120;
  private static final String DAYS = "3650";

  private final Path directory;
  private final String password;
  private final KeyStore store;

  /**
   * A certificate and its key, in files that this user alone may read.
   *
   * @param store PKCS#12 under the authority's password, alias as the certificate's name
   * @param certificate PEM, with the authority's behind it
   * @param key PEM, PKCS#8 without a password
   */
  public record Issued(Path store, Path certificate, Path key) {}

  private Authority(Path directory, String password) {
    this.directory = directory;
    this.password = password;
    this.store = load(directory.resolve("authority.p12"), password);
  }

  /**
   * Makes it unless it is there.
   *
   * @param password of its store and of those that it makes, 6 characters or more
   */
  public static Authority in(Path directory, String name, String password) {
    try {
      Files.createDirectories(directory);
      var file = directory.resolve("authority.p12");
      if (!Files.exists(file)) {
        var fresh = directory.resolve("authority.new");
        Files.deleteIfExists(fresh);
        genkeypair(fresh, password, SELF, name, "-ext", "bc:c=ca:true", "-ext", "ku:c=keyCertSign");
        keepPrivate(fresh);
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
      }
      var authority = new Authority(directory, password);
      writePem(
          authority.certificate(),
          "CERTIFICATE",
          authority.store.getCertificate(SELF).getEncoded());
      return authority;
    } catch (IOException failure) {
      throw new UncheckedIOException("no authority in " + directory, failure);
    } catch (GeneralSecurityException failure) {
      throw new IllegalStateException("no authority in " + directory, failure);
    }
  }

  /** The authority's own certificate, PEM: whoever is to believe it needs this file. */
  public Path certificate() {
    return directory.resolve("ca.crt");
  }

  /**
   * The same as PKCS#12, under the authority's password.
   *
   * @param others who are to be believed too
   */
  public Path trustStore(Authority... others) {
    var file = directory.resolve("trust.p12");
    try {
      var trusted = empty();
      trusted.setCertificateEntry(SELF, store.getCertificate(SELF));
      for (var i = 0; i < others.length; i++) {
        trusted.setCertificateEntry(SELF + "-" + i, others[i].store.getCertificate(SELF));
      }
      save(trusted, file);
      return file;
    } catch (GeneralSecurityException failure) {
      throw new IllegalStateException("cannot write " + file, failure);
    }
  }

  /** A certificate of that name, made unless it is there; it serves as server and as client. */
  public Issued issue(String name) {
    var issued =
        new Issued(
            directory.resolve(name + ".p12"),
            directory.resolve(name + ".crt"),
            directory.resolve(name + ".key"));
    if (Files.exists(issued.store())) {
      return issued;
    }
    var work = directory.resolve(name + ".new");
    try {
      // Signed within a copy of the authority's store; the authority's key does not leave it.
      Files.copy(directory.resolve("authority.p12"), work, StandardCopyOption.REPLACE_EXISTING);
      genkeypair(
          work, password, name, name, "-signer", SELF, "-ext", "san=ip:127.0.0.1,dns:localhost");
      var signed = load(work, password);
      var key = signed.getKey(name, password.toCharArray());
      var chain = signed.getCertificateChain(name);
      writePem(issued.certificate(), "CERTIFICATE", encoded(chain));
      writePem(issued.key(), "PRIVATE KEY", key.getEncoded());
      save(with(name, key, chain), issued.store());
      return issued;
    } catch (IOException failure) {
      throw new UncheckedIOException("no certificate for " + name, failure);
    } catch (GeneralSecurityException failure) {
      throw new IllegalStateException("no certificate for " + name, failure);
    } finally {
      work.toFile().delete();
    }
  }

  private KeyStore with(String name, Key key, Certificate[] chain) throws GeneralSecurityException {
    var own = empty();
    own.setKeyEntry(name, key, password.toCharArray(), chain);
    return own;
  }

  private static byte[][] encoded(Certificate[] chain) throws GeneralSecurityException {
    var all = new byte[chain.length][];
    for (var i = 0; i < chain.length; i++) {
      all[i] = chain[i].getEncoded();
    }
    return all;
  }

  /** The password goes by the environment: options are shown to everybody. */
  private static void genkeypair(
      Path store, String password, String alias, String name, String... more) throws IOException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of("-genkeypair", "-keystore", store.toString(), "-storetype", "PKCS12"));
    command.addAll(List.of("-storepass:env", "STORE_PASSWORD", "-alias", alias));
    command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1", "-validity", DAYS));
    command.addAll(List.of("-dname", "CN=" + name));
    command.addAll(List.of(more));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("STORE_PASSWORD", password);
    var running = builder.start();
    var said = new String(running.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (!running.waitFor(SECONDS_MAX, TimeUnit.SECONDS) || running.exitValue() != 0) {
        running.destroyForcibly();
        throw new IllegalStateException("keytool: " + said);
      }
    } catch (InterruptedException interrupted) {
      running.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted in keytool", interrupted);
    }
  }

  private static KeyStore empty() throws GeneralSecurityException {
    try {
      var store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      return store;
    } catch (IOException impossible) {
      throw new UncheckedIOException("nothing is read", impossible);
    }
  }

  private static KeyStore load(Path file, String password) {
    try (var bytes = Files.newInputStream(file)) {
      var store = KeyStore.getInstance("PKCS12");
      store.load(bytes, password.toCharArray());
      return store;
    } catch (IOException failure) {
      throw new UncheckedIOException("cannot read " + file, failure);
    } catch (GeneralSecurityException failure) {
      throw new IllegalStateException("cannot read " + file, failure);
    }
  }

  private void save(KeyStore made, Path file) throws GeneralSecurityException {
    try {
      var fresh = privately(file.resolveSibling(file.getFileName() + ".new"));
      try (var out = Files.newOutputStream(fresh)) {
        made.store(out, password.toCharArray());
      }
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException failure) {
      throw new UncheckedIOException("cannot write " + file, failure);
    }
  }

  private static void writePem(Path file, String kind, byte[]... blocks) throws IOException {
    var lines = Base64.getMimeEncoder(64, new byte[] {'\n'});
    var text = new StringBuilder();
    for (var block : blocks) {
      text.append("-----BEGIN ").append(kind).append("-----\n");
      text.append(lines.encodeToString(block)).append('\n');
      text.append("-----END ").append(kind).append("-----\n");
    }
    Files.writeString(privately(file), text);
  }

  /** Nobody else may read the file, from its first byte on. */
  private static Path privately(Path file) throws IOException {
    Files.deleteIfExists(file);
    return Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
  }

  private static void keepPrivate(Path file) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }
}
