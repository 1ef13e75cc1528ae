package io.evento.launcher;

import java.nio.file.Path;

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
        database.owner(),
        database.server());
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
