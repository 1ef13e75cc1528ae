package io.evento.cluster;

import io.evento.launcher.NodeSettings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One node of a plan: what it is told, and where its files are.
 *
 * @param number from 1
 */
record NodePlace(ClusterPlan plan, int number) {

  String name() {
    return "node-" + number;
  }

  NodeSettings settings() {
    var ports = plan.ports();
    var database = plan.database();
    return new NodeSettings(
        name(),
        ports.node() + number - 1,
        ports.link() + number - 1,
        ports.fd() + number - 1,
        database.url(),
        plan.hardening().isPresent() ? Optional.empty() : Optional.of(database.owner()),
        database.server(),
        more());
  }

  private Map<String, String> more() {
    var more = new HashMap<String, String>();
    plan.hardening().ifPresent(with -> more.putAll(with.nodeSettings(plan)));
    more.putAll(plan.nodeSettings());
    more.replaceAll((key, value) -> value.replace("{node}", Integer.toString(number)));
    if (plan.isSecured()) {
      more.put("EVENTO_SECURITY", "on");
      more.put("EVENTO_SETUP_FILE", plan.setupFile(number).toString());
      // The balancer says whom it asks for; callers of a test may say so themselves.
      more.put("EVENTO_HTTP_TRUSTED_PROXIES", "127.0.0.1");
    }
    return more;
  }

  Path directory() {
    return plan.directory().resolve(name());
  }

  Path log() {
    return plan.directory().resolve(name() + ".log");
  }

  Path war() {
    return plan.wars().isEmpty() ? plan.built("evento.war") : plan.wars().get(number - 1);
  }
}
