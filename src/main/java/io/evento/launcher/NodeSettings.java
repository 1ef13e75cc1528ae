package io.evento.launcher;

import java.util.Map;

/**
 * What one node is told, whichever server it runs on. It listens on loopback only.
 *
 * @param linkPort where other nodes reach it
 * @param fdPort where they watch it for a lost connection
 * @param jdbcUrl of the cluster's database
 * @param owner runs migrations
 * @param server does everything else
 */
public record NodeSettings(
    String name, int port, int linkPort, int fdPort, String jdbcUrl, Login owner, Login server) {

  private static final String LOOPBACK = "127.0.0.1";

  public String url() {
    return "http://" + LOOPBACK + ":" + port;
  }

  /** Where bundles connect. */
  public String bundleUrl() {
    return "ws://" + LOOPBACK + ":" + port + "/evento";
  }

  /** The settings, as every server's MicroProfile Config finds them. */
  Map<String, String> environment() {
    return Map.of(
        "EVENTO_NODE_NAME", name,
        "EVENTO_NODE_BIND", LOOPBACK,
        "EVENTO_NODE_URL", bundleUrl(),
        "EVENTO_LINK_PORT", Integer.toString(linkPort),
        "EVENTO_LINK_FD_PORT", Integer.toString(fdPort),
        "EVENTO_DB_URL", jdbcUrl,
        "EVENTO_DB_USER", server.user(),
        "EVENTO_DB_PASSWORD", server.password(),
        "EVENTO_DB_OWNER_USER", owner.user(),
        "EVENTO_DB_OWNER_PASSWORD", owner.password());
  }
}
