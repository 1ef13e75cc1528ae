package io.evento.server.config;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.Config;

/** Every key that a node reads at start, with its default and its rule. */
public record ServerConfig(
    Node node, Database database, Link link, Http http, WebSocket webSocket, Security security) {
  private static final String LOCAL_DATABASE = "jdbc:postgresql://127.0.0.1:5432/evento";

  /**
   * @param name unique in the cluster ({@code evento.node-name}); the host's name if unset
   * @param bind address that node links bind to ({@code evento.node.bind}); loopback if unset
   * @param url where bundles reach this node ({@code evento.node.url})
   * @param release of this WAR
   */
  public record Node(String name, String bind, String url, String release) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

    public Node {
      if (!NAME.matcher(name).matches()) {
        throw new IllegalArgumentException(
            "evento.node-name must have 1 to 63 letters, digits, '.', '_' or '-', is " + name);
      }
      if (!url.startsWith("ws://") && !url.startsWith("wss://")) {
        throw new IllegalArgumentException("evento.node.url must start with ws://, is " + url);
      }
    }
  }

  /**
   * @param url of PostgreSQL, all hosts in one ({@code evento.db.url}); what it must say of TLS,
   *     and {@code evento.db.tls}, see {@link DatabaseTls}
   * @param user the server's role ({@code evento.db.user})
   * @param password {@code evento.db.password}, or the file that {@code evento.db.password-file}
   *     names
   * @param ownerPassword likewise
   * @param ownerUser runs migrations ({@code evento.db.owner.user}); if absent, this node only
   *     checks that another one migrated
   * @param jndi name of a pool of the application server to use for everything but the append and
   *     the heartbeat ({@code evento.datasource.jndi}); if absent the node makes its own
   * @param poolSize connections in the node's own pool ({@code evento.db.pool-size})
   * @param isSynchronous whether nothing may be acknowledged that no synchronous standby has
   *     ({@code evento.db.synchronous=required}); {@code optional}, the default, leaves that to
   *     PostgreSQL's settings
   */
  public record Database(
      String url,
      String user,
      String password,
      Optional<String> ownerUser,
      Optional<String> ownerPassword,
      Optional<String> jndi,
      int poolSize,
      boolean isSynchronous) {
    public Database {
      if (!url.startsWith("jdbc:postgresql:")) {
        throw new IllegalArgumentException(
            "evento.db.url must start with jdbc:postgresql:, is " + url);
      }
      url = toThePrimary(url);
      if (poolSize < 4) {
        throw new IllegalArgumentException("evento.db.pool-size must be 4 or more, is " + poolSize);
      }
    }

    /**
     * Of several hosts one is the primary, and which one changes. A standby would answer reads with
     * what was so a while ago, and refuse every write.
     */
    private static String toThePrimary(String url) {
      var options = url.indexOf('?');
      if (!(options < 0 ? url : url.substring(0, options)).contains(",")
          || url.contains("targetServerType=")) {
        return url;
      }
      return url + (options < 0 ? "?" : "&") + "targetServerType=primary";
    }
  }

  /**
   * @param port of the links between nodes ({@code evento.link.port})
   * @param failureDetectionPort ({@code evento.link.fd-port})
   * @param tls certificates of the links ({@code evento.link.tls.key-store} and what belongs to
   *     it); without them frames are sealed alone
   */
  public record Link(int port, int failureDetectionPort, Optional<LinkTls> tls) {
    /** Without certificates. */
    public Link(int port, int failureDetectionPort) {
      this(port, failureDetectionPort, Optional.empty());
    }
  }

  /**
   * @param hosts names by which requests may call the cluster ({@code evento.http.hosts}, separated
   *     by commas), such as the balancer's; IP addresses, names without dots and the host of {@code
   *     evento.node.url} need not be among them
   * @param trustedProxies addresses of balancers whose {@code X-Forwarded-For} says who asks
   *     ({@code evento.http.trusted-proxies}, separated by commas); of all others it is ignored
   */
  public record Http(List<String> hosts, List<String> trustedProxies) {
    public Http {
      hosts = List.copyOf(hosts);
      trustedProxies = List.copyOf(trustedProxies);
    }

    /** Behind no balancer that is trusted. */
    public Http(List<String> hosts) {
      this(hosts, List.of());
    }
  }

  /**
   * @param tyrusRemedy whether to take Tyrus' idle timer, which costs 0.2 ms per message on Payara,
   *     out of each session ({@code evento.ws.tyrus-remedy})
   */
  public record WebSocket(boolean tyrusRemedy) {}

  /**
   * @param isOpen whether everybody may do everything ({@code evento.security=open}), which only a
   *     node does that no other machine reaches; {@code on}, the default, asks each for a
   *     credential
   * @param setupFile where the node writes a code that lets one make the first administrator
   *     ({@code evento.setup-file}); none is made if absent
   * @param adminName of the first administrator if the node makes him ({@code evento.admin.name})
   * @param adminPasswordFile with his password ({@code evento.admin.password-file}); if absent the
   *     node makes none
   * @param oidc the provider by which people may sign in beside their passwords ({@code
   *     evento.oidc.issuer} and what belongs to it)
   */
  public record Security(
      boolean isOpen,
      Optional<Path> setupFile,
      String adminName,
      Optional<Path> adminPasswordFile,
      Optional<OidcConfig> oidc) {
    /** Without a provider. */
    public Security(
        boolean isOpen,
        Optional<Path> setupFile,
        String adminName,
        Optional<Path> adminPasswordFile) {
      this(isOpen, setupFile, adminName, adminPasswordFile, Optional.empty());
    }

    /** Everybody may do everything. */
    public static final Security OPEN =
        new Security(true, Optional.empty(), "admin", Optional.empty());

    /** Everybody needs a credential. */
    public static final Security ON =
        new Security(false, Optional.empty(), "admin", Optional.empty());
  }

  /** Reads all keys and fails with the name of the key that is wrong. */
  public static ServerConfig read(Config source) {
    if (!text(source, "evento.security").orElse("on").equals("open")) {
      DatabaseTls.require(
          text(source, "evento.db.url").orElse(LOCAL_DATABASE),
          text(source, DatabaseTls.KEY).orElse("verify-full"));
    }
    return new ServerConfig(
        new Node(
            text(source, "evento.node-name").orElseGet(ServerConfig::hostName),
            text(source, "evento.node.bind").orElse("127.0.0.1"),
            text(source, "evento.node.url").orElse("ws://127.0.0.1:8080/evento"),
            Release.current()),
        new Database(
            text(source, "evento.db.url").orElse(LOCAL_DATABASE),
            text(source, "evento.db.user").orElse("evento_server"),
            secret(source, "evento.db.password").orElse(""),
            text(source, "evento.db.owner.user"),
            secret(source, "evento.db.owner.password"),
            text(source, "evento.datasource.jndi"),
            number(source, "evento.db.pool-size", 16),
            isRequired(source, "evento.db.synchronous")),
        new Link(
            number(source, "evento.link.port", 7800),
            number(source, "evento.link.fd-port", 7900),
            LinkTls.read(source)),
        new Http(list(source, "evento.http.hosts"), list(source, "evento.http.trusted-proxies")),
        new WebSocket(
            source.getOptionalValue("evento.ws.tyrus-remedy", Boolean.class).orElse(true)),
        new Security(
            isOpen(source),
            text(source, "evento.setup-file").map(Path::of),
            text(source, "evento.admin.name").orElse("admin"),
            text(source, "evento.admin.password-file").map(Path::of),
            OidcConfig.read(source)));
  }

  private static Optional<String> text(Config source, String key) {
    return source.getOptionalValue(key, String.class).filter(value -> !value.isBlank());
  }

  private static Optional<String> secret(Config source, String key) {
    return Secret.of(name -> text(source, name), key);
  }

  private static List<String> list(Config source, String key) {
    return text(source, key).stream()
        .flatMap(value -> Stream.of(value.split(",", -1)))
        .map(String::strip)
        .filter(one -> !one.isEmpty())
        .toList();
  }

  private static boolean isRequired(Config source, String key) {
    var value = text(source, key).orElse("optional");
    if (!value.equals("required") && !value.equals("optional")) {
      throw new IllegalArgumentException(key + " must be required or optional, is " + value);
    }
    return value.equals("required");
  }

  private static boolean isOpen(Config source) {
    var value = text(source, "evento.security").orElse("on");
    if (!value.equals("on") && !value.equals("open")) {
      throw new IllegalArgumentException("evento.security must be on or open, is " + value);
    }
    return value.equals("open");
  }

  private static int number(Config source, String key, int otherwise) {
    return source.getOptionalValue(key, Integer.class).orElse(otherwise);
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException unnamed) {
      throw new IllegalArgumentException(
          "evento.node-name is needed: this host has no name", unnamed);
    }
  }
}
