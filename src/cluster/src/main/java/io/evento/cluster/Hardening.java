package io.evento.cluster;

import io.evento.bundle.session.TlsFiles;
import io.evento.launcher.Login;
import io.evento.testing.Authority;
import io.evento.testing.OidcProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import javax.net.ssl.SSLContext;

/**
 * What a cluster has that lets nobody in whom it does not know: certificates of two authorities of
 * its own, one for what listens and one for the links between nodes, and a password for each role
 * of the database, for the first administrator and for the stores. All of it is made once and kept
 * in files that this user alone may read.
 */
public final class Hardening {
  /** The first administrator. */
  public static final String ADMINISTRATOR = "root";

  static final String PASSWORD_FILE = "admin";
  static final String TOKEN_FILE = "bank-token";

  /** Who is at a browser that signs in by the provider. */
  static final String OIDC_PERSON = "ada";

  private static final String OIDC_GROUP = "operators";

  private static final String HBA =
      """
      hostssl  evento  evento_server  127.0.0.1/32  scram-sha-256
      hostssl  evento  evento_owner   127.0.0.1/32  scram-sha-256
      hostssl  evento  evento_bank    127.0.0.1/32  scram-sha-256
      hostssl  all     postgres       127.0.0.1/32  scram-sha-256
      host     all     all            all           reject
      """;

  private final Path directory;
  private final Authority.Issued server;
  private final Authority.Issued link;
  private final Path authority;
  private final Path linkTrust;

  private Hardening(Path directory) throws IOException {
    this.directory = Files.createDirectories(directory);
    for (var secret : new String[] {"stores", "owner", "server", "bank", "oidc", PASSWORD_FILE}) {
      makePassword(directory.resolve(secret));
    }
    var stores = text(directory.resolve("stores"));
    var open = Authority.in(directory.resolve("tls"), "Evento on this machine", stores);
    authority = open.certificate();
    server = open.issue("server");
    // Whoever may show a certificate to clients may not enter the links by it.
    var links = Authority.in(directory.resolve("links"), "Evento links", stores);
    link = links.issue("node");
    linkTrust = links.trustStore();
    PrivateFile.write(directory.resolve("pg_hba.conf"), HBA);
    PrivateFile.write(directory.resolve("oidc"), OidcProvider.SECRET);
  }

  /** Makes what is not there yet. */
  static Hardening in(Path directory) {
    try {
      return new Hardening(directory);
    } catch (IOException failure) {
      throw new UncheckedIOException("cannot keep secrets in " + directory, failure);
    }
  }

  /** PEM, for clients: whom to believe. */
  public Path authority() {
    return authority;
  }

  /** Of everything that listens. */
  public Authority.Issued server() {
    return server;
  }

  /** Believes what has a certificate of this cluster, and shows none. */
  public SSLContext trusting() {
    return TlsFiles.context(authority, null, null);
  }

  /** Where the bank's token is, once there is one. */
  public Path token() {
    return directory.resolve(TOKEN_FILE);
  }

  /** A file with the password of {@link #ADMINISTRATOR}. */
  public Path administratorPassword() {
    return directory.resolve(PASSWORD_FILE);
  }

  /** A file with the password of a role of the database: owner, server or bank. */
  Path password(String role) {
    return directory.resolve(role);
  }

  Login login(String role) {
    return new Login("evento_" + role, text(password(role)));
  }

  Path accessRules() {
    return directory.resolve("pg_hba.conf");
  }

  /** What a JDBC URL says, so that only this cluster's database gets a password, and by SCRAM. */
  String jdbcOptions() {
    return "?sslmode=verify-full&channelBinding=require&sslrootcert="
        + URLEncoder.encode(authority.toString(), StandardCharsets.UTF_8).replace("%2F", "/");
  }

  /** What each node is told beyond its name, its ports and its database. */
  Map<String, String> nodeSettings(ClusterPlan plan) {
    return Map.ofEntries(
        Map.entry("EVENTO_DB_PASSWORD_FILE", password("server").toString()),
        Map.entry("HTTPS_KEY_STORE", server.store().toString()),
        Map.entry("HTTPS_KEY_STORE_PASSWORD", text(directory.resolve("stores"))),
        Map.entry("HTTPS_KEY_ALIAS", "server"),
        Map.entry("EVENTO_LINK_TLS_KEY_STORE", link.store().toString()),
        Map.entry("EVENTO_LINK_TLS_TRUST_STORE", linkTrust.toString()),
        Map.entry("EVENTO_LINK_TLS_PASSWORD_FILE", directory.resolve("stores").toString()),
        Map.entry("EVENTO_OIDC_ISSUER", OidcProvider.issuer(plan.ports().provider())),
        Map.entry("EVENTO_OIDC_CLIENT_ID", OidcProvider.CLIENT),
        Map.entry("EVENTO_OIDC_CLIENT_SECRET_FILE", directory.resolve("oidc").toString()),
        Map.entry("EVENTO_OIDC_ROLES", OIDC_GROUP + "=operator"),
        Map.entry(
            "EVENTO_OIDC_CALLBACK",
            new Commands(plan).balancerUrl() + "/evento/api/session/oidc/callback"));
  }

  /** A provider on this machine at which {@link #OIDC_PERSON} is signed in already; close it. */
  static OidcProvider startProvider(ClusterPlan plan) {
    return OidcProvider.start(plan.ports().provider())
        .person("subject-of-" + OIDC_PERSON, OIDC_PERSON, OIDC_GROUP);
  }

  /** Leaves one there that is, and makes its folder too. */
  static void makePassword(Path file) throws IOException {
    if (!Files.exists(file)) {
      Files.createDirectories(file.toAbsolutePath().getParent());
      var bytes = new byte[24];
      new SecureRandom().nextBytes(bytes);
      PrivateFile.write(file, Base64.getUrlEncoder().encodeToString(bytes));
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException failure) {
      throw new UncheckedIOException("cannot read " + file, failure);
    }
  }
}
