package io.evento.launcher;

import java.nio.file.Path;
import java.util.Map;

/**
 * What one node of a plan is told, whichever server it runs on.
 *
 * @param number from 1
 */
record NodePlace(ClusterPlan plan, int number) {

  private static final String LOOPBACK = "127.0.0.1";

  String name() {
    return "node-" + number;
  }

  int port() {
    return plan.ports().node() + number - 1;
  }

  String url() {
    return "http://" + LOOPBACK + ":" + port();
  }

  /** Where bundles connect. */
  String bundleUrl() {
    return "ws://" + LOOPBACK + ":" + port() + "/evento";
  }

  Path directory() {
    return plan.directory().resolve(name());
  }

  Path log() {
    return plan.directory().resolve(name() + ".log");
  }

  Path war() {
    return plan.built("evento.war");
  }

  /** The settings, as every server's MicroProfile Config finds them. */
  Map<String, String> environment() {
    var database = plan.database();
    return Map.of(
        "EVENTO_NODE_NAME", name(),
        "EVENTO_NODE_BIND", LOOPBACK,
        "EVENTO_NODE_URL", bundleUrl(),
        "EVENTO_LINK_PORT", Integer.toString(plan.ports().link() + number - 1),
        "EVENTO_LINK_FD_PORT", Integer.toString(plan.ports().fd() + number - 1),
        "EVENTO_DB_URL", database.url(),
        "EVENTO_DB_USER", database.server().user(),
        "EVENTO_DB_PASSWORD", database.server().password(),
        "EVENTO_DB_OWNER_USER", database.owner().user(),
        "EVENTO_DB_OWNER_PASSWORD", database.owner().password());
  }
}
