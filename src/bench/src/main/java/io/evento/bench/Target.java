package io.evento.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.bundle.EventoBundle;
import io.evento.cluster.LocalCluster;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The cluster that is measured, as its {@code cluster.json} describes it.
 *
 * @param servers WebSocket addresses of the nodes
 * @param pids of all processes by name
 * @param tokenFile with the credential that its nodes ask for; empty if they ask nobody
 */
record Target(
    List<String> servers, String jdbcUrl, Map<String, Long> pids, Optional<Path> tokenFile) {

  /** A bundle for it, which is not started. */
  EventoBundle.Builder bundle(String name) {
    var bundle = EventoBundle.named(name).connect(servers.toArray(String[]::new));
    tokenFile.ifPresent(bundle::tokenFile);
    return bundle;
  }

  static Target of(Path clusterJson) throws IOException {
    var described = new ObjectMapper().readTree(clusterJson.toFile());
    var servers = new ArrayList<String>();
    var pids = new LinkedHashMap<String, Long>();
    for (var node : described.path("nodes")) {
      servers.add(node.path("url").asText().replaceFirst("^http", "ws") + "/evento");
      add(pids, node);
    }
    described.path("bundles").forEach(bundle -> add(pids, bundle));
    pids.put("postgres", described.path("postgres").path("pid").asLong());
    pids.put("bench", ProcessHandle.current().pid());
    return new Target(
        servers, described.path("postgres").path("jdbcUrl").asText(), pids, Optional.empty());
  }

  static Target of(LocalCluster cluster, Optional<Path> tokenFile) {
    var pids = new LinkedHashMap<String, Long>();
    for (var member : cluster.nodes()) {
      pids.put(member.id(), member.pid().orElseThrow());
    }
    for (var member : cluster.bundles()) {
      pids.put(member.id(), member.pid().orElseThrow());
    }
    cluster.postgres().ifPresent(member -> pids.put("postgres", member.pid().orElseThrow()));
    pids.put("bench", ProcessHandle.current().pid());
    return new Target(
        cluster.nodes().stream()
            .map(node -> node.url().replaceFirst("^http", "ws") + "/evento")
            .toList(),
        cluster.database().url(),
        pids,
        tokenFile);
  }

  private static void add(Map<String, Long> pids, JsonNode process) {
    pids.put(process.path("id").asText(), process.path("pid").asLong());
  }
}
