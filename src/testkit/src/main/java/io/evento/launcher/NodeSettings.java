package io.evento.launcher;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What one node is told, whichever server it runs on. It listens on loopback only, and is open to
 * everybody there unless it is told otherwise.
 *
 * @param linkPort where other nodes reach it
 * @param fdPort where they watch it for a lost connection
 * @param jdbcUrl of the cluster's database
 * @param owner runs migrations; if empty, a job of its own does
 * @param server does everything else
 * @param more further variables, which win over the others
 */
public record NodeSettings(
    String name,
    int port,
    int linkPort,
    int fdPort,
    String jdbcUrl,
    Optional<Login> owner,
    Login server,
    Map<String, String> more) {

  private static final String LOOPBACK = "127.0.0.1";

  public NodeSettings {
    more = Map.copyOf(more);
  }

  /** A node that is open to everybody on its machine. */
  public NodeSettings(
      String name, int port, int linkPort, int fdPort, String jdbcUrl, Login owner, Login server) {
    this(name, port, linkPort, fdPort, jdbcUrl, Optional.of(owner), server, Map.of());
  }

  /** Where it answers, without a path. */
  public String url() {
    return (isOverTls() ? "https://" : "http://") + LOOPBACK + ":" + port;
  }

  /** Where bundles connect. */
  public String bundleUrl() {
    return (isOverTls() ? "wss://" : "ws://") + LOOPBACK + ":" + port + "/evento";
  }

  /** Whether it has a certificate ({@code HTTPS_KEY_STORE}), and nothing is said in the clear. */
  public boolean isOverTls() {
    return more.containsKey("HTTPS_KEY_STORE");
  }

  /** The settings, as every server's MicroProfile Config finds them. */
  public Map<String, String> environment() {
    var variables = new HashMap<String, String>();
    variables.put("EVENTO_NODE_NAME", name);
    variables.put("EVENTO_NODE_BIND", LOOPBACK);
    variables.put("EVENTO_NODE_URL", bundleUrl());
    variables.put("EVENTO_LINK_PORT", Integer.toString(linkPort));
    variables.put("EVENTO_LINK_FD_PORT", Integer.toString(fdPort));
    variables.put("EVENTO_DB_URL", jdbcUrl);
    variables.put("EVENTO_DB_USER", server.user());
    if (!more.containsKey("EVENTO_DB_PASSWORD_FILE")) {
      variables.put("EVENTO_DB_PASSWORD", server.password());
    }
    owner.ifPresent(
        login -> {
          variables.put("EVENTO_DB_OWNER_USER", login.user());
          variables.put("EVENTO_DB_OWNER_PASSWORD", login.password());
        });
    variables.put("EVENTO_SECURITY", "open");
    variables.putAll(more);
    return Map.copyOf(variables);
  }
}
